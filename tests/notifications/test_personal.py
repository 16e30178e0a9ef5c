"""When and by what is a person told? Chains, severities, quiet hours, time zones."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from notifications import personal
from notifications.models import Contact, PersonalRule, PersonalStep, QuietHours
from notifications.models.personal import every_day
from notifications.personal import Call, Person
from tenants.models import Member
from tenants.rls import in_tenant

SLACK, SMS, MAIL = uuid4(), uuid4(), uuid4()
APP = uuid4()
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
ADDRESSES = (
    (SLACK, ("slack", APP, "U-bob")),
    (SMS, ("sms", None, "+4912345")),
    (MAIL, ("email", None, "bob@acme.example")),
)


def by(contact: UUID, important: bool = False) -> PersonalStep:
    return PersonalStep(kind="contact", contact_id=contact, important=important)


def wait(seconds: int, important: bool = False) -> PersonalStep:
    return PersonalStep(kind="wait", wait_seconds=seconds, important=important)


def nights(**changes) -> QuietHours:
    given = {"days": every_day(), "begins": time(22), "ends": time(7)}
    return QuietHours(**given | changes)


CHAIN = (by(SLACK), wait(300), by(SMS), wait(300), by(MAIL))


def who(**changes) -> Person:
    return Person(**{"addresses": ADDRESSES, "steps": CHAIN} | changes)


def short(calls: list[Call]) -> list[tuple[str, int]]:
    return [(call.kind, call.seconds) for call in calls]


def planned(person: Person, severity: int = 3, at: datetime = AT, **given):
    return short(personal.plan(person, severity=severity, at=at, **given))


# --- chains ---


def test_the_steps_follow_each_other_after_their_waits():
    assert planned(who()) == [("slack", 0), ("sms", 300), ("email", 600)]


def test_without_steps_all_contacts_are_called_at_once():
    assert planned(who(steps=())) == [("slack", 0), ("sms", 0), ("email", 0)]


def test_steps_that_reach_nobody_are_as_good_as_none():
    lost = who(steps=(wait(300), by(uuid4())))
    assert planned(lost) == [("slack", 0), ("sms", 0), ("email", 0)]


def test_a_step_by_kind_calls_all_contacts_of_the_kind():
    two = (*ADDRESSES, (uuid4(), ("sms", None, "+4998765")))
    step = PersonalStep(kind="by", by="sms")
    calls = personal.plan(who(addresses=two, steps=(step,)), severity=3, at=AT)
    assert [call.address for call in calls] == ["+4912345", "+4998765"]


def test_what_is_severe_takes_the_important_steps():
    both = who(steps=(*CHAIN, by(SMS, True), by(SLACK, True)), important_from=4)
    assert planned(both, 3) == [("slack", 0), ("sms", 300), ("email", 600)]
    assert planned(both, 4) == [("sms", 0), ("slack", 0)]
    assert planned(both, 5) == [("sms", 0), ("slack", 0)]


def test_without_important_steps_the_default_ones_are_taken():
    assert planned(who(), 5) == planned(who(), 1)


def test_the_same_contact_may_be_called_again_later_but_not_twice_at_once():
    steps = (by(SMS), by(SMS), wait(60), by(SMS))
    calls = personal.plan(who(steps=steps), severity=3, at=AT)
    assert [(c.seconds, c.step) for c in calls] == [(0, 1), (60, 4)]


# --- quiet hours ---

NIGHT = datetime(2026, 11, 21, 23, tzinfo=UTC)


def test_the_chain_waits_until_the_quiet_hours_are_over():
    held = who(hours=(nights(),))
    late = 8 * 3600
    assert planned(held, 3, NIGHT) == [
        ("slack", late),
        ("sms", late + 300),
        ("email", late + 600),
    ]


def test_a_step_that_would_fall_into_the_night_waits_for_the_morning():
    held = who(hours=(nights(),))
    evening = datetime(2026, 11, 21, 21, 57, tzinfo=UTC)
    morning = 9 * 3600 + 180
    assert planned(held, 3, evening) == [
        ("slack", 0),
        ("sms", morning),
        ("email", morning + 300),
    ]


def test_what_is_severe_enough_breaks_the_quiet():
    held = who(hours=(nights(),), quiet_below=4)
    assert planned(held, 4, NIGHT)[0] == ("slack", 0)
    assert planned(held, 3, NIGHT)[0] == ("slack", 8 * 3600)


def test_nothing_but_one_mail_is_sent_in_the_night():
    mailed = who(hours=(nights(),), quiet_how="mail")
    assert planned(mailed, 3, NIGHT) == [("email", 0)]


def test_who_has_no_mailbox_is_called_in_the_morning_and_not_never():
    mailed = who(addresses=ADDRESSES[:1], steps=(), hours=(nights(),), quiet_how="mail")
    assert planned(mailed, 3, NIGHT) == [("slack", 8 * 3600)]


def test_quiet_hours_hold_on_their_days_and_end_on_the_next():
    saturday = who(hours=(nights(days=["sat"]),))
    assert planned(saturday, 3, NIGHT)[0] == ("slack", 8 * 3600)
    assert planned(saturday, 3, NIGHT + timedelta(hours=4))[0] == ("slack", 4 * 3600)
    assert planned(saturday, 3, NIGHT + timedelta(days=1))[0] == ("slack", 0)


def test_quiet_hours_that_touch_are_one():
    weekend = nights(days=["sat", "sun"], begins=time(0), ends=time(0))
    person = who(hours=(weekend, nights()))
    over = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert personal.end_of_quiet(person, NIGHT) == over


def test_quiet_hours_without_end_leave_a_mail():
    always = nights(begins=time(0), ends=time(0))
    assert personal.end_of_quiet(who(hours=(always,)), NIGHT) is None
    assert planned(who(hours=(always,)), 3, NIGHT) == [("email", 0)]
    nobody = who(addresses=ADDRESSES[:1], steps=(), hours=(always,))
    assert planned(nobody, 3, NIGHT) == []


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2026, 3, 28), 8), (datetime(2026, 10, 24), 10)]
)
def test_the_night_in_which_the_clocks_change_ends_by_the_clock(day, hours):
    zone = ZoneInfo("Europe/Berlin")
    person = who(hours=(nights(),), zone=zone)
    begin = day.replace(hour=22, tzinfo=zone).astimezone(UTC)
    over = personal.end_of_quiet(person, begin)
    assert over == begin + timedelta(hours=hours)
    assert over.astimezone(zone).hour == 7


# --- as it is stored ---


@pytest.mark.django_db
def test_a_stored_member_is_told_by_his_own_rules_in_his_zone(acme):
    bob = acme.members["bob"]
    mine = {"tenant_id": acme.id, "member": bob}
    with in_tenant(acme.id):
        Member.objects.filter(pk=bob.pk).update(time_zone="Asia/Tokyo")
        first = Contact.objects.create(**mine, kind="email", address="a@acme.example")
        Contact.objects.create(**mine, kind="email", address="b@acme.example")
        PersonalStep.objects.create(
            **mine, kind="contact", contact=first, important=True
        )
        PersonalRule.objects.create(**mine, important_from=4, quiet_below=2)
        QuietHours.objects.create(**mine)
        told = {
            severity: [
                (call.address, call.seconds)
                for call in personal.calls_for(
                    acme.id, bob.pk, severity=severity, at=AT + timedelta(hours=1)
                )
            ]
            for severity in (1, 3, 4)
        }
    assert told[4] == [("a@acme.example", 0)]
    assert told[3] == [("a@acme.example", 0), ("b@acme.example", 0)]
    assert {seconds for _address, seconds in told[1]} == {9 * 3600}


@pytest.mark.django_db
def test_who_has_no_contact_is_told_in_the_mailbox_he_logs_in_with(acme):
    bob = acme.members["bob"]
    with in_tenant(acme.id):
        calls = personal.calls_for(acme.id, bob.pk, severity=3, at=AT)
        assert [call[:3] for call in calls] == [("email", None, "bob@acme.example")]
        Member.objects.filter(pk=bob.pk).update(active=False)
        assert personal.calls_for(acme.id, bob.pk, severity=3, at=AT) == []
