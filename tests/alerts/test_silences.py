"""What do people's acts on silences do, and what is refused?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alertcenter.alerts import silence_drafts, silence_preview, silences
from alertcenter.alerts.models import Episode, Group, Route, Silence
from alertcenter.alerts.silences import SilenceError, draft_of
from alertcenter.common.ids import uuid7
from tenants.actors import KEY, Actor
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.hush import (
    again,
    alert,
    draft,
    expire,
    fire,
    marked,
    moment,
    quiet,
    routed,
    save,
    states,
)

pytestmark = pytest.mark.django_db(transaction=True)


def refused(cast, wanted, **more) -> SilenceError:
    with pytest.raises(SilenceError) as raised:
        save(cast, wanted, **more)
    assert str(raised.value.message).endswith((".", "?"))
    return raised.value


def changed(row: Silence, **values: Any) -> silence_drafts.Draft:
    """The silence as it stands, asked for with other values."""
    return replace(draft_of(again(row)), **values)


# --- what it mutes ---


def test_a_silence_mutes_at_once_what_fires_and_what_comes(acme, send):
    routed(acme)
    fire(acme, send, alert(instance="1"), alert("Other"))
    row = save(acme, draft())
    assert quiet(acme) == ["DiskFull,1"]
    fire(acme, send, alert(instance="2"))
    assert quiet(acme) == ["DiskFull,1", "DiskFull,2"]
    assert marked(acme)["DiskFull,1"] == [row.pk]


def test_what_ends_is_heard_again_at_once(acme, send):
    routed(acme)
    fire(acme, send, alert())
    row = save(acme, draft())
    assert quiet(acme) == ["DiskFull"]
    expire(acme, row.pk)
    assert quiet(acme) == []
    with in_tenant(acme.id):
        assert Group.objects.get().quiet_count == 0


def test_one_that_begins_later_mutes_nothing_yet(acme, send):
    routed(acme)
    fire(acme, send, alert())
    row = save(acme, draft(starts_at=moment(10)))
    assert quiet(acme) == []
    assert states([row]) == ["pending"]
    assert (row.in_force, row.next_change_at) == (False, row.starts_at)


def test_one_for_a_route_or_a_group_mutes_there_alone(acme, send):
    route = routed(acme)
    with in_tenant(acme.id):
        other = Route.objects.create(
            tenant_id=acme.id, name="other", matchers=['team="x"'], group_by=["team"]
        )
    fire(acme, send, alert(), alert("DiskFull", team="x"), alert("Two"))
    here = save(acme, draft(route_id=route.pk))
    assert marked(acme)["DiskFull"] == [here.pk]
    assert marked(acme)["DiskFull,x"] == []
    with in_tenant(acme.id):
        group = Group.objects.get(route_id=other.pk)
    there = save(acme, draft('alertname=~".+"', group_id=group.pk))
    assert marked(acme)["DiskFull,x"] == [there.pk]
    assert marked(acme)["Two"] == []


# --- states and updates, as Alertmanager has them ---


def test_a_start_in_the_past_is_now(acme):
    row = save(acme, draft(starts_at=moment(-30)))
    assert abs(row.starts_at - moment()) < timedelta(seconds=5)
    assert states([row]) == ["active"]


def test_an_active_one_is_prolonged_in_place(acme):
    row = save(acme, draft())
    same = save(
        acme, changed(row, ends_at=moment(120), comment="more"), silence_id=row.pk
    )
    assert same.pk == row.pk
    assert (again(row).comment, again(row).ends_at) == ("more", same.ends_at)
    assert again(row).updated_at > row.updated_at


@pytest.mark.parametrize(
    "other",
    [
        {"matchers": ['alertname="Other"']},
        {"matchers": ['b="2"', 'a="1"']},  # the order counts upstream too
        {"starts_at": None},
        {"starts_at": "later"},
    ],
)
def test_else_an_active_one_ends_and_another_takes_its_place(acme, other):
    row = save(acme, draft('a="1"', 'b="2"'))
    if "starts_at" in other:
        # A second later, for starts are compared by the second.
        other = {"starts_at": moment(5)}
    new = save(acme, changed(row, **other), silence_id=row.pk)
    assert new.pk != row.pk
    assert states([again(row)]) == ["expired"]
    assert states([new])[0] in ("active", "pending")


def test_a_pending_one_moves_in_place_but_not_into_the_past(acme):
    row = save(acme, draft(starts_at=moment(10)))
    same = save(acme, changed(row, starts_at=moment(5)), silence_id=row.pk)
    assert same.pk == row.pk
    other = save(acme, changed(row, starts_at=moment(-5)), silence_id=row.pk)
    assert other.pk != row.pk
    old = again(row)
    assert old.starts_at == old.ends_at
    assert states([old, other]) == ["expired", "active"]


def test_an_expired_one_stays_and_another_takes_its_place(acme):
    row = expire(acme, save(acme, draft()).pk)
    new = save(acme, changed(row, ends_at=moment(60)), silence_id=row.pk)
    assert new.pk != row.pk
    assert again(row).ends_at == row.ends_at


def test_expiring_twice_is_expiring_once(acme):
    row = save(acme, draft())
    first = expire(acme, row.pk)
    second = expire(acme, row.pk)
    assert first.ends_at == second.ends_at
    with in_tenant(acme.id):
        assert Audit.objects.filter(action="silence.expire").count() == 1


def test_a_pending_one_that_is_expired_never_was(acme):
    row = expire(acme, save(acme, draft(starts_at=moment(10))).pk)
    assert row.starts_at == row.ends_at <= moment()


def test_unknown_ids_and_those_of_others_are_not_found(acme, globex):
    theirs = save(acme, draft())
    nobody = Actor(KEY, "k", "key")
    for pk in (uuid7(), theirs.pk):
        for act in (
            lambda pk=pk: silences.save(
                globex.id, draft(), actor=nobody, silence_id=pk
            ),
            lambda pk=pk: silences.expire(globex.id, pk, actor=nobody),
        ):
            with in_tenant(globex.id), pytest.raises(SilenceError) as raised:
                act()
            assert raised.value.code == "not_found"
    assert states([again(theirs)]) == ["active"]


def test_acts_are_audited_and_its_maker_and_owner_named(acme):
    row = save(acme, draft())
    assert (row.created_by, row.owner_id) == ("Bob", acme.members["bob"].pk)
    save(acme, changed(row, ends_at=moment(90)), silence_id=row.pk)
    expire(acme, row.pk)
    with in_tenant(acme.id):
        told = Audit.objects.filter(object_id=str(row.pk)).order_by("id")
        assert [(a.action, a.actor_label) for a in told] == [
            ("silence.create", "Bob"),
            ("silence.change", "Bob"),
            ("silence.expire", "Bob"),
        ]
        by_key = silences.save(
            acme.id, draft(created_by="alice@x"), actor=Actor(KEY, "k", "karma")
        )
    assert (by_key.created_by, by_key.owner_id) == ("alice@x", None)


# --- recurrence ---


def test_a_recurring_one_holds_in_its_occurrences_only(acme, send):
    routed(acme)
    fire(acme, send, alert())
    begin = moment(-2 * 24 * 60 - 10)
    recurring = {
        "recurrence": "FREQ=DAILY",
        "time_zone": "UTC",
        "ends_at": moment(30 * 24 * 60),
    }
    row = save(acme, draft(starts_at=begin, duration_seconds=3600, **recurring))
    assert row.starts_at == begin
    assert (row.in_force, states([row])) == (True, ["active"])
    assert quiet(acme) == ["DiskFull"]
    short = save(acme, draft(starts_at=begin, duration_seconds=60, **recurring))
    assert (short.in_force, states([short])) == (False, ["pending"])
    assert short.next_change_at is not None
    assert timedelta(hours=23) < short.next_change_at - moment() < timedelta(hours=24)
    assert marked(acme)["DiskFull"] == [row.pk]


def test_a_recurring_one_keeps_its_zone_and_is_refused_without_sense(acme):
    begin = moment(60).replace(tzinfo=ZoneInfo("Europe/Paris"))
    fields = {"starts_at": begin, "ends_at": moment(10**5), "time_zone": "Europe/Paris"}
    row = save(acme, draft(recurrence="FREQ=WEEKLY", duration_seconds=3600, **fields))
    assert row.time_zone == "Europe/Paris"
    for recurrence, seconds in (
        ("FREQ=SECONDLY", 60),
        ("FREQ=DAILY;COUNT=100000000", 60),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", 60),
        ("FREQ=DAILY", None),
        ("FREQ=DAILY", 10**9),
        ("%(nonsense)s", 60),
        ("\0", 60),
    ):
        wanted = draft(recurrence=recurrence, duration_seconds=seconds, **fields)
        assert refused(acme, wanted).code == "recurrence"
    wanted = draft(
        recurrence="FREQ=DAILY", duration_seconds=60, until_gone=True, **fields
    )
    assert refused(acme, wanted).code == "until_gone"


# --- what is refused ---


@pytest.mark.parametrize(
    ("matchers", "code"),
    [
        ([], "matchers"),
        (['a=""'], "empty"),
        (['a=~".*"'], "empty"),
        (['a!="b"'], "empty"),
        (['a=~".*"', 'b!~"c+"'], "empty"),
        (['a=~"(?=x)"'], "matcher"),
        (['a=~"(x)\\\\1"'], "matcher"),
        (['a=~"("'], "matcher"),
        (["nonsense"], "matcher"),
        (['a="\0"'], "matcher"),
        (['a=~"' + "x" * 2000 + '"'], "matcher"),
        (['a="1"'] * 51, "long"),
        (['a="' + "x" * 20_000 + '"'], "long"),
    ],
)
def test_conditions_that_are_none_or_match_everything_are_refused(acme, matchers, code):
    wanted = silence_drafts.Draft(matchers, moment(60))
    assert refused(acme, wanted).code == code


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"ends_at": moment(-1), "starts_at": moment(-2)}, "past"),
        ({"starts_at": moment(10), "ends_at": moment(5)}, "order"),
        ({"comment": "x" * 10_001}, "long"),
        ({"created_by": "x" * 201}, "long"),
        ({"annotations": {"a": "x" * 20_000}}, "long"),
        ({"kind": "sleep"}, "long"),
        ({"remind_seconds": 10**9}, "long"),
        ({"route_id": uuid7()}, "scope"),
        ({"group_id": uuid7()}, "scope"),
        ({"owner_id": uuid7()}, "owner"),
    ],
)
def test_what_is_too_long_or_not_there_is_refused(acme, values, code):
    assert refused(acme, draft(**values)).code == code


def test_words_are_kept_as_they_can_be_stored(acme):
    row = save(acme, draft(comment="why\0 not \ud800", annotations={"a\0": "b\0"}))
    assert row.comment == "why not \ufffd"
    assert again(row).annotations == {"a": "b"}


def test_there_may_be_so_many_and_not_more(acme, monkeypatch):
    monkeypatch.setattr(silences, "MOST_UNEXPIRED", 2)
    first = save(acme, draft())
    save(acme, draft())
    assert refused(acme, draft()).code == "many"
    save(acme, changed(first, matchers=['a="b"']), silence_id=first.pk)
    expire(acme, first.pk)
    assert refused(acme, draft()).code == "many"


# --- the second look ---


def test_one_that_mutes_over_half_of_what_is_open_needs_a_second_look(acme, send):
    routed(acme)
    fire(
        acme,
        send,
        *[alert(instance=str(n), half="a" if n < 5 else "b") for n in range(9)],
    )
    error = refused(acme, draft())
    assert (error.code, error.data) == ("broad", {"muted": 9, "open": 9})
    assert refused(acme, draft('half="a"')).code == "broad"
    save(acme, draft('half="b"'))
    row = save(acme, draft(), confirm=True)
    longer = save(acme, changed(row, ends_at=moment(600)), silence_id=row.pk)
    assert longer.pk == row.pk
    wider = changed(row, matchers=['alertname=~".+"'])
    assert refused(acme, wider, silence_id=row.pk).code == "broad"
    assert states([again(row)]) == ["active"]


def test_few_alerts_need_no_second_look(acme, send):
    routed(acme)
    fire(acme, send, *[alert(instance=str(n)) for n in range(4)])
    save(acme, draft())


# --- the preview ---


def test_the_preview_counts_what_it_mutes_now_and_would_have_in_a_week(acme, send):
    routed(acme)
    firing = [alert(instance=str(n), severity="critical") for n in range(3)]
    past = [
        alert("DiskFull", minutes=-90, instance=f"old{n}")
        | {"endsAt": moment(-80).isoformat()}
        for n in range(4)
    ]
    fire(acme, send, *firing, *past, alert("Other"))
    with in_tenant(acme.id):
        found = silence_preview.preview(acme.id, ['alertname="DiskFull"'])
        grave = silence_preview.preview(
            acme.id, ['severity="critical"', 'alertname=~"Disk.*"']
        )
        none = silence_preview.preview(acme.id, ['alertname="Nope"'])
    assert (found.now.muted, found.now.open, found.now.cut) == (3, 4, False)
    assert found.now.share == pytest.approx(0.75)
    assert {one.labels["instance"] for one in found.now.examples} == {"0", "1", "2"}
    assert grave.now.muted == 3
    assert grave.week == 3
    assert (none.now.muted, none.week, none.now.share) == (0, 0, 0)
    with in_tenant(acme.id):  # with those that are over
        assert found.week == Episode.objects.count() - 1


def test_a_long_look_is_cut_and_says_at_least(acme, send, monkeypatch):
    monkeypatch.setattr(silence_preview, "MOST_ROWS", 4)
    routed(acme)
    fire(acme, send, *[alert(instance=str(n)) for n in range(9)], alert("Other"))
    with in_tenant(acme.id):
        found = silence_preview.preview(acme.id, ['alertname="DiskFull"'])
    assert (found.now.muted, found.now.cut) == (4, True)
    assert found.now.share == pytest.approx(0.9)
    assert found.now.is_broad is False  # four are few
    assert (found.week, found.week_cut) == (4, True)
