"""Do silences begin, end, remind and go when their time comes, with nobody's help?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import DataError, connection
from django.db.models import F

from alertcenter import engine
from alertcenter.alerts import requiet, silence_sweep
from alertcenter.alerts.models import Silence, Transition
from alertcenter.alerts.silences import KEPT, draft_of
from notifications import delivery
from notifications.models import Channel, Contact, Delivery, SimulatedMessage
from notifications.models.personal import PersonalStep, QuietHours
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.hush import (
    again,
    alert,
    draft,
    ended,
    expire,
    fire,
    marked,
    moment,
    quiet,
    routed,
    save,
    states,
)
from tests.conftest import login_as
from tests.fakes.slack import FakeSlack

pytestmark = pytest.mark.django_db(transaction=True)


def sweep() -> int:
    """Do what the engine does each second, with its login."""
    connection.close()
    with login_as("engine"):
        return engine.sweep_silences()


def end_gone() -> int:
    connection.close()
    with login_as("engine"):
        return silence_sweep.end_gone()


def pass_time(row: Silence, seconds: float) -> Silence:
    """Let it look as if so much time had passed."""
    by = timedelta(seconds=seconds)
    names = ("starts_at", "ends_at", "next_change_at")
    with in_tenant(row.tenant_id):
        Silence.objects.filter(pk=row.pk).update(
            **{name: F(name) - by for name in names}
        )
    return again(row)


def made(cast, **values: Any) -> Silence:
    """A row that did not come by the door, as an import might write it."""
    given = {
        "matchers": ['alertname="DiskFull"'],
        "starts_at": moment(-10),
        "ends_at": moment(60),
    } | values
    with in_tenant(cast.id):
        return Silence.objects.create(tenant_id=cast.id, **given)


def test_a_pending_one_begins_and_an_active_one_ends_by_itself(acme, send):
    routed(acme)
    fire(acme, send, alert())
    row = save(acme, draft(starts_at=moment(10)))
    assert sweep() == 0
    row = pass_time(row, 600)
    assert sweep() == 1
    assert quiet(acme) == ["DiskFull"]
    assert again(row).in_force
    assert again(row).next_change_at == row.ends_at
    pass_time(row, 3600)
    assert sweep() == 1
    assert quiet(acme) == []
    assert not again(row).in_force
    assert sweep() == 0
    with in_tenant(acme.id):
        kinds = list(
            Transition.objects.exclude(group_id=None)
            .order_by("id")
            .values_list("kind", flat=True)
        )
    assert kinds == ["opened", "silenced", "heard"]


def test_one_that_was_written_past_the_door_is_taken_up(acme, send):
    routed(acme)
    fire(acme, send, alert())
    row = made(acme)
    assert sweep() == 1
    assert marked(acme)["DiskFull"] == [row.pk]


def test_one_that_ends_as_another_begins_leaves_no_gap_and_no_mark(acme, send):
    routed(acme)
    fire(acme, send, alert(), alert("Other"))
    same = moment(-1)
    first = made(acme)
    made(acme, matchers=['x="y"'], updated_at=moment(5))  # the newest of all
    sweep()
    second = made(
        acme, matchers=['alertname="Other"'], starts_at=moment(10), updated_at=same
    )
    sweep()
    assert quiet(acme) == ["DiskFull"]
    with in_tenant(acme.id):
        Silence.objects.filter(pk=first.pk).update(
            ends_at=same, next_change_at=same, updated_at=same
        )
        Silence.objects.filter(pk=second.pk).update(starts_at=same, next_change_at=same)
    sweep()
    assert quiet(acme) == ["Other"]


def test_a_recurring_one_comes_and_goes(acme, send):
    routed(acme)
    fire(acme, send, alert())
    row = save(
        acme,
        draft(
            starts_at=moment(-30),
            ends_at=moment(10**5),
            recurrence="FREQ=DAILY",
            duration_seconds=3600,
        ),
    )
    assert quiet(acme) == ["DiskFull"]
    row = pass_time(row, 3600)
    sweep()
    assert (quiet(acme), states([again(row)])) == ([], ["pending"])
    pass_time(row, 23 * 3600)
    sweep()
    assert (quiet(acme), states([again(row)])) == (["DiskFull"], ["active"])


def test_one_that_nobody_can_read_is_left_alone(acme):
    row = made(acme, recurrence="nonsense", duration_seconds=60, matchers=["%%"])
    assert sweep() == 1
    assert not again(row).in_force
    assert sweep() == 0


def test_tenants_are_swept_each_for_itself(acme, globex, send):
    for cast in (acme, globex):
        routed(cast)
        fire(cast, send, alert())
        made(cast)
    assert sweep() == 2
    assert quiet(acme) == quiet(globex) == ["DiskFull"]
    assert marked(acme) != marked(globex)


# --- ends with its alerts ---


def test_it_ends_when_nothing_that_it_muted_fires_any_more(acme, send):
    routed(acme)
    fire(acme, send, alert(instance="1"), alert(instance="2"))
    row = save(acme, draft(until_gone=True))
    assert end_gone() == 0
    fire(acme, send, ended(instance="1"))
    assert end_gone() == 0
    fire(acme, send, ended(instance="2"))
    assert end_gone() == 1
    assert states([again(row)]) == ["expired"]
    fire(acme, send, alert(instance="1", minutes=1))
    assert quiet(acme) == []
    with in_tenant(acme.id):
        told = Audit.objects.get(action="silence.expire")
        assert told.actor_label == "AlertCenter"


def test_it_waits_for_its_first_alert(acme, send):
    routed(acme)
    row = save(acme, draft(until_gone=True))
    assert end_gone() == 0
    fire(acme, send, alert())
    assert end_gone() == 0
    assert again(row).muted_at is not None
    fire(acme, send, ended())
    assert end_gone() == 1


def test_others_do_not_end_with_their_alerts(acme, send):
    routed(acme)
    fire(acme, send, alert())
    row = save(acme, draft())
    fire(acme, send, ended())
    assert end_gone() == 0
    assert states([again(row)]) == ["active"]


# --- reminders ---


def deliveries(cast) -> list[Delivery]:
    with in_tenant(cast.id):
        return list(Delivery.objects.order_by("id"))


@pytest.fixture
def mailbox(acme):
    with in_tenant(acme.id):
        Contact.objects.create(
            tenant_id=acme.id,
            member=acme.members["bob"],
            kind="email",
            address="bob@acme.example",
        )
    return acme


def test_its_owner_is_reminded_once_before_it_ends(mailbox, settings):
    settings.SIMULATION = True
    row = save(mailbox, draft(comment="new disks", remind_seconds=900))
    assert sweep() == 0
    row = pass_time(row, 50 * 60)
    assert sweep() == 1
    assert sweep() == 0
    (one,) = deliveries(mailbox)
    assert (one.address, one.kind, one.severity) == ("bob@acme.example", "page", 2)
    assert "new disks" in one.message["title"]
    assert again(row).in_force
    connection.close()
    with login_as("engine"):
        delivery.deliver_due(10)
    with in_tenant(mailbox.id):
        letter = SimulatedMessage.objects.get()
    assert letter.payload["subject"].startswith("The silence “new disks” ends at ")
    told = letter.payload["text"]
    assert 'alertname="DiskFull"' in told
    assert "let the silence hold longer" in told
    assert "#0" not in told
    assert "firing" not in told
    pass_time(row, 15 * 60)
    assert sweep() == 1
    assert len(deliveries(mailbox)) == 1


def test_its_owner_is_reminded_on_slack_too(acme):
    with FakeSlack() as slack:
        with in_tenant(acme.id):
            Channel.objects.create(
                tenant_id=acme.id,
                kind="slack",
                slug="ops",
                name="#ops",
                settings={"channel": "C1", "team_id": "T1", "api_url": slack.url},
                secret=json.dumps({"bot_token": "xoxb-test"}),
            )
            Contact.objects.create(
                tenant_id=acme.id,
                member=acme.members["bob"],
                kind="slack",
                address="U-bob",
            )
        row = save(acme, draft(comment="new disks", remind_seconds=900))
        pass_time(row, 50 * 60)
        sweep()
        connection.close()
        with login_as("engine"):
            delivery.deliver_due(10)
        (message,) = slack.messages
    assert message.channel == "U-bob"
    assert "new disks" in message.text
    assert "#0" not in str(message.json)
    assert "let the silence hold longer" in str(message.json)
    assert "firing" not in str(message.json)
    assert [one.state for one in deliveries(acme)] == ["sent"]


def test_its_owner_is_reminded_as_the_owner_wants_to_be_told(mailbox):
    """By the chain's first step alone: nobody answers a reminder."""
    mine = {"tenant_id": mailbox.id, "member": mailbox.members["bob"]}
    with in_tenant(mailbox.id):
        second = Contact.objects.create(**mine, kind="email", address="b@home.example")
        steps: list[dict[str, Any]] = [
            {"kind": "contact", "contact": second},
            {"kind": "wait", "wait_seconds": 60},
            {"kind": "by", "by": "email"},
        ]
        for position, step in enumerate(steps, 1):
            PersonalStep.objects.create(**mine, position=position, **step)
    row = pass_time(save(mailbox, draft(remind_seconds=900)), 50 * 60)
    sweep()
    assert [one.address for one in deliveries(mailbox)] == ["b@home.example"]
    with in_tenant(mailbox.id):
        QuietHours.objects.create(**mine, begins=time(0), ends=time(23, 59, 59, 999999))
    longer = draft_of(again(row))
    save(mailbox, replace(longer, ends_at=moment(14)), silence_id=row.pk)
    sweep()
    assert [one.put_off for one in deliveries(mailbox)] == [False, True]


def test_who_prolongs_it_is_reminded_again(mailbox):
    row = pass_time(save(mailbox, draft(remind_seconds=900)), 50 * 60)
    sweep()
    longer = draft_of(again(row))
    save(
        mailbox,
        replace(longer, ends_at=moment(14)),
        silence_id=row.pk,
    )
    assert again(row).reminded_at is None
    assert sweep() == 1
    assert len(deliveries(mailbox)) == 2


def test_nobody_is_reminded_of_what_ended_or_has_no_owner(mailbox):
    row = save(mailbox, draft(remind_seconds=900))
    expire(mailbox, row.pk)
    nobody = made(mailbox, ends_at=moment(5), remind_seconds=600)
    sweep()
    assert deliveries(mailbox) == []
    assert again(nobody).in_force


@pytest.mark.parametrize("problem", [DataError("no"), KeyError("zone")])
def test_a_reminder_that_fails_does_not_stop_the_others(acme, problem):
    def fail(_row: Silence) -> None:
        raise problem

    made(acme, ends_at=moment(5), remind_seconds=600)
    made(acme)
    with in_tenant(acme.id):
        assert silence_sweep.sweep_tenant(acme.id, fail) == 2
        assert Silence.objects.filter(in_force=True).count() == 2


def test_one_tenant_s_trouble_does_not_keep_the_others_waiting(
    acme, globex, monkeypatch
):
    rows = {cast.id: made(cast) for cast in (acme, globex)}
    usual = requiet.refresh

    def picky(tenant_id, *given):
        if tenant_id == min(rows, key=str):
            raise RuntimeError("poison")
        return usual(tenant_id, *given)

    monkeypatch.setattr(requiet, "refresh", picky)
    assert sweep() == 1
    well = max(rows, key=str)
    assert again(rows[well]).in_force


# --- going ---


def test_an_expired_one_is_kept_for_five_days_and_then_gone(acme):
    row = save(acme, draft())
    expire(acme, row.pk)
    assert again(row).next_change_at == again(row).ends_at + KEPT
    pass_time(row, KEPT.total_seconds() - 60)
    assert sweep() == 0
    pass_time(row, 61)
    assert sweep() == 1
    with in_tenant(acme.id):
        assert not Silence.objects.exists()
