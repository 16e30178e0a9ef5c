"""What lies between and around our processes? TCP proxies and a vendor, on loopback.

A process of its own: `python -m tests.chaos.outside CONFIG`. The proxies stand before
the unix sockets of PostgreSQL and Redis and can stall, cut, delay and slow down what
passes. The vendor takes Slack's calls and webhooks, misbehaves on demand, and appends
one line to its ledger for each request, before it answers. It obeys JSON lines on a
unix socket and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import re
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

CHUNK = 65_536
NAME = re.compile(rb"chaos-([a-z]+)-([0-9]+)")
LINGER_ZERO = struct.pack("ii", 1, 0)
# Of a hundred requests so many meet this, while the vendor is "mixed".
MIXED = {"429": 2, "500": 2, "slow": 1, "reset": 1, "reset_unread": 1}
SLOW_SECONDS = 3.0


def cut(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a machine that lost the connection does."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    writer.transport.abort()


class Proxy:
    """One listener before one unix socket.

    Modes: pass, blackhole (takes everything, passes nothing on), reset (cuts all),
    latency (each piece waits `value` seconds), slow (`value` bytes a second).
    """

    def __init__(self, target: str) -> None:
        self.target, self.mode, self.value = target, "pass", 0.0
        self.open = asyncio.Event()
        self.open.set()
        self.writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> int:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def turn(self, mode: str, value: float = 0.0, *, cutting: bool = False) -> None:
        self.mode, self.value = mode, value
        if mode == "reset" or cutting:
            for writer in list(self.writers):
                cut(writer)
        if mode == "blackhole":
            self.open.clear()
        else:
            self.open.set()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.writers.add(writer)
        behind: asyncio.StreamWriter | None = None
        try:
            await self.open.wait()
            if self.mode == "reset":
                cut(writer)
                return
            answers, behind = await asyncio.open_unix_connection(self.target)
            self.writers.add(behind)
            pumps = [
                asyncio.create_task(self.pump(reader, behind)),
                asyncio.create_task(self.pump(answers, writer)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        except OSError:
            cut(writer)
        finally:
            for one in (writer, behind):
                if one is not None:
                    self.writers.discard(one)
                    one.close()

    async def pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self.open.wait()
                if self.mode == "latency":
                    await asyncio.sleep(self.value)
                elif self.mode == "slow":
                    await asyncio.sleep(len(chunk) / self.value)
                writer.write(chunk)
                await writer.drain()


class Vendor:
    """Slack's Web API and a receiver of webhooks, for all tenants."""

    def __init__(self, ledger: Path, seed: int) -> None:
        self.ledger = ledger.open("a", buffering=1)
        self.chance = random.Random(seed)
        self.mode = "well"
        self.count = itertools.count(1)

    async def listen(self) -> int:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def fate(self) -> str:
        if self.mode != "mixed":
            return {"well": "ok"}.get(self.mode, self.mode)
        turn = self.chance.uniform(0, 100)
        for name, share in MIXED.items():
            if (turn := turn - share) < 0:
                return name
        return "ok"

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            path = lines[0].split(" ")[1]
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines[1:])
            }
            fate = self.fate()
            if fate == "reset_unread":
                self.note(path, headers, b"", fate)
                cut(writer)
                return
            body = await reader.readexactly(int(headers.get("content-length") or 0))
            answer = self.note(path, headers, body, fate)
            if fate == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            if fate == "reset":
                cut(writer)
                return
            status = {"429": "429 Too Many", "500": "500 Oops"}.get(fate, "200 OK")
            text = json.dumps(answer).encode()
            more = "Retry-After: 1\r\n" if fate == "429" else ""
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}"
                f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
                + text
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the caller died, or had no patience
        finally:
            writer.close()

    def note(
        self, path: str, headers: dict[str, str], body: bytes, fate: str
    ) -> dict[str, Any]:
        """Write the request down; return what to answer."""
        number = next(self.count)
        _, way, slug, *rest = [*path.split("/"), "", ""]
        given: Any = {}
        if body and "json" in headers.get("content-type", ""):
            given = json.loads(body)
        elif way == "slack":
            given = dict(parse_qsl(body.decode()))
        found = NAME.search(body)
        metadata = given.get("metadata") if isinstance(given, dict) else None
        if isinstance(metadata, str):
            metadata = json.loads(metadata)
        kind, place = "page", rest[0]
        if way == "slack":
            place = str(given.get("channel", ""))
            threaded = given.get("thread_ts") and not given.get("reply_broadcast")
            kind = "reply" if threaded else "page"
            kind = "update" if "chat.update" in path else kind
        event = (metadata or {}).get("event_payload") or {}
        self.ledger.write(
            json.dumps(
                {
                    "n": number,
                    "mono": time.monotonic_ns(),
                    "wall": time.time(),
                    "way": way,
                    "slug": slug,
                    "place": place,
                    "id": headers.get("webhook-id") or event.get("delivery_id") or "",
                    "kind": kind,
                    "said_slug": found[1].decode() if found else "",
                    "name": found[0].decode() if found else "",
                    "fate": fate,
                }
            )
            + "\n"
        )
        if way == "slack":
            stamp = given.get("ts") or f"{int(time.time())}.{number:06}"
            return {"ok": True, "channel": place, "ts": stamp, "message": {}}
        return {"ok": True}


async def obey(path: str, handle: Callable[[dict[str, Any]], None]) -> None:
    """Take JSON lines on a unix socket; answer each when it is done."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            handle(json.loads(line))
            writer.write(b"ok\n")
            await writer.drain()
        writer.close()

    await asyncio.start_unix_server(serve, path)


async def main(config: dict[str, Any]) -> None:
    proxies = {name: Proxy(config[name]) for name in ("postgres", "redis")}
    vendor = Vendor(Path(config["ledger"]), config["seed"])
    ports = {name: await proxy.listen() for name, proxy in proxies.items()}
    ports["vendor"] = await vendor.listen()

    def handle(order: dict[str, Any]) -> None:
        if order["to"] == "vendor":
            vendor.mode = order["mode"]
            return
        proxies[order["to"]].turn(
            order["mode"], order.get("value", 0.0), cutting=order.get("cut", False)
        )

    await obey(config["control"], handle)
    print(json.dumps(ports), flush=True)
    loop = asyncio.get_running_loop()
    ended = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(ended), sys.stdin)
    await ended.read()  # to the end of standard input


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
