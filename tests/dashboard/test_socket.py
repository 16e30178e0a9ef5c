"""A socket shows its tenant's groups as they change, to members and nobody else."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from alertcenter.alerts.models import Group
from alertcenter.common.cache import Breaker
from alertcenter.dashboard import consumers, relay
from tenants.models import Member
from tenants.rls import in_tenant
from tests.dashboard.scene import make_group
from tests.dashboard.wire import HOST, Screen, screen, session_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice(acme) -> str:
    return session_of(acme.user("alice"))


def play(scene) -> None:
    """Run an async scene to its end."""
    asyncio.run(asyncio.wait_for(scene(), 20))


def in_db(function, *args, **kwargs):
    """Call `function` in a thread that has its own connection."""

    def call():
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return sync_to_async(call, thread_sensitive=False)()


def new_group(tenant_id, **given) -> Group:
    with in_tenant(tenant_id):
        group = make_group(tenant_id, **given)
        relay.publish({tenant_id: {group.pk}})
        return group


def test_a_member_gets_a_snapshot_and_then_each_change(acme, alice):
    first = new_group(acme.id)

    async def scene():
        async with screen("acme", alice) as one:
            assert (await one.open())[0]
            snapshot = await one.frame()
            assert snapshot["t"] == "snapshot"
            assert snapshot["seq"] == 1
            assert [g["id"] for g in snapshot["groups"]] == [str(first.pk)]
            assert snapshot["build"]
            second = await in_db(new_group, acme.id)
            delta = await one.frame_of("delta", 1.5)
            assert (delta["from"], delta["to"]) == (2, 2)
            assert [g["id"] for g in delta["groups"]] == [str(second.pk)]

    play(scene)


def test_a_screen_that_comes_back_gets_only_what_it_missed(acme, alice):
    for _ in range(3):
        new_group(acme.id)

    async def scene():
        async with screen("acme", alice, since=1) as one:
            await one.open()
            frames = [await one.frame(), await one.frame()]
            assert [(f["t"], f["to"]) for f in frames] == [("delta", 2), ("delta", 3)]

    play(scene)


@pytest.mark.parametrize("since", [0, 7])
def test_a_screen_that_missed_too_much_or_knows_the_future_begins_anew(
    acme, alice, since
):
    new_group(acme.id)
    new_group(acme.id)
    with in_tenant(acme.id), connection.cursor() as cursor:
        cursor.execute("DELETE FROM live WHERE seq = 1")

    async def scene():
        async with screen("acme", alice, since=since) as one:
            await one.open()
            assert (await one.frame())["t"] == "snapshot"

    play(scene)


def test_a_screen_up_to_date_hears_a_beat_at_once(acme, alice):
    new_group(acme.id)

    async def scene():
        async with screen("acme", alice, since=1) as one:
            await one.open()
            beat = await one.frame()
            assert (beat["t"], beat["seq"]) == ("beat", 1)

    play(scene)


def test_outsiders_strangers_and_other_origins_are_refused_alike(acme, globex, alice):
    charlie = session_of(globex.user("charlie"))
    open_attempts = [
        partial(screen, "acme", charlie),
        partial(screen, "nowhere", charlie),
        partial(screen, "acme", None),
        partial(screen, "acme", "forged"),
        partial(screen, "acme", alice, origin="https://evil.example"),
        partial(screen, "acme", alice, origin=None),
    ]

    async def scene():
        answers = []
        for attempt in open_attempts:
            async with attempt() as one:
                answers.append(await one.open())
        assert answers == [(False, consumers.STRANGER)] * len(open_attempts)

    play(scene)


def test_nothing_of_another_tenant_reaches_a_screen(acme, globex):
    charlie = session_of(globex.user("charlie"))
    new_group(acme.id)

    async def scene():
        async with screen("globex", charlie) as one:
            await one.open()
            assert (await one.frame())["groups"] == []
            await in_db(new_group, acme.id)
            mine = await in_db(new_group, globex.id)
            delta = await one.frame_of("delta")
            assert [g["id"] for g in delta["groups"]] == [str(mine.pk)]

    play(scene)


def test_without_redis_changes_still_come(acme, alice, monkeypatch):
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(relay, "client", relay.client.__wrapped__)
    monkeypatch.setattr(relay, "_breaker", Breaker())

    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            await one.frame_of("snapshot")
            group = await in_db(new_group, acme.id)
            delta = await one.frame_of("delta", 3)
            assert delta["groups"][0]["id"] == str(group.pk)

    play(scene)


def test_an_act_changes_the_group_and_is_answered(acme, alice):
    group = new_group(acme.id)

    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            await one.frame_of("snapshot")
            wanted = {
                "t": "act",
                "id": 7,
                "do": "acknowledge",
                "groups": [str(group.pk)],
            }
            await one.say(wanted | {"versions": [1]})
            done = await one.frame_of("done")
            assert done["id"] == 7
            assert done["results"][0]["state"] == "acknowledged"

    play(scene)
    with in_tenant(acme.id):
        group.refresh_from_db()
        assert (group.state, group.acked_by) == ("acknowledged", "Alice")


def test_a_viewer_may_look_but_not_act(acme):
    group = new_group(acme.id)
    vera = session_of(acme.user("vera"))

    async def scene():
        async with screen("acme", vera) as one:
            await one.open()
            await one.frame_of("snapshot")
            await one.say(
                {"t": "act", "id": 1, "do": "resolve", "groups": [str(group.pk)]}
            )
            assert (await one.frame_of("done"))["error"] == "forbidden"

    play(scene)
    with in_tenant(acme.id):
        group.refresh_from_db()
        assert group.state == "firing"


def test_a_group_of_another_tenant_is_not_found(acme, globex):
    theirs = new_group(acme.id)
    charlie = session_of(globex.user("charlie"))

    async def scene():
        async with screen("globex", charlie) as one:
            await one.open()
            await one.frame_of("snapshot")
            await one.say(
                {"t": "act", "id": 1, "do": "resolve", "groups": [str(theirs.pk)]}
            )
            results = (await one.frame_of("done"))["results"]
            assert [item["reason"] for item in results] == ["not_found"]

    play(scene)
    with in_tenant(acme.id):
        theirs.refresh_from_db()
        assert theirs.state == "firing"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"do": "explode", "groups": ["x"]}, "unknown"),
        ({"do": ["acknowledge"], "groups": ["x"]}, "unknown"),
        ({"do": "acknowledge", "groups": "all"}, "groups"),
        ({"do": "acknowledge", "groups": ["no uuid"]}, "groups"),
        ({"do": "acknowledge", "groups": []}, "groups"),
        ({"do": "snooze", "groups": [""], "seconds": 1}, "groups"),
    ],
)
def test_senseless_acts_are_answered_with_a_code(acme, alice, wanted, code):
    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            await one.frame_of("snapshot")
            await one.say({"t": "act", "id": 1} | wanted)
            assert (await one.frame_of("done"))["error"] == code

    play(scene)


def test_who_is_no_longer_a_member_is_shown_out(acme, alice, monkeypatch):
    monkeypatch.setattr(consumers, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(consumers, "BEATS_A_CHECK", 2)

    def dismiss():
        with in_tenant(acme.id):
            Member.objects.filter(name="Alice").update(active=False)

    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            await one.frame_of("beat")
            await in_db(dismiss)
            assert await one.closing() == consumers.OUTSIDER

    play(scene)


def test_a_frame_that_is_too_large_ends_the_connection(acme, alice):
    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            await one.frame_of("snapshot")
            await one.say({"t": "act", "pad": "x" * consumers.LARGEST})
            assert await one.closing() == consumers.TOO_BIG

    play(scene)


def test_nonsense_is_passed_over(acme, alice):
    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            await one.frame_of("snapshot")
            deep = "[" * 60_000
            for text in ("", "{", "[1]", '"x"', '{"t": "act"', '{"t": 5}', deep):
                await one.type(text)
            await one.say({"t": "since", "seq": "x"})
            assert (await one.frame_of("snapshot"))["groups"] == []

    play(scene)


@pytest.mark.parametrize("since", ["9" * 18, "9" * 30, "9" * 5000, "-1", "x"])
def test_a_number_that_no_frame_ever_had_begins_anew(acme, alice, since):
    async def scene():
        async with screen("acme", alice, since=since) as one:
            assert (await one.open())[0]
            assert (await one.frame())["t"] == "snapshot"

    play(scene)


@pytest.mark.parametrize("path", ["/ws/ACME/", "/ws/", "/", "/t/acme/"])
def test_there_are_no_sockets_elsewhere(acme, alice, path):
    async def scene():
        one = Screen(path, alice, f"https://{HOST}")
        assert (await one.open())[0] is False

    play(scene)


def test_frames_hold_text_as_it_came(acme, alice):
    evil = "<img src=x onerror=alert(1)> \"\\u2028 &amp; '</script>"
    new_group(acme.id, title=evil, labels={"a": evil})

    async def scene():
        async with screen("acme", alice) as one:
            await one.open()
            (group,) = (await one.frame())["groups"]
            assert group["title"] == evil
            assert json.loads(json.dumps(group["labels"])) == {"a": evil}

    play(scene)
