"""Do the proxies and the vendor do what the nemesis asks of them?"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.chaos.outside import Proxy, Vendor

pytestmark = pytest.mark.timeout(30)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(100):
        writer.write(chunk)
    writer.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"hello")
    return await asyncio.wait_for(reader.read(100), 0.5)


def test_a_proxy_passes_holds_back_and_cuts(tmp_path: Path) -> None:
    async def story() -> None:
        behind = str(tmp_path / "s")
        await asyncio.start_unix_server(echo, behind)
        proxy = Proxy(behind)
        port = await proxy.listen()
        line = await asyncio.open_connection("127.0.0.1", port)
        assert await ask(*line) == b"hello"
        proxy.turn("blackhole")
        with pytest.raises(asyncio.TimeoutError):
            await ask(*line)
        proxy.turn("pass")
        assert await asyncio.wait_for(line[0].read(100), 5) == b"hello"
        proxy.turn("latency", 0.1)
        begun = asyncio.get_running_loop().time()
        assert await ask(*line) == b"hello"
        assert asyncio.get_running_loop().time() - begun >= 0.2
        proxy.turn("reset")
        with pytest.raises(ConnectionResetError):
            await ask(*line)
        try:
            assert await ask(*await asyncio.open_connection("127.0.0.1", port)) == b""
        except ConnectionError:
            pass  # cut before it could be asked

    asyncio.run(story())


CALL = (
    b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"webhook-id: w-1\r\nContent-Length: %d\r\n\r\n%s"
)


def test_a_vendor_writes_down_what_came_before_it_answers(tmp_path: Path) -> None:
    async def call(port: int, path: bytes, body: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CALL % (path, len(body), body))
        try:
            return await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            return b""

    async def story() -> None:
        vendor = Vendor(tmp_path / "ledger", seed=1)
        port = await vendor.listen()
        body = b'{"title": "chaos-acorn-7"}'
        assert b"200 OK" in await call(port, b"/hook/acorn/one", body)
        vendor.mode = "429"
        assert b"Retry-After: 1" in await call(port, b"/hook/acorn/one", body)
        vendor.mode = "reset"
        assert await call(port, b"/hook/birch/two", body) == b""
        vendor.mode = "well"
        metadata = {"event_payload": {"delivery_id": "d-1"}}
        said = {"channel": "CACORN", "metadata": metadata, "text": "chaos-acorn-8"}
        path = b"/slack/acorn/chat.postMessage"
        answer = await call(port, path, json.dumps(said).encode())
        assert b'"ok": true' in answer

    asyncio.run(story())
    lines = [json.loads(x) for x in (tmp_path / "ledger").read_text().splitlines()]
    assert [(x["fate"], x["slug"], x["id"]) for x in lines] == [
        ("ok", "acorn", "w-1"),
        ("429", "acorn", "w-1"),
        ("reset", "birch", "w-1"),
        ("ok", "acorn", "w-1"),
    ]
    assert lines[2]["said_slug"] == "acorn"
    assert (lines[3]["place"], lines[3]["name"]) == ("CACORN", "chaos-acorn-8")
