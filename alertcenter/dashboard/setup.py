"""What must a new tenant still do before its first page wakes somebody?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from alertcenter.alerts.models import Alert, Route
from escalation.models import Schedule, Turn
from notifications.models import Channel, Delivery
from tenants.models import ApiKey

STORM_KEY = "storm"  # how the simulation names its keys
EXAMPLE = """curl {url} \\
  -H 'Authorization: Bearer {key}' \\
  -H 'Content-Type: application/json' \\
  -d '[{{"labels": {{"alertname": "DiskFull", "severity": "critical",
                   "team": "database", "instance": "db-1"}},
        "annotations": {{"summary": "The disk of db-1 is full"}}}}]'"""
PROMETHEUS = """alerting:
  alertmanagers:
    - scheme: {scheme}
      path_prefix: /t/{slug}
      authorization:
        credentials: {key}
      static_configs:
        - targets: ["{host}"]"""


@dataclass(frozen=True)
class Item:
    """One thing to do, done or not, and where to do it."""

    title: str
    done: bool
    url: str


def checklist(tenant_id: UUID) -> list[Item]:
    """Return the steps of the first run with their verdicts."""
    return [
        Item(
            _("An API key exists"),
            _has_key(tenant_id),
            admin_url("tenants_apikey"),
        ),
        Item(
            _("The first alert arrived"),
            Alert.objects.filter(tenant_id=tenant_id).exists(),
            "",
        ),
        Item(
            _("A channel is set up"),
            Channel.objects.filter(tenant_id=tenant_id, active=True).exists(),
            admin_url("notifications_channel"),
        ),
        Item(
            _("A route names a policy"),
            Route.objects.filter(tenant_id=tenant_id, policy__isnull=False).exists(),
            admin_url("alerts_route"),
        ),
        Item(
            _("Every schedule has people"),
            _every_order_has_people(tenant_id),
            admin_url("escalation_schedule"),
        ),
        Item(
            _("A message was delivered"),
            Delivery.objects.filter(tenant_id=tenant_id, state="sent").exists(),
            admin_url("notifications_delivery"),
        ),
    ]


def snippets(slug: str, key: str) -> dict[str, str]:
    """Return texts to copy, filled with this tenant's address."""
    scheme, host = settings.BASE_URL.split("://", 1)
    url = f"{settings.BASE_URL}/t/{slug}/api/v2/alerts"
    return {
        "curl": EXAMPLE.format(url=url, key=key),
        "prometheus": PROMETHEUS.format(scheme=scheme, slug=slug, key=key, host=host),
    }


def admin_url(model: str) -> str:
    """Return the admin's list of `app_model`, "" where there is none."""
    try:
        return reverse(f"admin:{model}_changelist")
    except NoReverseMatch:
        return ""


def _every_order_has_people(tenant_id: UUID) -> bool:
    orders = set(
        Schedule.objects.filter(tenant_id=tenant_id).values_list("pk", flat=True)
    )
    staffed = set(
        Turn.objects.filter(tenant_id=tenant_id, member__active=True)
        .values_list("layer__schedule_id", flat=True)
        .distinct()
    )
    return bool(orders) and orders <= staffed


def _has_key(tenant_id: UUID) -> bool:
    """Whether somebody made a key; the ones of our storms are nobody's."""
    keys = ApiKey.objects.filter(tenant_id=tenant_id, revoked_at=None)
    return keys.exclude(name=STORM_KEY).exists()
