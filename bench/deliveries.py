"""10,000 deliveries to 200 places, one dead and one slow: are the others later?

`python -m bench.deliveries`: one installation with its usual processes; a receiver on
loopback that answers at once. First all places are well, then one takes the request
and never answers and one answers after two seconds. Each round writes all deliveries at
once, so the times are how long the whole takes: what counts is the ratio. The last
table is what it costs to put one message into words.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.figures import machine, percentile, rate, table
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World
from tests.stack import Stack

DELIVERIES, PLACES = 10_000, 200
DEAD, SLOW = 0, 1
SLOW_SECONDS = 2.0
MOST_SECONDS = 600.0
MOST_P95 = 1.1  # of what it is when all are well
RENDERED, LIMIT_MS = 2_000, 2.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

SETUP = """
import json
from uuid import UUID
from notifications.models import Channel
from tenants.rls import in_tenant

pk, url, n = {given!r}
with in_tenant(UUID(pk)):
    Channel.objects.bulk_create([
        Channel(tenant_id=UUID(pk), kind="webhook", slug="d%d" % i, name="d%d" % i,
                settings={{"url": "%s/%d" % (url, i)}}) for i in range(n)])
"""
PUT = """
from uuid import UUID
from alertcenter.common.ids import uuid7
from notifications import outbox
from notifications.models import Channel, Delivery, Destination
from notifications.samples import sample
from tenants.rls import in_tenant

pk, n, name = {given!r}
with in_tenant(UUID(pk)):
    places = list(Channel.objects.filter(kind="webhook").order_by("slug"))
    Delivery.objects.filter(kind="page").delete()
    Destination.objects.all().delete()
    outbox.put(UUID(pk), [
        outbox.Entry("%s/%d" % (name, i), sample(), places[i % len(places)].pk,
                     "webhook", group_id=uuid7()) for i in range(n)])
"""


class Receiver:
    """Takes POSTs below /<place>, and answers as that place does."""

    def __init__(self) -> None:
        self.taken: Counter[int] = Counter()
        self.ill = False
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Receiver:
        self._ready = threading.Event()
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._answer, "127.0.0.1", 0, backlog=512)
        )
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._ready.set()
        self._loop.run_forever()
        # Those whom the dead place keeps waiting.
        waiting = asyncio.all_tasks(self._loop)
        for task in waiting:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            place = int(head.split(b" ", 2)[1].strip(b"/"))
            self.taken[place] += 1
            if self.ill and place == DEAD:
                await asyncio.sleep(60)
            if self.ill and place == SLOW:
                await asyncio.sleep(SLOW_SECONDS)
            writer.write(OK)
            await writer.drain()
        except (
            OSError,
            ValueError,
            asyncio.IncompleteReadError,
            asyncio.CancelledError,
        ):
            pass
        finally:
            writer.close()


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.deliveries")
    parser.add_argument("--deliveries", type=int, default=DELIVERIES)
    count = parser.parse_args().deliveries
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"AlertCenter, {machine()}", flush=True)
    with installed() as (place, receiver):
        given = (place.tenant, receiver.url, PLACES)
        place.stack.manage("shell", "-c", SETUP.format(given=given))
        once(place, count // 10, "warm")
        well = once(place, count, "well")
        receiver.ill = True
        ill = once(place, count, "ill")
        print(show(well, ill, count), flush=True)
    print(rendering(), flush=True)
    return 0


@contextmanager
def installed() -> Iterator[tuple[World, Receiver]]:
    stack = Stack(ALERTCENTER_OUTBOUND_ALLOW="127.0.0.0/8", ALERTCENTER_SIMULATION="0")
    try:
        stack.start()
        with FakeSlack() as slack, Receiver() as receiver:
            yield world.build(stack, slack, "bench"), receiver
            stack.stop()
    finally:
        stack.remove()


ARRIVED = """
SELECT extract(epoch FROM d.sent_at - d.created_at)::float8
FROM delivery d JOIN channel c ON c.id = d.channel_id
WHERE d.tenant_id = {t} AND d.idem LIKE '%s/%%' AND d.sent_at IS NOT NULL
  AND c.slug NOT IN ('d%d', 'd%d')
"""


def once(place: World, count: int, name: str) -> list[float]:
    """Write all deliveries; return after how many seconds those of the places that
    are well in both rounds were sent."""
    given = (place.tenant, count, name)
    place.stack.manage("shell", "-c", PUT.format(given=given))
    query = ARRIVED % (name, DEAD, SLOW)
    wanted = sum(1 for i in range(count) if i % PLACES not in WELL_NOT)
    begun = time.monotonic()
    while time.monotonic() - begun < MOST_SECONDS:
        found = [row[0] for row in place.rows(query)]
        if len(found) >= wanted:
            return found
        time.sleep(0.5)
    return [row[0] for row in place.rows(query)]


def slugs_in_order() -> list[str]:
    return sorted(f"d{i}" for i in range(PLACES))


# Places are told by the order of their short names.
WELL_NOT = {slugs_in_order().index(f"d{DEAD}"), slugs_in_order().index(f"d{SLOW}")}


def show(well: list[float], ill: list[float], count: int) -> str:
    rows = []
    for name, found in (("all well", well), ("one dead, one slow", ill)):
        whole = max(found, default=0.0)
        rows.append(
            [
                name,
                str(len(found)),
                f"{percentile(found, 0.5):.2f}",
                f"{percentile(found, 0.95):.2f}",
                f"{whole:.2f}",
                rate(len(found) / whole if whole else 0.0),
            ]
        )
    ratio = percentile(ill, 0.95) / max(0.001, percentile(well, 0.95))
    verdict = "held" if ratio <= MOST_P95 else "MISSED"
    head = ["", "of the others sent", "p50 s", "p95 s", "last s", "a second"]
    title = f"{count:,} deliveries to {PLACES} places"
    said = f"the others' p95: {ratio:.2f} of that (asked: at most {MOST_P95})"
    return f"{table(title, head, rows)}\n{said} ({verdict})"


def rendering() -> str:
    """What does one message cost: words, and a channel's own form?"""
    import django

    os.environ.setdefault("ALERTCENTER_ENV", "test")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alertcenter.settings.test")
    django.setup()
    from alertcenter.common.sandbox import compile_source
    from notifications import rendering as words
    from notifications.channels import block_kit, letters, webhook
    from notifications.default_templates import WORDINGS
    from notifications.samples import sample
    from tests.notifications.scene import a_parcel

    message = sample()
    title, body = (compile_source(text) for text in WORDINGS["slack", "firing"]["de"])

    def said() -> object:
        facts = words.context(message, "de", "Europe/Berlin")
        return title.render(facts), body.render(facts)

    parcel = a_parcel(message=message, address="a@b.example", language="de")
    parts: dict[str, Callable[[], object]] = {
        "words (two compiled templates)": said,
        "Slack's blocks": lambda: block_kit.page(parcel),
        "a mail, HTML and text": lambda: letters.write(parcel),
        "a webhook's JSON": lambda: json.dumps(webhook.body_of(parcel)),
    }
    rows = []
    for name, work in parts.items():
        work()
        spent = []
        for _ in range(RENDERED):
            begun = time.perf_counter()
            work()
            spent.append((time.perf_counter() - begun) * 1e3)
        rows.append([name, *(f"{percentile(spent, p):.3f}" for p in (0.5, 0.95))])
    head = ["part", "p50 ms", f"p95 ms (asked {LIMIT_MS})"]
    return table("Rendering one message", head, rows)


if __name__ == "__main__":
    sys.exit(main())
