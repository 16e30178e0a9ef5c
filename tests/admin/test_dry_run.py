"""A policy is tried from its page: begun, watched, stopped; by who may configure."""

from __future__ import annotations

import pytest
from django.urls import reverse

from alertcenter.common.buckets import Buckets
from escalation import dry_run
from escalation.admin import dry_run as pages
from escalation.models import DryRun, Policy, Step
from notifications.models import Contact, Delivery, SimulatedMessage
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_limit(monkeypatch):
    monkeypatch.setattr(pages, "RUNS", Buckets(rate=100, burst=100))


@pytest.fixture
def policy(acme) -> Policy:
    with in_tenant(acme.id):
        bob = acme.members["bob"]
        Contact.objects.create(
            tenant_id=acme.id, member=bob, kind="email", address="bob@acme.test"
        )
        found = Policy.objects.create(tenant_id=acme.id, name="Try <me>")
        for position, given in enumerate(
            ({"kind": "member", "member": bob}, {"kind": "wait", "wait_seconds": 3600}),
            1,
        ):
            Step.objects.create(
                tenant_id=acme.id, policy=found, position=position, **given
            )
        Step.objects.create(
            tenant_id=acme.id, policy=found, position=3, kind="member", member=bob
        )
        return found


def address(name: str, policy: Policy) -> str:
    return reverse(f"admin:escalation_policy_{name}", args=[policy.pk])


def test_it_is_begun_from_the_timeline_and_shows_what_has_come(alice, acme, policy):
    page = alice.get(address("change", policy)).content.decode()
    assert address("dry_run", policy) in page
    answer = alice.post(address("dry_run", policy), {"severity": "4"}, follow=True)
    shown = answer.content.decode()
    assert "A supposed group; nobody is told." in shown
    assert "Notify Bob." in shown
    assert "[DRY RUN]" in shown
    assert "Stop" in shown
    assert "Try &lt;me&gt;" in shown
    with in_tenant(acme.id):
        run = DryRun.objects.get()
        assert (run.severity, run.by) == (4, "Alice")
        assert SimulatedMessage.objects.count() == 2
        assert not Delivery.objects.exists()
    assert "Next:" in shown
    assert shown.count("[DRY RUN]") == 1


def test_the_part_that_a_script_asks_for_is_a_part(alice, policy):
    answer = alice.post(address("dry_run", policy), follow=True)
    run = answer.context["run"]
    part = alice.get(address("dry_run_watch", policy), {"run": run.pk, "part": "1"})
    assert part.status_code == 200
    assert b"<html" not in part.content
    assert b"data-over" in part.content


def test_conditions_say_whether_they_hold(alice, acme):
    with in_tenant(acme.id):
        policy = Policy.objects.create(tenant_id=acme.id, name="Conditions")
        for position, severity in enumerate((3, 5), 1):
            Step.objects.create(
                tenant_id=acme.id,
                policy=policy,
                position=position,
                kind="if_severity",
                params={"severity": severity, "otherwise": "stop"},
            )
    answer = alice.post(address("dry_run", policy), {"severity": "4"}, follow=True)
    first, second = answer.context["lines"]
    assert first["remark"] == "It holds."
    assert second["remark"].startswith("Ends")
    assert "Then the policy is at its end." in answer.content.decode()


def test_it_is_stopped(alice, acme, policy):
    run = alice.post(address("dry_run", policy), follow=True).context["run"]
    answer = alice.post(
        address("dry_run_stop", policy), {"run": str(run.pk)}, follow=True
    )
    assert "stopped" in answer.content.decode()
    with in_tenant(acme.id):
        assert dry_run.messages(run).count() == 1


def test_who_may_not_configure_may_look_and_no_more(alice, vera, policy):
    run = alice.post(address("dry_run", policy), follow=True).context["run"]
    assert vera.post(address("dry_run", policy)).status_code == 403
    stop = vera.post(address("dry_run_stop", policy), {"run": str(run.pk)})
    assert stop.status_code == 403
    seen = vera.get(address("dry_run_watch", policy), {"run": run.pk})
    assert seen.status_code == 200
    assert address("dry_run_stop", policy) not in seen.content.decode()


def test_others_find_none_of_it(alice, charlie, acme, globex, policy):
    run = alice.post(address("dry_run", policy), follow=True).context["run"]
    for name in ("dry_run", "dry_run_stop"):
        answer = charlie.post(address(name, policy), {"run": str(run.pk)})
        assert answer.status_code == 404
    seen = charlie.get(address("dry_run_watch", policy), {"run": run.pk})
    assert seen.status_code == 404
    with in_tenant(acme.id):
        assert DryRun.objects.get().stopped_at is None


def test_a_walk_is_looked_at_below_its_own_policy_only(alice, acme, policy):
    run = alice.post(address("dry_run", policy), follow=True).context["run"]
    with in_tenant(acme.id):
        other = Policy.objects.create(tenant_id=acme.id, name="Other")
    for text in (str(run.pk), "x", ""):
        seen = alice.get(address("dry_run_watch", other), {"run": text})
        assert seen.status_code == 404


def test_many_in_a_row_are_refused(alice, acme, policy, monkeypatch):
    monkeypatch.setattr(pages, "RUNS", Buckets(rate=0.001, burst=1))
    alice.post(address("dry_run", policy))
    answer = alice.post(address("dry_run", policy), follow=True)
    assert "Please wait" in answer.content.decode()
    with in_tenant(acme.id):
        assert DryRun.objects.count() == 1
