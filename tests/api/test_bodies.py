"""How may a body be packed, and what does a bomb cost?"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zstandard

from alertcenter.api import raw
from alertcenter.common.errors import Refused
from tests.api.client import bearer, post
from tests.fakes.slack import FakeSlack
from tests.flows.world import build

BODY = json.dumps([{"labels": {"alertname": f"A{n}"}} for n in range(50)]).encode()
LONG = json.dumps([{"labels": {"alertname": f"A{n}"}} for n in range(9_000)]).encode()
PATHS = [
    "/t/acme/api/v1/events",
    "/t/acme/api/v1/alerts",
    "/t/acme/api/v2/alerts",
]
PACK = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
MIB = 1 << 20


def streamed(body: bytes) -> bytes:
    """As programs pack that do not know the length beforehand."""
    packer = zstandard.ZstdCompressor(level=9).compressobj()
    return packer.compress(body) + packer.flush()


def bomb(encoding: str, size: int = 200 * MIB) -> bytes:
    """A small body that says that it is large."""
    if encoding == "gzip":
        return gzip.compress(bytes(size))
    packer = zstandard.ZstdCompressor().compressobj()
    return b"".join(packer.compress(bytes(MIB)) for _ in range(200)) + packer.flush()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", PACK)
def test_packed_bodies_are_read_by_every_protocol(encoding, path, acme, key):
    headers = {"Content-Encoding": encoding} | bearer(key)
    assert post(path, PACK[encoding](BODY), **headers).status == 200
    cut = post(path, PACK[encoding](BODY)[:-4], **headers)
    assert (cut.status, "ends too early" in cut.sentence) == (400, True)
    assert post(path, b"this is not packed", **headers).status == 400
    assert post(path, bomb(encoding), **headers).status == 413


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("encoding", ["br", "gzip, zstd", "deflate", "x" * 5_000])
def test_other_encodings_are_415(encoding, acme, key):
    headers = {"Content-Encoding": encoding} | bearer(key)
    assert post(PATHS[0], BODY, **headers).status == 415


@pytest.mark.parametrize("encoding", PACK)
class TestUnpacking:
    def unpack(self, encoding: str, body: bytes) -> bytes:
        return raw.unpacked({b"content-encoding": encoding.encode()}, body)

    def test_what_was_packed_comes_back(self, encoding):
        for body in (b"", b"x", BODY, os.urandom(500_000), LONG):
            assert self.unpack(encoding, PACK[encoding](body)) == body

    def test_bodies_may_be_glued_together_but_not_from_crumbs(self, encoding):
        pack = PACK[encoding]
        assert self.unpack(encoding, pack(b"[1,") + pack(b"2]")) == b"[1,2]"
        begun = time.monotonic()
        with pytest.raises(Refused, match="400"):
            self.unpack(encoding, pack(b"") * 50_000)
        assert time.monotonic() - begun < 1

    def test_rubbish_behind_is_refused(self, encoding):
        with pytest.raises(Refused, match="400"):
            self.unpack(encoding, PACK[encoding](BODY) + b"rubbish")

    def test_what_shrinks_beyond_all_alerts_is_refused(self, encoding):
        with pytest.raises(Refused, match="413"):
            self.unpack(encoding, PACK[encoding](bytes(900_000)))


def test_zstd_from_a_stream_is_read():
    assert raw.unpacked({b"content-encoding": b"zstd"}, streamed(LONG)) == LONG


def test_zstd_with_a_huge_window_is_refused():
    shape = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=shape).compressobj()
    body = packer.compress(os.urandom(1_000)) + packer.flush()
    with pytest.raises(Refused, match="400"):
        raw.unpacked({b"content-encoding": b"zstd"}, body)


def test_bombs_cost_a_running_server_neither_time_nor_memory(stack):
    """Measured, printed, and bounded generously."""
    pid = stack.pid_of("web")
    bombs = {name: bomb(name) for name in PACK}
    with FakeSlack() as slack:
        world = build(stack, slack, "bombs")
        assert world.fire("first") == 200
        before, times = resident(pid), []
        for _ in range(20):
            for encoding, body in bombs.items():
                begun = time.monotonic()
                assert send(world, encoding, body) == 413
                times.append(time.monotonic() - begun)
        grown = resident(pid) - before
    times.sort()
    print(f"bombs: median {times[len(times) // 2] * 1000:.1f} ms, {grown:.1f} MB more")
    assert times[len(times) // 2] < 0.1
    assert grown < 50


def resident(pid: int) -> float:
    """Return the memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def send(world, encoding: str, body: bytes) -> int:
    place = urlsplit(world.stack.url)
    line = http.client.HTTPConnection(place.hostname, place.port, timeout=10)
    headers = bearer(world.key) | {
        "Content-Type": "application/json",
        "Content-Encoding": encoding,
    }
    line.request("POST", f"/t/{world.slug}/api/v1/events", body, headers)
    status = line.getresponse().status
    line.close()
    return status
