"""Does an explanation say which service is in trouble, and how urgent that is?"""

from __future__ import annotations

import pytest

from alertcenter.alerts import weighing
from alertcenter.alerts.priority import LARGE
from alertcenter.alerts.service_graph import set_needs
from alertcenter.alerts.services import ServiceBook
from escalation.explain import links, stored, words
from escalation.explain.trace import Trace
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.alerts.test_services import make
from tests.escalation.test_explain import UTC_ZONE, engine
from tests.escalation.test_explain_pasted import tried

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_services(monkeypatch):
    """No test knows the services of another."""
    monkeypatch.setattr(weighing, "_services", ServiceBook())


def told(trace: Trace) -> list[str]:
    lines = trace.of("priority")
    return [words.say(line, UTC_ZONE) for line in lines if not line.aside]


def of_newest(scene) -> Trace:
    with in_tenant(scene.id):
        return stored.of_group(scene.group())


def test_a_group_names_its_service_who_answers_and_each_reason_for_its_priority(
    scene, send
):
    with in_tenant(scene.id):
        db = make(scene.acme, "db", tier=1, team="Storage")
        make(scene.acme, "minor", tier=4)
    events = [fire(0, service="db", severity="warning", n=str(n)) for n in range(LARGE)]
    send.prometheus(scene.id, *events)
    engine()
    trace = of_newest(scene)
    assert told(trace) == [
        "It troubles service Db, for which Storage answers.",
        "Its priority is P2.",
        "Severity warning: begins at P4.",
        "The service is vital: one more urgent.",
        f"{LARGE} alerts or more fire: one more urgent.",
    ]
    link = trace.of("priority")[0].link
    assert str(db.pk) in links.url_of(link, "acme", staff=True)
    assert links.url_of(link, "acme", staff=False) == ""


def test_without_a_service_the_severity_is_the_reason(scene, send):
    send.prometheus(scene.id, fire(0, severity="critical"))
    engine()
    assert told(of_newest(scene)) == [
        "Its priority is P2.",
        "Severity critical: begins at P2.",
    ]


def test_a_pasted_alert_is_told_its_service_and_what_needs_it(scene, send):
    with in_tenant(scene.id):
        db, shop = make(scene.acme, "db"), make(scene.acme, "shop", tier=4)
        set_needs(scene.id, shop.pk, [db.pk])
    send.prometheus(scene.id, fire(0, service="shop"))
    engine()
    assert told(tried(scene, "alertname=Full\nservice=db\nseverity=error")) == [
        "It troubles service Db.",
        "Its priority is P2.",
        "Severity error: begins at P3.",
        "Services in trouble that need it: 1; one more urgent.",
    ]
    assert "The service is minor: one less urgent." in told(
        tried(scene, "alertname=Full\nservice=shop\nseverity=info")
    )
