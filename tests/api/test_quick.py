"""Does the short cut for events behave as the long way does, byte by byte?

On a running installation: only there is the short cut taken.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from alertcenter.api import quick
from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, until

V2 = "/t/quick/api/v2/alerts"
OWN = "/t/quick/api/v1/events"


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    with FakeSlack() as slack:
        made = build(stack, slack, "quick")
        assert made.fire("first") == 200  # from now on the key is remembered
        yield made


class Line:
    """One connection, on which bytes are sent and answers read."""

    def __init__(self, world: World) -> None:
        place = urlsplit(world.stack.url)
        self.world = world
        self.socket = socket.create_connection((place.hostname, place.port), 10)
        self.rest = b""

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def head(self, path: str, length: int, *more: str) -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.world.key}",
            "Content-Type: application/json",
            f"Content-Length: {length}",
            *more,
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def post(self, path: str, body: Any, *more: str) -> None:
        text = json.dumps(body).encode()
        self.socket.sendall(self.head(path, len(text), *more) + text)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body; status 0 when the line is closed."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                return 0, {}, b""
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        while len(self.rest) < int(headers["content-length"]):
            assert self._more()
        size = int(headers["content-length"])
        body, self.rest = self.rest[:size], self.rest[size:]
        return int(first.split()[1]), headers, body

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self.rest += data
        return bool(data)


def event(name: str) -> dict[str, Any]:
    return {"labels": {"alertname": name}}


def lasting(name: str) -> dict[str, Any]:
    ends = datetime.now(UTC) + timedelta(minutes=5)
    return event(name) | {
        "startsAt": "2026-11-20T10:00:00Z",
        "endsAt": ends.isoformat(),
    }


def count(world: World, name: str) -> int:
    found = world.rows(
        "SELECT count FROM alert WHERE tenant_id = {t} "
        f"AND labels->>'alertname' = '{name}'"
    )
    return int(found[0][0]) if found else 0


def test_a_line_is_kept_and_every_answer_names_its_request(world):
    with Line(world) as line:
        for number in range(3):
            line.post(OWN, [event(f"kept-{number}")], f"X-Correlation-Id: c-{number}")
            status, headers, body = line.answer()
            assert status == 200
            assert json.loads(body)["accepted"] == 1
            assert headers["x-correlation-id"] == f"c-{number}"
            assert "date" in headers
            assert count(world, f"kept-{number}") == 1


def test_requests_sent_together_are_answered_in_their_order(world):
    with Line(world) as line:
        bodies = [json.dumps([event(f"pipe-{n}")]).encode() for n in range(5)]
        line.socket.sendall(
            b"".join(
                line.head(OWN, len(body), f"X-Correlation-Id: p-{n}") + body
                for n, body in enumerate(bodies)
            )
        )
        answers = [line.answer() for _ in bodies]
    assert [a[0] for a in answers] == [200] * 5
    assert [a[1]["x-correlation-id"] for a in answers] == [f"p-{n}" for n in range(5)]


def test_a_body_in_many_pieces(world):
    with Line(world) as line:
        body = json.dumps([event("pieces")]).encode()
        line.socket.sendall(line.head(OWN, len(body)))
        for byte in body:
            line.socket.sendall(bytes([byte]))
        assert line.answer()[0] == 200


def test_connection_close_is_obeyed(world):
    with Line(world) as line:
        line.post(OWN, [event("close")], "Connection: close")
        status, headers, _ = line.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert line.answer()[0] == 0


def test_a_client_that_has_said_all_still_hears_the_answer(world):
    with Line(world) as line:
        line.post(OWN, [event("half-closed")])
        line.socket.shutdown(socket.SHUT_WR)
        assert line.answer()[0] == 200


def test_a_body_that_breaks_off_is_400_at_once(world):
    with Line(world) as line:
        line.socket.sendall(line.head(OWN, 1_000) + b'[{"labels"')
        line.socket.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        assert line.answer()[0] == 400
        assert time.monotonic() - begun < 2
        assert line.answer()[0] == 0


def test_who_is_gone_before_the_answer_harms_nobody(world):
    for number in range(20):
        with Line(world) as line:
            line.post(OWN, [event(f"gone-{number}")])
    assert world.fire("after the gone") == 200
    until(lambda: count(world, "gone-19") == 1, 5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (OWN, b"{"),
        (OWN, b'[{"labels": {}}, {"title": "good"}]'),
        (V2, b'[{"labels": {}}]'),
        (V2, b"{}"),
        (V2, b""),
        ("/t/quick/in/alertmanager", b"[]"),
    ],
)
def test_both_roads_refuse_in_the_same_words(path, body, world):
    answers = []
    for more in ((), ("Idempotency-Key: long-way-round",)):
        with Line(world) as line:
            line.socket.sendall(line.head(path, len(body), *more) + body)
            status, headers, text = line.answer()
            answers.append((status, headers.get("content-type"), text))
    assert answers[0] == answers[1]
    assert answers[0][0] in (400, 422)


def test_a_request_sent_again_with_its_key_is_kept_once(world):
    body = [{"title": "Once", "key": "once", "labels": {"alertname": "once"}}]
    answers = []
    for _ in range(2):
        with Line(world) as line:
            line.post(OWN, body, "Idempotency-Key: abc")
            answers.append(line.answer())
    assert answers[0][2] == answers[1][2]
    assert "idempotency-replayed" not in answers[0][1]
    assert answers[1][1]["idempotency-replayed"] == "true"
    assert count(world, "once") == 1
    with Line(world) as line:
        line.post(OWN, [event("other")], "Idempotency-Key: abc")
        assert line.answer()[0] == 422


def test_repeats_of_a_second_are_counted_soon(world):
    body = [lasting("again")]
    with Line(world) as line:
        for _ in range(50):
            line.post(V2, body)
            assert line.answer()[0] == 200
    assert 1 <= count(world, "again") <= 50
    until(lambda: count(world, "again") == 50, 5)


def test_a_resolve_between_repeats_is_never_held_back(world):
    firing = lasting("flaps")
    over = firing | {"endsAt": datetime.now(UTC).isoformat()}
    with Line(world) as line:
        for body in (firing, firing, over, firing):
            line.post(V2, [body])
            assert line.answer()[0] == 200
        state = (
            "SELECT state FROM alert WHERE tenant_id = {t} "
            "AND labels->>'alertname' = 'flaps'"
        )
        assert world.rows(state) == [("resolved",)]
        time.sleep(2)  # the repeats that waited were written meanwhile
        assert world.rows(state) == [("resolved",)]
    assert count(world, "flaps") == 4


def test_addresses_of_strangers_are_not_remembered():
    assert quick.road_of(b"/t/acme/api/v1/events") is not None
    assert quick.road_of(b"/t/" + b"a" * 60_000 + b"/api/v1/events") is None


def test_who_does_not_take_his_answers_is_not_read(world):
    """Each answer is long: unread ones would fill the memory."""
    body = [event("unread"), *({} for _ in range(9_999))]
    with Line(world) as line:
        for _ in range(25):
            line.post(OWN, body)
            time.sleep(0.2)  # one at a time: others wait for each other anyhow
        time.sleep(1)
        assert 1 <= count(world, "unread") < 20
