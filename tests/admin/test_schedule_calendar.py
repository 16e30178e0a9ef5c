"""What does the calendar of a schedule show, and how is it changed there?"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from escalation import oncall
from escalation.models import (
    Absence,
    Layer,
    Override,
    Schedule,
    Swap,
    TemporarySchedule,
    TemporaryShift,
)
from tenants.models import Audit
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Monday of the week in which Paris's clocks go back.
OCTOBER = datetime(2026, 10, 19, 7, tzinfo=UTC)


@pytest.fixture
def order(acme) -> Schedule:
    with in_tenant(acme.id):
        return oncall.make(
            acme.id,
            "Ops",
            [acme.members["alice"], acme.members["bob"]],
            time_zone="Europe/Paris",
            starts_on=date(2026, 1, 5),
        )


def page(order: Schedule, **asked: str) -> str:
    address = reverse("admin:escalation_schedule_calendar", args=[order.pk])
    given = {"from": "2026-10-19"} | asked
    return address + "?" + "&".join(f"{key}={value}" for key, value in given.items())


def rows(answer) -> dict[str, list[str]]:
    """Return what each line says: {kind: labels of its bars}."""
    return {
        row.kind: [bar.title.partition(":")[0] for bar in row.bars]
        for row in answer.context["rows"]
    }


def test_a_week_shows_layers_and_who_is_on_call_at_last(alice, order):
    answer = alice.get(page(order))
    assert answer.status_code == 200
    assert rows(answer) == {"layer": ["Alice", "Bob"], "final": ["Alice", "Bob"]}
    text = answer.content.decode()
    assert "<style" not in text
    assert 'style="' not in text
    assert "Somebody is always on call." in text


def test_places_are_written_for_svg_in_every_language(alice, order, acme):
    alice.cookies["django_language"] = "fr"
    text = alice.get(page(order, view="month")).content.decode()
    widths = re.findall(r'width="([^"]*)%"', text)
    assert len(widths) > 40
    assert all(float(width) >= 0 for width in widths)


def test_a_day_on_which_clocks_change_is_longer_and_marked(alice, order):
    answer = alice.get(page(order))
    assert [day["odd"] for day in answer.context["days"]] == [""] * 6 + ["25 h"]
    widths = [float(day["width"].removesuffix("%")) for day in answer.context["days"]]
    assert widths[6] / widths[0] == pytest.approx(25 / 24, rel=1e-3)
    assert b"Sun 25 Oct has 25 hours" in answer.content
    spring = alice.get(page(order, **{"from": "2026-03-23"}))
    assert spring.context["days"][6]["odd"] == "23 h"
    world = alice.get(page(order, zone="utc"))
    assert not any(day["odd"] for day in world.context["days"])


def test_everything_that_changes_a_schedule_has_a_line(alice, order, acme):
    mine = {"tenant_id": acme.id, "schedule": order}
    a, b, v = (acme.members[name] for name in ("alice", "bob", "vera"))
    from_, to = OCTOBER + DAY, OCTOBER + 2 * DAY
    span = {"starts_at": from_, "ends_at": to}
    with in_tenant(acme.id):
        Override.objects.create(**mine, **span, kind="replace", member=v, instead=b)
        Swap.objects.create(**mine, **span, beneficiary=a)
        Absence.objects.create(tenant_id=acme.id, member=a, **span)
        extra = TemporarySchedule.objects.create(
            **mine, starts_at=OCTOBER + 4 * DAY, ends_at=OCTOBER + 5 * DAY
        )
        TemporaryShift.objects.create(
            tenant_id=acme.id,
            temporary=extra,
            member=v,
            starts_at=OCTOBER + 4 * DAY,
            ends_at=OCTOBER + 4 * DAY + HOUR,
        )
    answer = alice.get(page(order, over="shown"))
    found = rows(answer)
    assert found["overrides"] == ["Vera for Bob"]
    assert found["swaps"] == ["who takes over from Alice?"]
    assert found["temporary"] == ["Vera", "temporary schedule"]
    assert found["absent"] == ["Alice"]
    assert found["final"] == ["Alice", "Bob", "Vera", "Bob", "Vera", "Bob"]
    final = answer.context["rows"][-1]
    (gap,) = final.gaps
    assert gap.ends - gap.starts == 23 * 3600 * 1000
    assert b"Nobody is on call for 23 hours" in answer.content


def test_holidays_are_marked(alice, order):
    with in_tenant(order.tenant_id):
        Schedule.objects.filter(pk=order.pk).update(holiday_country="FR")
    answer = alice.get(page(order, view="month", **{"from": "2026-11-01"}))
    marked = [day["number"] for day in answer.context["days"] if day["mark"]]
    assert marked == [1, 11]


def test_neighbours_and_odd_addresses(alice, order):
    answer = alice.get(page(order, view="month", **{"from": "2026-12-17"}))
    assert answer.context["heading"] == "December 2026"
    assert "from=2026-11-01" in answer.context["links"]["before"]
    assert "from=2027-01-01" in answer.context["links"]["after"]
    for odd in ("0001-01-01", "9999-12-31", "x", ""):
        assert alice.get(page(order, view="x", zone="x", **{"from": odd})).status_code


def test_who_is_on_call_at_a_time_of_the_shown_clock(alice, order):
    # The hand-over is at 9 in Paris, which is 8 in Greenwich after the change.
    for zone, at, name in (
        ("schedule", "2026-10-26T08:59", "Bob"),
        ("schedule", "2026-10-26T09:00", "Alice"),
        ("utc", "2026-10-26T07:59", "Bob"),
        ("utc", "2026-10-26T08:00", "Alice"),
    ):
        answer = alice.get(page(order, zone=zone, at=at))
        (one,) = answer.context["answers"]
        assert one["names"] == name, (zone, at)


@pytest.mark.parametrize("where", ["calendar", "change"])
def test_an_hour_that_comes_twice_has_two_answers_with_their_zone(
    alice, order, acme, where
):
    with in_tenant(acme.id):
        Override.objects.create(
            tenant_id=acme.id,
            schedule=order,
            kind="only",
            member=acme.members["alice"],
            starts_at=datetime(2026, 10, 25, 1, tzinfo=UTC),
            ends_at=datetime(2026, 10, 25, 2, tzinfo=UTC),
        )
    address = reverse(f"admin:escalation_schedule_{where}", args=[order.pk])
    answer = alice.get(f"{address}?at=2026-10-25T02:30")
    said = [(one["words"][-10:], one["names"]) for one in answer.context["answers"]]
    assert said == [("02:30 CEST", "Bob"), (" 02:30 CET", "Alice")]
    left_out = alice.get(f"{address}?at=2026-03-29T02:30").context["answers"]
    assert [one["words"][-10:] for one in left_out] == ["03:00 CEST"]


@pytest.mark.parametrize("where", ["calendar", "change"])
def test_a_time_that_cannot_be_read_is_said_and_not_answered(alice, order, where):
    address = reverse(f"admin:escalation_schedule_{where}", args=[order.pk])
    for odd in ("x", "0001-01-01T00:00", "9999-12-31T23:59"):
        answer = alice.get(f"{address}?at={odd}")
        assert answer.context["answers"] == []
        assert "Enter a date and a time." in answer.content.decode()


def test_a_schedules_page_leads_to_where_turns_are_written(alice, order, acme):
    with in_tenant(acme.id):
        Layer.objects.create(
            tenant_id=acme.id, schedule=order, starts_on=date(2026, 1, 5)
        )
        first, second = Layer.objects.filter(schedule=order).order_by("id")
    answer = alice.get(reverse("admin:escalation_schedule_change", args=[order.pk]))
    text = answer.content.decode()
    for layer, words in ((first, "Alice, Bob"), (second, "nobody yet")):
        address = reverse("admin:escalation_layer_change", args=[layer.pk])
        assert f'<a href="{address}">{words}' in text


def test_a_schedules_page_says_when_nobody_is_on_call(alice, order, acme):
    with in_tenant(acme.id):
        Layer.objects.filter(schedule=order).update(
            frequency="daily", lasts_minutes=8 * 60
        )
    answer = alice.get(reverse("admin:escalation_schedule_change", args=[order.pk]))
    named = [bool(turn["names"]) for turn in answer.context["turns"]]
    assert named in ([True, False] * 4, [False, True] * 4)


def test_a_week_over_new_year_names_both_years(alice, order):
    answer = alice.get(page(order, **{"from": "2026-12-30"}))
    assert answer.context["heading"] == "28 Dec 2026 – 3 Jan 2027"


def test_fairness_counts_hours_nights_and_weekends(alice, order):
    answer = alice.get(page(order, view="month"))
    lines = {one["name"]: one for one in answer.context["fairness"]}
    assert set(lines) == {"Alice", "Bob"}
    assert sum(float(one["hours"]) for one in lines.values()) == 90 * 24
    assert float(lines["Alice"]["nights"]) > 300
    assert answer.context["report"].score > 90


def give(**more: str) -> dict[str, str]:
    return {
        "kind": "only",
        "starts_at": "2026-10-25T02:30",
        "ends_at": "2026-10-25T02:30",
        "note": "",
    } | more


def test_an_override_is_written_by_the_shown_clock_and_audited(alice, order, acme):
    vera = acme.members["vera"]
    answer = alice.post(page(order), give(member=str(vera.pk)))
    assert answer.status_code == 302
    with in_tenant(acme.id):
        (row,) = Override.objects.all()
        # From the first 02:30 until the last: the hour that comes twice.
        assert row.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
        assert row.ends_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
        assert oncall.on_call(order, row.starts_at) == [vera]
        (note,) = Audit.objects.filter(action="override.create")
        assert note.data["member"] == str(vera.pk)
    shown = alice.get(answer.url if "/" in answer.url else page(order))
    assert rows(shown)["overrides"] == ["Vera alone"]


def test_an_override_without_its_member_or_backwards_is_refused(alice, order, acme):
    for wrong in (
        give(),
        give(kind="remove", member=str(acme.members["vera"].pk)),
        give(member=str(acme.members["vera"].pk), ends_at="2026-10-24T00:00"),
        give(member=str(acme.members["vera"].pk), starts_at="soon"),
        give(member="00000000-0000-0000-0000-000000000000"),
    ):
        answer = alice.post(page(order), wrong)
        assert answer.status_code == 200
        assert answer.context["form"].errors
    with in_tenant(acme.id):
        assert not Override.objects.exists()


def test_who_may_not_configure_sees_the_calendar_and_changes_nothing(
    alice, bob, vera, charlie, globex, order, acme
):
    given = give(member=str(acme.members["vera"].pk))
    alice.post(page(order), given)
    with in_tenant(acme.id):
        (row,) = Override.objects.all()
    removal = reverse(
        "admin:escalation_schedule_remove_override", args=[order.pk, row.pk]
    )
    for client in (bob, vera):
        shown = client.get(page(order))
        assert shown.status_code == 200
        assert b"data-override" not in shown.content
        assert client.post(page(order), given).status_code == 403
        assert client.post(removal).status_code == 403
    assert charlie.get(page(order)).status_code == 404
    assert charlie.post(page(order), given).status_code == 404
    assert charlie.post(removal).status_code == 404
    with in_tenant(acme.id):
        assert Override.objects.count() == 1


def test_an_override_is_removed_from_the_list(alice, order, acme):
    alice.post(page(order), give(member=str(acme.members["vera"].pk)))
    with in_tenant(acme.id):
        (row,) = Override.objects.all()
    removal = reverse(
        "admin:escalation_schedule_remove_override", args=[order.pk, row.pk]
    )
    answer = alice.post(removal, follow=True)
    assert answer.status_code == 200
    assert alice.post(removal).status_code == 404
    with in_tenant(acme.id):
        assert not Override.objects.exists()
        assert Audit.objects.filter(action="override.delete").count() == 1


def test_an_overrides_own_page_speaks_the_schedules_clock(alice, order, acme):
    page_of = reverse("admin:escalation_override_add")
    vera = acme.members["vera"]
    given = give(
        schedule=str(order.pk), member=str(vera.pk), starts_at="2026-07-01T10:00"
    )
    given |= {"ends_at": "2026-07-01T12:00"}
    assert alice.post(page_of, given).status_code == 302
    with in_tenant(acme.id):
        (row,) = Override.objects.all()
    assert row.starts_at == datetime(2026, 7, 1, 8, tzinfo=UTC)
    change = reverse("admin:escalation_override_change", args=[row.pk])
    shown = alice.get(change).content.decode()
    assert 'value="2026-07-01T10:00"' in shown
    assert (
        alice.post(change, given | {"ends_at": "2026-07-01T13:00"}).status_code == 302
    )
    with in_tenant(acme.id):
        (row,) = Override.objects.all()
    assert row.ends_at == datetime(2026, 7, 1, 11, tzinfo=UTC)


def test_people_of_many_layers_have_lanes_and_the_most_have_a_number(
    alice, order, acme
):
    with in_tenant(acme.id):
        for number in range(14):
            Absence.objects.create(
                tenant_id=acme.id,
                member=acme.members["alice"],
                starts_at=OCTOBER + number * 2 * HOUR,
                ends_at=OCTOBER + number * 2 * HOUR + HOUR,
            )
        layer = Layer.objects.get(schedule=order)
    answer = alice.get(page(order))
    absent = next(row for row in answer.context["rows"] if row.kind == "absent")
    assert (absent.lanes, len(absent.bars)) == (1, 14)
    edit = reverse("admin:escalation_layer_change", args=[layer.pk])
    assert edit in answer.content.decode()


def override_form(order, people, **more):
    return (
        {
            "kind": "replace",
            "starts_at": "2026-10-20T09:00",
            "ends_at": "2026-10-21T09:00",
        }
        | {name: str(member.pk) for name, member in people.items()}
        | more
    )


def said_of(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.mark.parametrize("where", ["calendar", "add"])
def test_an_override_that_changes_nothing_or_leaves_a_gap_says_so(
    alice, order, acme, where
):
    """In the week of 19 October Bob is on call."""
    if where == "calendar":
        address, more = page(order), {}
    else:
        address = reverse("admin:escalation_override_add")
        more = {"schedule": str(order.pk)}
    one, other = acme.members["alice"], acme.members["bob"]
    for given, words in (
        (override_form(order, {"member": other, "instead": one}), "changes nothing"),
        (override_form(order, {"instead": other}, kind="remove"), "This leaves a gap"),
        (override_form(order, {"member": one}, kind="only"), ""),
    ):
        with in_tenant(acme.id):
            Override.objects.all().delete()
        said = said_of(alice.post(address, given | more, follow=True))
        assert words in said
        assert bool(words) == ("nothing" in said or "gap" in said)


def test_nobody_stands_in_for_himself(alice, order, acme):
    one = acme.members["alice"]
    given = override_form(order, {"member": one, "instead": one})
    answer = alice.post(page(order), given)
    assert list(answer.context["form"].errors) == ["instead"]


def test_a_temporary_shift_is_drawn_only_where_it_counts(alice, order, acme):
    begin = datetime(2026, 10, 20, tzinfo=UTC)
    with in_tenant(acme.id):
        one = TemporarySchedule.objects.create(
            tenant_id=acme.id, schedule=order, starts_at=begin, ends_at=begin + DAY
        )
        for starts in (begin - DAY, begin + 2 * DAY):
            TemporaryShift.objects.create(
                tenant_id=acme.id,
                temporary=one,
                member=acme.members["alice"],
                starts_at=starts,
                ends_at=starts + DAY + HOUR,
            )
    drawn = {row.kind: row for row in alice.get(page(order)).context["rows"]}
    shifts = [bar for bar in drawn["temporary"].bars if bar.person]
    assert [(bar.starts, bar.ends) for bar in shifts] == [
        (begin.timestamp() * 1000, (begin + HOUR).timestamp() * 1000)
    ]
