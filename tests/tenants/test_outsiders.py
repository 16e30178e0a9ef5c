"""Does a member of another tenant find nothing, whatever URL they try?

The URLs are read from the routing tables, so that a new page cannot be forgotten: one
whose parameters nobody here knows fails the test.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from alertcenter.alerts.models import Alert, Group, Heartbeat, Service, Silence
from alertcenter.api import ingest
from alertcenter.common.ids import uuid7
from alertcenter.dashboard.routing import websocket_application
from escalation.models import (
    Absence,
    CalendarFeed,
    CalendarImport,
    Override,
    Policy,
    Schedule,
    Swap,
    Team,
    TemporarySchedule,
)
from notifications.models import Channel, Delivery, SimulatedMessage
from tenants.models import Integration, Member
from tenants.models.base import TenantRow
from tenants.rls import in_tenant
from tests.admin.conftest import fill
from tests.api.client import bearer, call, get, post
from tests.cast import Cast
from tests.dashboard.wire import HOST, Screen, session_of

pytestmark = pytest.mark.django_db(transaction=True)

METHODS = ("get", "post", "put", "patch", "delete")
# Objects that belong to the installation, not to a tenant: operators only.
PLATFORM = (
    "auth/group",
    "django_celery_beat/",
    "escalation/engineheartbeat",
    "tenants/retentionrun",
)
# Answers before the path is looked at; who calls proves it by a token of Slack's kind.
# Other products' clients prove it by a key: their own tests show what others' keys do.
BY_TOKEN = ("outbox/slack/", "opsgenie/v2/", "alerta/", "victorops/", "twilio/")


@dataclass(frozen=True)
class Page:
    """One entry of the routing table."""

    route: str
    name: str
    parameters: tuple[str, ...]

    @property
    def model(self) -> str:
        """`app/model` of an admin page."""
        return "/".join(self.route.split("/")[1:3])


def pages() -> list[Page]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[Any], prefix: str) -> Iterator[Page]:
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            named = getattr(one.pattern, "regex", None)
            groups = tuple(named.groupindex) if named is not None else ()
            yield Page(route, one.name or "", groups)


@pytest.fixture
def theirs(acme: Cast) -> dict[Any, Any]:
    """One row of every model of acme."""
    rows = fill(acme)
    with in_tenant(acme.id):
        rows[SimulatedMessage] = SimulatedMessage.objects.create(
            tenant_id=acme.id, kind="email", payload={"subject": "acme"}
        )
        if Silence not in rows:
            now = timezone.now()
            rows[Silence] = Silence.objects.create(
                tenant_id=acme.id,
                matchers=['a="b"'],
                starts_at=now,
                ends_at=now + timedelta(hours=1),
            )
    return rows


@pytest.fixture
def charlie(globex: Cast) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(globex.user("charlie"))
    return client


def value(page: Page, name: str, acme: Cast, rows: dict[Any, Any]) -> str:
    """Return what stands for `name` when it means something of acme."""
    by_table = {
        "/".join((model._meta.app_label, str(model._meta.model_name))): row
        for model, row in rows.items()
    }
    if name == "object_id" and page.model in by_table:
        return str(by_table[page.model].pk)
    if name in ("object_id", "id") and page.model == "auth/user":
        return str(acme.user("alice").pk)
    if name == "object_id" and page.model.startswith(PLATFORM):
        return "1"
    if name == "object_id" and page.name == "view_on_site":
        return str(rows[Alert].pk)
    if name == "number" and "outbox/" in page.route:
        return str(rows[SimulatedMessage].pk)
    if name == "pk" and "heartbeats" in page.route:
        return str(rows[Heartbeat].pk)
    known = {
        "slug": "acme",
        "number": str(rows[Group].number),
        "pk": own_key(page, rows),
        "identifier": str(rows[Alert].episode_id),
        "request_id": str(uuid7()),
        "silence": str(rows[Silence].pk),
        "override": str(rows[Override].pk),
        "swap": str(rows[Swap].pk),
        "absence": str(rows[Absence].pk),
        "temporary": str(rows[TemporarySchedule].pk),
        "severity": "critical",
        "calendar": str(rows[CalendarImport].pk),
        "action": "x",
        "secret": "0" * 32,
        "routing_key": "team",
        "name": "x",
        "tenant": str(acme.id),
        "method": "auth.test",
        "ticket": "x",
        "token": "no-token",  # a link in a message is made for one reader
        "place": "no-token",  # an address of acme's is a secret of acme's
        "content_type_id": str(ContentType.objects.get_for_model(Alert).pk),
        "app_label": "alerts",
        "url": "nowhere",
    }
    found = known.get(name, "")
    assert found, f"{page.route}: which value of {name} would mean acme's? Teach me."
    return found


def own_key(page: Page, rows: dict[Any, Any]) -> str:
    """Return the key of what a page's `pk` means."""
    model = next(
        (
            found
            for word, found in (
                ("deliveries", Delivery),
                ("v1/calendars", CalendarFeed),
                ("integration", Integration),
                ("servicenow", Channel),
                ("v1/absences", Absence),
                ("members", Member),
                ("policies", Policy),
                ("teams", Team),
                ("services", Service),
                ("schedules", Schedule),
                ("silences", Silence),
                ("v1/alerts", Alert),
            )
            if word in page.route
        ),
        None,
    )
    return str(rows[model].pk) if model else ""


def address(page: Page, values: dict[str, str]) -> str:
    """Return the path of `page` with its parameters filled in."""
    text = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", page.route)
    text = text.replace("^", "").replace("$", "")
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda m: values[m[1]], text)


def test_every_page_is_404_for_an_outsider(acme, globex, theirs, charlie, settings):
    settings.SIMULATION = True
    wrong, tried = [], 0
    for page in pages():
        values = {name: value(page, name, acme, theirs) for name in page.parameters}
        if not set(values) - {"app_label", "url"} or page.route.startswith(BY_TOKEN):
            continue
        path = address(page, values)
        for method in METHODS:
            # Django's admin leads old addresses on before it looks at the object.
            answer = getattr(charlie, method)(path, follow=True)
            tried += 1
            if not refused(page, method, answer.status_code):
                wrong.append(f"{method} {path}: {answer.status_code}")
            if b"acme" in answer.content.lower():
                wrong.append(f"{method} {path}: tells of acme")
    assert not wrong, "\n".join(wrong)
    assert tried > 300


def refused(page: Page, method: str, status: int) -> bool:
    """404; 405 for a method that no page has; what nobody may do, and what only
    operators may see, is 403 before the object is looked for."""
    if page.model.startswith(PLATFORM) or method != "get":
        return status in (403, 404, 405)
    return status in (404, 405)


def test_each_page_that_exists_says_404_and_not_only_405(
    acme, globex, theirs, charlie, settings
):
    settings.SIMULATION = True
    for page in pages():
        values = {name: value(page, name, acme, theirs) for name in page.parameters}
        if not set(values) - {"app_label", "url"} or page.route.startswith(BY_TOKEN):
            continue
        path = address(page, values)
        found = {
            getattr(charlie, method)(path, follow=True).status_code
            for method in METHODS
        }
        assert 404 in found or page.model.startswith(PLATFORM), path


# What acme's objects are replaced by to ask for something that never was.
INVENTED = {
    "slug": "nobody",
    "object_id": str(uuid7()),
    "number": "987654",
    "pk": str(uuid7()),
    "tenant": str(uuid7()),
}


def test_outsiders_cannot_tell_acmes_objects_from_none(acme, globex, theirs, charlie):
    for page in pages():
        if not set(page.parameters) & set(INVENTED):
            continue
        values = {name: value(page, name, acme, theirs) for name in page.parameters}
        others = values | {k: v for k, v in INVENTED.items() if k in values}
        for method in METHODS:
            real = getattr(charlie, method)(address(page, values), follow=True)
            none = getattr(charlie, method)(address(page, others), follow=True)
            assert real.status_code == none.status_code, page.route


def test_pages_without_parameters_show_nothing_of_acme(
    acme, globex, theirs, charlie, settings
):
    settings.SIMULATION = True
    for page in pages():
        if set(page.parameters) - {"app_label"} or page.name == "metrics":
            continue
        path = address(page, dict.fromkeys(page.parameters, "alerts"))
        if "logout" in path:
            continue
        for query in ("", "?tenant=acme", f"?tenant={acme.id}"):
            answer = charlie.get(path + query, follow=True)
            assert answer.status_code < 500, path + query
            told = answer.content.lower().replace(b"tenant=acme", b"")  # an echo
            assert b"acme" not in told, path + query


def test_nothing_of_acme_changed(acme, globex, theirs, charlie, settings):
    """All the posts above, once more, with a body that would do something."""
    settings.SIMULATION = True
    before = snapshot(acme)
    body = {
        "act": "resolve",
        "do": "resolve",
        "groups": [str(theirs[Group].pk)],
        "name": "globex was here",
        "post": "yes",
    }
    for page in pages():
        values = {name: value(page, name, acme, theirs) for name in page.parameters}
        if not values:
            continue
        path = address(page, values)
        charlie.post(path, body)
        charlie.post(path, json.dumps(body), content_type="application/json")
    assert snapshot(acme) == before


def snapshot(cast: Cast) -> dict[str, list[Any]]:
    """Return every row of a tenant, by table."""
    with in_tenant(cast.id):
        return {
            model._meta.db_table: [
                {
                    k: bytes(v) if isinstance(v, memoryview) else v
                    for k, v in row.items()
                }
                for row in model._default_manager.order_by("pk").values()
            ]
            for model in apps.get_models()
            if issubclass(model, TenantRow)
        }


# --- roads past Django ---


def fast_paths(slug: str) -> list[str]:
    return [f"/t/{slug}/" + "/".join(rest) for rest in ingest.FAST]


def test_the_fast_road_is_404_for_another_tenants_key(acme, foreign_key):
    assert len(fast_paths("acme")) >= 3
    for path in fast_paths("acme"):
        answer = post(path, [{"title": "x"}], **bearer(foreign_key))
        assert answer.status == 404, path
        assert b"acme" not in answer.body
        nobody = post(
            path.replace("acme", "nobody"), [{"title": "x"}], **bearer(foreign_key)
        )
        assert (answer.status, answer.body) == (nobody.status, nobody.body)


def test_documented_resources_are_404_for_another_tenants_key(
    acme, theirs, foreign_key
):
    tried = 0
    for page in pages():
        if "slug" not in page.parameters or "/api/" not in page.route:
            continue
        values = {name: value(page, name, acme, theirs) for name in page.parameters}
        path = address(page, values)
        for method in ("GET", "POST"):
            answer = call(method, path, b"{}", bearer(foreign_key) | JSON)
            assert answer.status in (404, 405), f"{method} {path}: {answer.status}"
            tried += 1
    assert tried >= 14


JSON = {"Content-Type": "application/json"}


def test_objects_of_acme_are_404_inside_charlies_own_tenant(
    acme, globex, theirs, foreign_key, charlie
):
    for path in ("groups/1", f"deliveries/{theirs[Delivery].pk}"):
        full = f"/t/globex/api/v1/{path}"
        assert get(full, **bearer(foreign_key)).status == 404
        assert charlie.get(full).status_code == 404
    assert charlie.get("/t/globex/groups/1").status_code == 404
    wanted = {"act": "resolve", "groups": [str(theirs[Group].pk), str(uuid7())]}
    answer = post("/t/globex/api/v1/acts", wanted, **bearer(foreign_key))
    assert [one["reason"] for one in answer.json["results"]] == ["not_found"] * 2


def test_every_websocket_is_closed_to_an_outsider(acme, globex, charlie):
    routes = websocket_application.inner.routes
    known = [r"^ws/(?P<slug>[a-z0-9-]+)/$", ""]  # the last one refuses everybody
    assert [str(route.pattern) for route in routes] == known

    session = session_of(globex.user("charlie"))

    async def knock(path: str) -> tuple[bool, int | None]:
        return await Screen(path, session, f"https://{HOST}").open()

    accepted, code = asyncio.run(knock("/ws/acme/"))
    nobody, same = asyncio.run(knock("/ws/nobody/"))
    assert (accepted, nobody) == (False, False)
    assert code == same
