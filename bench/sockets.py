"""How many screens can one web process hold, and how soon do all see a change?

`python -m bench.sockets --sockets 5000`: a crowd of sockets in a process of its own,
all of one tenant; then alerts, one group each; and each socket's time from the 2xx to
the frame. Memory is the web process's own, before and with the crowd at rest.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import resource
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

from bench.cpu import memory_mb
from bench.figures import machine, percentile, table
from bench.reach import log_in
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World
from tests.stack import Stack

CHANGES = 20
PAUSE = 0.5
AT_A_TIME = 50  # handshakes
PATIENCE = 60.0
PING, PONG, TEXT = 0x9, 0xA, 0x1


class Screen(asyncio.Protocol):
    """One socket: reads frames, answers pings, notes when a marked change came."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._rest = b""
        self._open = False
        self.ready = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._crowd.handshake())

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._rest += data
        if not self._open:
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise SystemExit(f"bench: no socket: {head[:100]!r}")
            self._open, self._rest = True, rest
        while (frame := self._next()) is not None:
            kind, text = frame
            if kind == PING:
                self._transport.write(masked(PONG, text))
            elif kind == TEXT:
                if not self.ready.done():
                    self.ready.set_result(None)  # the snapshot
                self._crowd.note(text, now)

    def connection_lost(self, _error: Exception | None) -> None:
        self._crowd.lost += 1

    def _next(self) -> tuple[int, bytes] | None:
        """Return the next whole frame, of a server, unmasked (RFC 6455)."""
        data = self._rest
        if len(data) < 2:
            return None
        size, start = data[1] & 0x7F, 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            if len(data) < 2 + wide:
                return None
            size, start = int.from_bytes(data[2 : 2 + wide]), 2 + wide
        if len(data) < start + size:
            return None
        self._rest = data[start + size :]
        return data[0] & 0x0F, data[start : start + size]


def masked(kind: int, text: bytes) -> bytes:
    """Return a short frame as a client must send it, with the mask of zeros."""
    return bytes([0x80 | kind, 0x80 | len(text)]) + bytes(4) + text


class Crowd:
    """All sockets of this process, told what to do by a line each on stdin."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.lost = 0
        self.seen: dict[str, list[int]] = {}

    def handshake(self) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {self.order['path']} HTTP/1.1",
            f"Host: {self.order['host']}:{self.order['port']}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Origin: {self.order['origin']}",
            f"Cookie: {self.order['cookie']}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def note(self, text: bytes, now: int) -> None:
        start = text.find(b"MARK-")
        if start >= 0:
            name = text[start : start + 10].decode()
            self.seen.setdefault(name, []).append(now)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        place = self.order["host"], self.order["port"]
        for start in range(0, self.order["sockets"], AT_A_TIME):
            number = min(AT_A_TIME, self.order["sockets"] - start)
            made = await asyncio.gather(
                *(
                    loop.create_connection(lambda: Screen(self), *place)
                    for _ in range(number)
                )
            )
            await asyncio.wait_for(
                asyncio.gather(*(screen.ready for _, screen in made)), PATIENCE
            )
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(json.dumps({"lost": self.lost, "seen": self.seen}), flush=True)


def measure(number: int) -> None:
    """Start everything, measure, and print."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    stack = Stack()
    try:
        stack.start()
        with FakeSlack() as slack:
            place = world.build(stack, slack, "crowd")
            print(show(number, *with_crowd(place, number)), flush=True)
        stack.stop()
    finally:
        stack.remove()


def with_crowd(place: World, number: int) -> tuple[float, dict[str, Any], list[float]]:
    """Return KB a socket, what the crowd saw, and each sight's time in ms."""
    web = place.stack.pid_of("web")
    assert place.fire("first") == 200
    url = urllib.parse.urlsplit(place.stack.url)
    order = {
        "host": url.hostname,
        "port": url.port,
        "path": f"/ws/{place.slug}/",
        "origin": place.stack.url,
        "cookie": log_in(place, f"{place.slug}-alice"),
        "sockets": number,
    }
    before = memory_mb(web)
    with subprocess.Popen(
        [sys.executable, "-m", "bench.sockets", "--client", json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    ) as client:
        assert client.stdout is not None
        assert client.stdin is not None
        begun = time.monotonic()
        if client.stdout.readline() != "ready\n":
            raise SystemExit("bench: the crowd did not come.")
        print(f"{number} sockets open in {time.monotonic() - begun:.0f} s", flush=True)
        time.sleep(2)
        each = (memory_mb(web) - before) * 1024 / number
        fired: dict[str, int] = {}
        for turn in range(CHANGES):
            name = f"MARK-{turn:05}"
            assert place.fire(name) == 200
            fired[name] = time.monotonic_ns()
            time.sleep(PAUSE)
        time.sleep(3)
        client.stdin.write("enough\n")
        client.stdin.flush()
        told = json.loads(client.stdout.readline())
    times = [
        max(0, at - fired[name]) / 1e6
        for name, moments in told["seen"].items()
        for at in moments[:number]
    ]
    return each, told, times


def show(number: int, each: float, told: dict[str, Any], times: list[float]) -> str:
    complete = sum(len(moments) >= number for moments in told["seen"].values())
    row = [
        str(number),
        f"{each:.1f}",
        *(f"{percentile(times, share):.0f}" for share in (0.5, 0.95, 0.99)),
        f"{max(times, default=0):.0f}",
        f"{complete} of {CHANGES}",
        str(told["lost"]),
    ]
    head = ["sockets", "KB each", "p50 ms", "p95 ms", "p99 ms", "last ms"]
    head += ["changes that reached all", "closed"]
    return table(f"From the 2xx to every screen; {machine()}", head, [row])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sockets")
    parser.add_argument("--sockets", type=int, default=5_000)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        import uvloop

        uvloop.run(Crowd(json.loads(options.client)).run())
    else:
        measure(options.sockets)


if __name__ == "__main__":
    main()
