"""Which route takes this alert, and why not the others?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.alerts import routing
from alertcenter.alerts.admin.search import as_uuid
from alertcenter.alerts.events import Event
from alertcenter.alerts.models import Alert, Group, Route, RouteChannel, Rule
from alertcenter.alerts.pasting import LONGEST_TEXT, parse_event
from alertcenter.alerts.rules import compile_rules
from alertcenter.alerts.severity import shown


@dataclass(frozen=True)
class Verdict:
    """What the tester found out."""

    labels: dict[str, str]
    dropped: bool
    trials: Sequence[routing.Trial] = ()
    takers: Sequence[Taker] = ()


@dataclass(frozen=True)
class Taker:
    """One route that takes the alert, and what it would do."""

    route: routing.CompiledRoute
    policy: str
    channels: Sequence[str]
    key: str
    group_labels: dict[str, str]
    open_group: Group | None


class TesterForm(forms.Form):
    """A pasted alert, bare labels, or the id of a stored alert."""

    text = forms.CharField(
        label=gettext_lazy("Alert"),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=gettext_lazy(
            "Paste an alert as JSON (our own, or Alertmanager's webhook), or labels "
            "as name=value lines."
        ),
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )
    alert = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, tenant_id: UUID, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant_id = tenant_id
        self.labels: dict[str, str] = {}
        self.dedup_key = ""
        self.dropped = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("text", "").strip():
            self.take_event(parse_event(cleaned["text"]))
        elif cleaned.get("alert"):
            self.take_stored(cleaned["alert"])
        else:
            raise ValidationError(_("Paste an alert first."))
        return cleaned

    def take_event(self, event: Event) -> None:
        """Let the tenant's rules work on `event` first, as they do at the door."""
        rows = Rule.objects.filter(tenant_id=self.tenant_id, active=True)
        rules = compile_rules(
            list(
                rows.order_by("position", "name").values_list(
                    "matchers", "drop", "set_severity", "set_labels"
                )
            )
        )
        after = rules.apply(event)
        self.dropped = after is None
        seen = after or event
        self.labels = dict(shown(seen.labels, seen.severity))

    def take_stored(self, identity: str) -> None:
        """Use a stored alert, on which the rules have worked already."""
        pk = as_uuid(identity)
        rows = Alert.objects.filter(tenant_id=self.tenant_id)
        alert = rows.filter(pk=pk).first() if pk else None
        if alert is None:
            raise ValidationError(_("There is no such alert."))
        self.labels = dict(shown(alert.labels, alert.severity))
        self.dedup_key = alert.dedup_key

    def verdict(self) -> Verdict:
        """Return how each route judges the labels and where the alert would go."""
        if self.dropped:
            return Verdict(self.labels, dropped=True)
        root = routing.load(self.tenant_id)
        return Verdict(
            labels=self.labels,
            dropped=False,
            trials=routing.explain(root, self.labels),
            takers=[self.taker(p) for p in self.placements(root)],
        )

    def placements(self, root: routing.CompiledRoute) -> list[routing.Placement]:
        return routing.place(root, self.labels, self.dedup_key)

    def taker(self, placement: routing.Placement) -> Taker:
        """Return what the route of a placement would do."""
        route = placement.route
        # The row that names the policy may be one above.
        rows = Route.objects.filter(tenant_id=self.tenant_id)
        named = rows.filter(policy=route.policy_id).select_related("policy").first()
        told = RouteChannel.objects.filter(
            tenant_id=self.tenant_id, channel_id__in=route.channels
        ).select_related("channel")
        return Taker(
            route=route,
            policy=str(named.policy) if route.policy_id and named else "",
            channels=sorted({str(one.channel) for one in told}),
            key=placement.key,
            group_labels=placement.labels,
            open_group=self.open_group(placement.key),
        )

    def open_group(self, key: str) -> Group | None:
        """Return the open group that the alert would join."""
        rows = Group.objects.filter(tenant_id=self.tenant_id, key=key)
        return rows.exclude(state="resolved").first()
