"""How are alerts offered at a steady rate, whether or not answers come?

A process of its own: `offer` runs it. Each request is due at its own moment, and its
time counts from there: a server that stalls is charged with all that had to wait.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

from bench import forms
from bench.figures import percentile
from bench.load import ALL_MIXES

TICK_SECONDS = 0.001
# What was not sent, or not answered, so long after the end never will be.
PATIENCE = 15.0


@dataclass(frozen=True)
class Order:
    """What to offer: `rate` alerts a second, `batch` in a request."""

    url: str
    key: str
    form: str
    batch: int
    mix: str
    rate: int
    seconds: int
    connections: int


@dataclass(frozen=True)
class Told:
    """What came of it. Times in milliseconds; `unsent`: alerts never sent."""

    answered: int
    refused: int
    broken: int
    unsent: int
    p50: float
    p95: float
    p99: float
    cpu: float


def begin(order: Order) -> subprocess.Popen[str]:
    """Start to offer, in a process of its own; `told` waits for its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.pace"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(order)))
    process.stdin.close()
    process.stdin = None
    return process


def told(process: subprocess.Popen[str], order: Order) -> Told:
    """Wait for the end; return what came of it."""
    output, _ = process.communicate(timeout=order.seconds + 3 * PATIENCE)
    return Told(**json.loads(output))


class Sender:
    """Sends what is due, on whichever connection is free."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.free: list[Connection] = []
        self.busy = 0
        self.milliseconds: list[float] = []
        self.refused = self.broken = 0
        self.bodies = bodies(order)
        parts = urllib.parse.urlsplit(order.url)
        self.head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {order.key}\r\n"
            "Content-Length: "
        )
        self.address = (parts.hostname or "", parts.port or 80)

    async def run(self) -> Told:
        loop = asyncio.get_running_loop()
        for _ in range(self.order.connections):
            await loop.create_connection(lambda: Connection(self), *self.address)
        unsent = await self._send_all(loop)
        await self._answers()
        return self._told(unsent)

    async def _answers(self) -> None:
        for _ in range(int(PATIENCE / TICK_SECONDS)):
            if not self.busy:
                return
            await asyncio.sleep(TICK_SECONDS)

    async def _send_all(self, loop: asyncio.AbstractEventLoop) -> int:
        order = self.order
        apart = order.batch / order.rate
        requests = order.rate * order.seconds // order.batch
        first = loop.time()
        until = first + order.seconds + PATIENCE
        sent = 0
        while sent < requests and (now := loop.time()) < until:
            due = min(requests, int((now - first) / apart) + 1)
            while sent < due and self.free:
                self._send(self.free.pop(), first + sent * apart)
                sent += 1
            await asyncio.sleep(TICK_SECONDS)
        return requests - sent

    def _send(self, connection: Connection, due: float) -> None:
        body = next(self.bodies)
        self.busy += 1
        connection.send(f"{self.head}{len(body)}\r\n\r\n{body}".encode(), due)

    def answered(self, connection: Connection, status: int, seconds: float) -> None:
        self.busy -= 1
        self.free.append(connection)
        if status == 200:
            self.milliseconds.append(seconds * 1000)
        else:
            self.refused += 1

    def lost(self) -> None:
        """A connection ended with a request on it."""
        self.busy -= 1
        self.broken += 1

    def _told(self, unsent: int) -> Told:
        taken = sorted(self.milliseconds)
        return Told(
            answered=len(taken) * self.order.batch,
            refused=self.refused,
            broken=self.broken + self.busy,
            unsent=unsent * self.order.batch,
            p50=percentile(taken, 0.5),
            p95=percentile(taken, 0.95),
            p99=percentile(taken, 0.99),
            cpu=time.process_time(),
        )


class Connection(asyncio.Protocol):
    """One connection that is kept; one request at a time."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.due = 0.0
        self.waits = False
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)
        self.sender.free.append(self)

    def send(self, request: bytes, due: float) -> None:
        self.due, self.waits = due, True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.got += data
        if not whole(self.got):
            return
        status, self.got, self.waits = int(self.got[9:12]), b"", False
        taken = asyncio.get_running_loop().time() - self.due
        self.sender.answered(self, status, taken)

    def connection_lost(self, _error: Exception | None) -> None:
        if self.waits:
            self.sender.lost()
        elif self in self.sender.free:
            self.sender.free.remove(self)


def whole(answer: bytes) -> bool:
    """Tell whether an answer with a Content-Length is all there."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    _, _, length = head.lower().partition(b"content-length:")
    return len(body) >= int(length.partition(b"\r\n")[0] or 0)


def bodies(order: Order) -> Iterator[str]:
    """Yield bodies without end; see bench/load.py for the mixes."""
    new, old = itertools.count(forms.DISTINCT), itertools.count()
    ends, tenths = forms.endings(), ALL_MIXES[order.mix]
    for turn in itertools.count():
        if order.batch < 10:
            fresh = order.batch if turn % 10 < tenths else 0
        else:
            fresh = order.batch * tenths // 10
        numbers = [next(new) for _ in range(fresh)]
        numbers += [next(old) % forms.DISTINCT for _ in range(order.batch - fresh)]
        # A generation lasts as long as it takes to say all repeats once.
        ending = ends[turn * order.batch // forms.DISTINCT % len(ends)]
        items = [order.form % (i % forms.NAMES, i, i, ending) for i in numbers]
        yield f"[{','.join(items)}]"


def main() -> None:
    order = Order(**json.load(sys.stdin))
    found = uvloop.run(Sender(order).run())
    json.dump(asdict(found), sys.stdout)


if __name__ == "__main__":
    main()
