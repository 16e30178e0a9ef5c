"""The clock of the application's host jumps by an hour, and nothing changes.

PostgreSQL keeps the real time: its clock decides. All processes of ours run under
libfaketime and read from a file by how much their wall clock is off; their monotonic
clock, by which they wait, stays real, as it does where NTP or an operator sets a clock.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from escalation.runs import ACK_POSITION
from notifications import signing
from tests.fakes.slack import FakeSlack
from tests.flows.world import SIGNING_SECRET, World, build
from tests.stack import Stack, until
from tests.timemachine.clock import library, needs_library

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(240),
    needs_library,
]

HOUR = 3600
JUMPS = (HOUR, -HOUR, 0, -HOUR, HOUR, 0)
WAIT = 3
ACK_LASTS = 5
# A step is taken up at once; the machine may be busy with something else.
LATE = 10.0
PEOPLE = ("bob", "carol", "dave")

SETUP = """
import json
from django.contrib.auth.models import User
from escalation.models import Policy, Step
from notifications.models import Contact
from tenants.models import Member
from tenants.rls import in_tenant

given = json.loads({given!r})
tenant = given["tenant"]
with in_tenant(tenant):
    policy = Policy.objects.get()
    policy.ack_timeout_seconds = given["ack"]
    policy.save()
    for number, name in enumerate(given["more"]):
        user = User.objects.create_user(given["slug"] + name, "", "a-good-password")
        member = Member.objects.create(
            tenant_id=tenant, user=user, role="responder", name=name.title())
        Contact.objects.create(
            tenant_id=tenant, member=member, kind="slack", address="U-" + name)
        own = {{"tenant_id": tenant, "policy": policy}}
        Step.objects.create(
            position=4 + 2 * number, kind="wait", wait_seconds=given["wait"], **own)
        Step.objects.create(
            position=5 + 2 * number, kind="member", member=member, **own)
"""

# libfaketime takes every absolute time that is slept until for a wall time, also one of
# the monotonic clock, which Python's `sleep` means: without this it fails with EINVAL.
SLEEP = """
import select
import time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


class Host:
    """The clock of the host on which the application runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path.parent / "sitecustomize.py").write_text(SLEEP)
        self.set(0)

    @property
    def environment(self) -> dict[str, str]:
        """Embedded PostgreSQL and Redis start with an environment of their own."""
        return {
            "LD_PRELOAD": str(library()),
            "PYTHONPATH": str(self.path.parent),
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "NO_FAKE_STAT": "1",
        }

    def set(self, seconds: int) -> None:
        """Let the clock be off by so much."""
        beside = self.path.with_suffix(".new")
        beside.write_text(f"{seconds:+d}\n")
        beside.rename(self.path)


@dataclass
class Browser:
    """Somebody who is logged in."""

    world: World
    cookies: CookieJar = field(default_factory=CookieJar)

    def __post_init__(self) -> None:
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str) -> tuple[int, str, float]:
        """Return status, the address that answered at last, and how far the host's
        clock is off."""
        return self._ask(urllib.request.Request(self.world.stack.url + path))

    def post(self, path: str, **fields: str) -> tuple[int, str, float]:
        token = next(c.value for c in self.cookies if c.name == "csrftoken")
        return self._ask(
            urllib.request.Request(
                self.world.stack.url + path,
                urlencode(fields | {"csrfmiddlewaretoken": token or ""}).encode(),
            )
        )

    def _ask(self, request: urllib.request.Request) -> tuple[int, str, float]:
        try:
            with self.opener.open(request, timeout=15) as answer:
                said = parsedate_to_datetime(answer.headers["Date"])
                self.body = answer.read().decode()
                return answer.status, answer.url, said.timestamp() - time.time()
        except urllib.error.HTTPError as error:
            self.body = error.read().decode()
            return error.code, error.url, 0.0

    def log_in(self) -> None:
        self.get("/login/")
        name = f"{self.world.slug}-alice"
        _, url, _ = self.post("/login/", username=name, password="a-good-password")
        assert f"/t/{self.world.slug}/" in url, url


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "clock")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def link_to(world: World, group: str) -> str:
    """Return the path of a link by which bob resolves a group, good for a week."""
    secrets = json.loads((world.stack.home / "secrets.json").read_text())
    bob = "SELECT id::text FROM member WHERE tenant_id = {t} AND name = 'Bob'"
    ((member,),) = world.rows(bob)
    body = signing.ACT_BODY.pack(
        signing.OF_MEMBER,
        signing.LINKED_ACTS.index("resolve"),
        UUID(world.tenant).bytes,
        UUID(group).bytes,
        UUID(member).bytes,
        signing.address_mark("U-bob"),
        int(time.time() + signing.LIFE.total_seconds()),
    )
    said = bytes([signing.ACT]) + body
    mac = signing.mac(secrets["secret_key"], said)
    return "/a/" + base64.urlsafe_b64encode(said + mac).rstrip(b"=").decode()


def press(world: World, slack: FakeSlack, message: Any, act: str) -> int:
    """Press a button of a message as bob, signed by Slack's own, right clock."""
    body, headers = slack.press(message, act, "U-bob", SIGNING_SECRET, world.team)
    request = urllib.request.Request(
        f"{world.stack.url}/slack/interactions", body, headers
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


# Runs in the order in which they began, each with its steps; not the row that stands
# for the end of an acknowledgement (ACK_POSITION).
STEPS = f"""
SELECT g.title, r.id::text, d.position, d.state, extract(epoch FROM d.due_at)::float8,
  extract(epoch FROM d.done_at)::float8
FROM due_step d JOIN run r ON r.tenant_id = d.tenant_id AND r.id = d.run_id
JOIN alert_group g ON g.tenant_id = r.tenant_id AND g.id = r.group_id
WHERE d.tenant_id = {{t}} AND d.position < {ACK_POSITION} ORDER BY d.id
"""
AWAKE = """
UPDATE alert_group SET snooze_until = now() + interval '4 seconds'
WHERE tenant_id = {t} AND state = 'snoozed' RETURNING extract(epoch FROM snooze_until)
"""
WHEN = """
SELECT extract(epoch FROM min(t.at))::float8 FROM transition t
JOIN alert_group g ON g.tenant_id = t.tenant_id AND g.id = t.group_id
WHERE t.tenant_id = {t} AND g.title = '%s' AND t.to_state = '%s'
"""
FINISHED = "SELECT count(*) FROM run WHERE tenant_id = {t} AND state = 'finished'"
GOES_ON, ACKED, SNOOZED = "Goes-on", "Acked", "Snoozed"
NAMES = (GOES_ON, ACKED, SNOOZED)
LEVELS = [0, 2, 4, 6]
IN_ORDER = ["C-ops", *(f"U-{name}" for name in PEOPLE)]


def test_jumps_of_an_hour_change_nothing(host: Host, slack: FakeSlack) -> None:
    stack = Stack(ALERTCENTER_SIMULATION="0")
    stack.environment |= host.environment
    try:
        stack.start()
        world = four_levels(stack, slack)
        browser = Browser(world)
        browser.log_in()

        def jump(seconds: int) -> None:
            host.set(seconds)
            until(lambda: abs(browser.get("/livez")[2] - seconds) < 60)

        jump(HOUR)
        for name in (GOES_ON, ACKED, SNOOZED):
            assert world.fire(name) == 200
        until(lambda: {name_in(m) for m in slack.messages} == set(NAMES))
        groups = dict(
            world.rows("SELECT title, id::text FROM alert_group WHERE tenant_id = {t}")
        )
        message = next(m for m in slack.messages if name_in(m) == ACKED)
        assert press(world, slack, message, "acknowledge") == 200
        jump(-HOUR)
        snooze = {"act": "snooze", "groups": [groups[SNOOZED]], "seconds": 60}
        assert world.post("/api/v1/acts", snooze) == 200
        ((awake,),) = world.rows(AWAKE)
        link = link_to(world, groups[GOES_ON])
        an_hour_is_an_hour(world, browser)
        jumps = itertools.cycle(JUMPS)

        def over() -> bool:
            """Jump on until each run is at its end; what people hold stays good."""
            jump(next(jumps))
            status, url, _ = browser.get(f"/t/{world.slug}/")
            assert (status, "/login/" in url) == (200, False)
            assert browser.get(link)[0] == 200
            return world.rows(FINISHED) == [(3,)]

        until(over, 90, pause=1)
        host.set(0)
        nothing_early_nothing_late(world, float(awake))
        # All that was promised arrives, and nothing comes after it.
        until(lambda: len(slack.messages) >= 3 * len(IN_ORDER), 30)
        unsent = "SELECT count(*) FROM delivery WHERE tenant_id = {t} AND state <> ALL"
        until(lambda: world.rows(unsent + " ('{sent,cancelled}')") == [(0,)], 30)
        nothing_twice(world, slack)
        stack.stop()
    finally:
        stack.remove()


def four_levels(stack: Stack, slack: FakeSlack) -> World:
    """Return a tenant with #ops, bob, carol and dave, three seconds between them."""
    world = build(stack, slack, "clocks", wait=WAIT)
    given = {
        "tenant": world.tenant,
        "slug": world.slug,
        "ack": ACK_LASTS,
        "wait": WAIT,
        "more": PEOPLE[1:],
    }
    stack.manage("shell", "-c", SETUP.format(given=json.dumps(given)))
    return world


def done(world: World) -> list[tuple[Any, ...]]:
    return [row for row in world.rows(STEPS) if row[3] == "done"]


def an_hour_is_an_hour(world: World, browser: Browser) -> None:
    """A silence that somebody makes now holds from now, for as long as it says."""
    path = f"/t/{world.slug}/silences/new"
    asked = {"matchers": "alertname=Other", "comment": "Why", "lasting": "1h"}
    status, _, _ = browser.post(path, **asked)
    assert status == 201, browser.body
    lasts = "SELECT extract(epoch FROM ends_at - now())::float8 FROM silence"
    ((seconds,),) = world.rows(lasts + " WHERE tenant_id = {t}")
    assert HOUR - 60 < seconds <= HOUR


def nothing_early_nothing_late(world: World, awake: float) -> None:
    """By the database's time, and not only by what it wrote down as due."""
    rows = done(world)
    assert all(0 <= at - due < LATE for *_, due, at in rows), rows
    runs: dict[str, list[tuple[int, float]]] = {}
    begun: dict[str, list[float]] = {name: [] for name in NAMES}
    for title, run, position, _state, _due, at in rows:
        if run not in runs:
            begun[title].append(at)
        runs.setdefault(run, []).append((position, at))
    for steps in runs.values():
        assert [position for position, _at in steps] == LEVELS[: len(steps)], rows
        for (_, before), (_, after) in itertools.pairwise(steps):
            assert WAIT <= after - before < WAIT + LATE, rows
    assert {name: len(found) for name, found in begun.items()} == {
        GOES_ON: 1,
        ACKED: 2,
        SNOOZED: 2,
    }
    ((acked,),) = world.rows(WHEN % (ACKED, "acknowledged"))
    assert ACK_LASTS <= begun[ACKED][1] - acked < ACK_LASTS + LATE
    assert 0 <= begun[SNOOZED][1] - awake < LATE


def nothing_twice(world: World, slack: FakeSlack) -> None:
    sent = "SELECT attempts, fence, doubts, error FROM delivery WHERE tenant_id = {t}"
    tries = world.rows(sent + " AND state = 'sent'")
    assert set(tries) == {(1, 1, 0, "")}
    said = [
        c for c in slack.requests if c.method in ("chat.postMessage", "chat.update")
    ]
    assert len(said) == len(tries)
    told = Counter((name_in(m), m.channel) for m in slack.messages)
    assert told == {(name, place): 1 for name in NAMES for place in IN_ORDER}
    for name in NAMES:
        order = [m.channel for m in slack.messages if name_in(m) == name]
        assert order == IN_ORDER


def name_in(message: Any) -> str:
    return next(name for name in NAMES if name in str(message))
