"""Can people silence from the dashboard, see what is quiet, and end it again?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alertcenter.alerts.models import Alert, Group, GroupAlert, Silence
from alertcenter.common.ids import uuid7
from alertcenter.dashboard import queries, silencing
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.dashboard.scene import make_group

pytestmark = pytest.mark.django_db

LIST = "/t/acme/silences"
GIVEN = {"matchers": 'alertname="Lag"', "lasting": "1h", "comment": "we know"}


def browser(cast, name: str) -> Client:
    client = Client()
    client.force_login(cast.user(name))
    return client


@pytest.fixture
def bob(acme) -> Client:
    return browser(acme, "bob")


@pytest.fixture
def vera(acme) -> Client:
    return browser(acme, "vera")


@pytest.fixture
def charlie(globex) -> Client:
    return browser(globex, "charlie")


@pytest.fixture
def group(acme) -> Group:
    """A group of two alerts that fire, of one name and cluster."""
    with in_tenant(acme.id):
        made = make_group(acme.id, labels={"cluster": "a"}, firing_count=2)
        for host in ("db-1", 'db-"2"'):
            join(acme, made, alertname="Lag", cluster="a", host=host)
        return made


def join(cast, group: Group, **labels: str) -> None:
    now, episode = timezone.now(), uuid7()
    alert = Alert.objects.create(
        tenant=cast.tenant,
        dedup_key=f"l/{uuid7().hex}",
        fingerprint="0" * 16,
        state="firing",
        severity=5,
        title="lag",
        labels=labels,
        source="api",
        episode_id=episode,
        state_at=now,
        starts_at=now,
        last_at=now,
    )
    GroupAlert.objects.create(
        tenant=cast.tenant, group=group, alert=alert, episode_id=episode, joined_at=now
    )


def stored(cast) -> Silence:
    with in_tenant(cast.id):
        return Silence.objects.get()


def row_of(cast, group: Group) -> dict[str, Any]:
    with in_tenant(cast.id):
        (row,) = queries.group_rows(cast.id, [group.pk])
        return row


# --- the dialog ---


def test_the_dialog_begins_with_what_the_alerts_of_the_group_share(bob, group):
    told = bob.get(f"{LIST}/proposal?group={group.number}").json()
    assert told["group"] == str(group.pk)
    assert told["matchers"] == [
        'alertname="Lag"',
        'cluster="a"',
        'severity="critical"',
    ]


def test_several_groups_are_silenced_by_what_all_their_alerts_share(bob, acme, group):
    with in_tenant(acme.id):
        other = make_group(acme.id)
        join(acme, other, alertname="Lag", cluster="b")
        stranger = make_group(acme.id, labels={})
        join(acme, stranger, alertname="Full")
        Alert.objects.filter(labels__alertname="Full").update(severity=3)
    both = f"{LIST}/proposal?group={group.number}&group={other.number}"
    told = bob.get(both).json()
    assert told == {"group": "", "matchers": ['alertname="Lag"', 'severity="critical"']}
    told = bob.get(f"{both}&group={stranger.number}").json()
    assert told["matchers"] == []
    assert "no label in common" in told["sentence"]


def test_of_too_many_groups_or_of_none_nothing_is_proposed(bob, group, charlie):
    many = "&".join(f"group={number}" for number in range(1, 202))
    assert bob.get(f"{LIST}/proposal?{many}").status_code == 400
    assert bob.get(f"{LIST}/proposal").status_code == 400
    theirs = LIST.replace("acme", "globex")
    numbers = f"group={group.number}&group={group.number + 1}"
    assert charlie.get(f"{theirs}/proposal?{numbers}").status_code == 404


def test_a_value_with_quotes_is_written_so_that_it_can_be_read(bob, acme):
    with in_tenant(acme.id):
        made = make_group(acme.id)
        join(acme, made, alertname="Lag", host='a"b\\c')
    told = bob.get(f"{LIST}/proposal?group={made.number}").json()
    assert 'host="a\\"b\\\\c"' in told["matchers"]
    given = GIVEN | {"matchers": "\n".join(told["matchers"])}
    answer = bob.post(f"{LIST}/preview", given).json()
    assert answer["sentence"].startswith("Mutes 1 now")


@pytest.mark.parametrize("number", ["", "x", "0", "-1", str(2**64)])
def test_a_group_that_is_no_number_is_a_bad_request(bob, number):
    assert bob.get(f"{LIST}/proposal?group={number}").status_code == 400


def test_a_click_silences_the_group_and_its_row_says_so(bob, acme, group):
    assert row_of(acme, group)["quiet"] == ""
    answer = bob.post(f"{LIST}/new", GIVEN)
    assert answer.status_code == 201
    row = stored(acme)
    assert answer.json()["id"] == str(row.pk)
    assert (row.created_by, row.comment, row.in_force) == ("Bob", "we know", True)
    shown = row_of(acme, group)
    assert (shown["quiet"], shown["quiet_count"]) == ("silenced", 2)
    page = bob.get(f"/t/acme/groups/{group.number}").content.decode()
    assert '<span class="hush">silenced</span>' in page
    assert "we know" in page
    with in_tenant(acme.id):
        assert Audit.objects.get(action="silence.create").actor_label == "Bob"


def test_a_silence_may_hold_in_one_group_only(bob, acme, group):
    with in_tenant(acme.id):
        other = make_group(acme.id)
        join(acme, other, alertname="Lag", cluster="b")
    answer = bob.post(f"{LIST}/new", GIVEN | {"group": str(group.pk)})
    assert answer.status_code == 201
    assert row_of(acme, group)["quiet"] == "silenced"
    assert row_of(acme, other)["quiet"] == ""


def test_a_group_that_is_partly_quiet_is_not_called_quiet(bob, acme, group):
    bob.post(f"{LIST}/new", GIVEN | {"matchers": 'host="db-1"'})
    shown = row_of(acme, group)
    assert (shown["quiet"], shown["quiet_count"], shown["firing_count"]) == ("", 1, 2)


def test_inhibited_is_another_word(acme, group):
    with in_tenant(acme.id):
        GroupAlert.objects.update(inhibited_by=[uuid7()])
        Group.objects.update(quiet_count=2)
    assert row_of(acme, group)["quiet"] == "inhibited"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"comment": " "}, "comment"),
        ({"matchers": ""}, "matchers"),
        ({"matchers": "x"}, "matcher"),
        ({"matchers": 'a=~".*"'}, "empty"),
        ({"lasting": ""}, "order"),
        ({"lasting": "forever"}, "order"),
        ({"group": "x"}, "scope"),
        ({"group": str(uuid7())}, "scope"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(bob, acme, given, error):
    answer = bob.post(f"{LIST}/new", GIVEN | given)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["sentence"].endswith(".")
    assert bob.post(f"{LIST}/preview", GIVEN | given).status_code == 200
    with in_tenant(acme.id):
        assert not Silence.objects.exists()


def test_over_half_of_what_is_open_is_asked_a_second_time(bob, acme, group):
    with in_tenant(acme.id):
        for number in range(4):
            join(acme, group, alertname="Lag", host=f"web-{number}")
    assert bob.post(f"{LIST}/preview", GIVEN).json()["alarming"]
    answer = bob.post(f"{LIST}/new", GIVEN)
    assert (answer.status_code, answer.json()["error"]) == (400, "broad")
    assert bob.post(f"{LIST}/new", GIVEN | {"confirm": "1"}).status_code == 201


# --- the list ---


def test_the_list_says_what_each_mutes_and_by_whom(bob, acme, group):
    bob.post(f"{LIST}/new", GIVEN)
    page = bob.get(LIST).content.decode()
    assert "mutes 2 alerts" in page
    assert "we know" in page
    assert "Bob" in page
    assert 'style="' not in page


def test_what_is_over_is_not_listed_and_what_holds_comes_first(acme):
    now = timezone.now()
    with in_tenant(acme.id):
        for title, begin, end in (("past", -2, -1), ("later", 1, 2), ("now", -1, 3)):
            Silence.objects.create(
                tenant=acme.tenant,
                title=title,
                matchers=['a="b"'],
                starts_at=now + timedelta(hours=begin),
                ends_at=now + timedelta(hours=end),
            )
        rows, more = silencing.listed(acme.id)
    assert [(row.silence.title, row.state) for row in rows] == [
        ("now", "active"),
        ("later", "pending"),
    ]
    assert not more


def test_a_click_ends_it_and_the_group_is_heard_again(bob, acme, group):
    bob.post(f"{LIST}/new", GIVEN)
    row = stored(acme)
    answer = bob.post(f"{LIST}/{row.pk}/expire", follow=True)
    assert "It is over" in answer.content.decode()
    assert "Nothing is silenced." in answer.content.decode()
    assert row_of(acme, group)["quiet"] == ""
    with in_tenant(acme.id):
        assert Audit.objects.filter(action="silence.expire").exists()
    assert bob.post(f"{LIST}/{row.pk}/expire").status_code == 302  # again: nothing


def test_a_click_makes_it_longer_and_it_stays_the_same_one(bob, acme, group):
    bob.post(f"{LIST}/new", GIVEN)
    before = stored(acme)
    assert bob.post(f"{LIST}/{before.pk}/extend", {"longer": "4h"}).status_code == 302
    after = stored(acme)
    assert after.pk == before.pk
    assert after.ends_at - before.ends_at == timedelta(hours=4)
    bob.post(f"{LIST}/{before.pk}/extend", {"longer": "for ever"})
    assert stored(acme).ends_at == after.ends_at
    bob.post(f"{LIST}/{before.pk}/expire")
    told = bob.post(f"{LIST}/{before.pk}/extend", {"longer": "1h"}, follow=True)
    assert "It has ended already." in told.content.decode()


# --- who may ---


def test_a_viewer_looks_and_changes_nothing(vera, bob, acme, group):
    bob.post(f"{LIST}/new", GIVEN)
    row = stored(acme)
    page = vera.get(LIST).content.decode()
    assert "we know" in page
    assert "Expire now" not in page
    assert 'id="silence-form"' not in page
    assert vera.post(f"{LIST}/new", GIVEN).status_code == 403
    assert vera.post(f"{LIST}/{row.pk}/expire").status_code == 403
    assert vera.post(f"{LIST}/{row.pk}/extend", {"longer": "1h"}).status_code == 403
    assert stored(acme).ends_at == row.ends_at


def test_an_outsider_finds_nothing_and_ends_nothing(charlie, bob, acme, group):
    bob.post(f"{LIST}/new", GIVEN)
    row = stored(acme)
    assert charlie.get(LIST).status_code == 404
    own = LIST.replace("acme", "globex")
    assert charlie.post(f"{own}/{row.pk}/expire").status_code == 404
    assert charlie.post(f"{own}/{row.pk}/extend", {"longer": "1h"}).status_code == 404
    assert charlie.get(f"{own}/proposal?group={group.number}").status_code == 404
    told = charlie.post(f"{own}/preview", GIVEN | {"group": str(group.pk)}).json()
    assert told["sentence"].startswith("Mutes 0 now, 0 in")
    answer = charlie.post(f"{own}/new", GIVEN | {"group": str(group.pk)})
    assert answer.json()["error"] == "scope"


def test_strange_texts_stay_texts(bob, acme):
    evil = "<script>alert(1)</script>"
    bob.post(f"{LIST}/new", GIVEN | {"comment": evil, "matchers": f'a="{evil}"'})
    page = bob.get(LIST).content.decode()
    assert evil not in page
    assert "&lt;script&gt;" in page
