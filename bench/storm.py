"""A storm of 100,000 alerts in one tenant: who is paged, what waits, what still opens?

`python -m bench.storm`: every alert is a group of its own, all on one route that takes
30 groups a minute; they come in batches of 500 as fast as they are taken. Another
tenant fires one alert every half second from before the storm until its last group
stands, and each must reach Slack. Then the pages with lists are opened with all of it
there, one by one.
"""

from __future__ import annotations

import argparse
import http.client
import re
import signal
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from bench import reach, setting
from bench.__main__ import installation
from bench.figures import machine, percentile, rate, table
from tests.fakes.slack import FakeSlack
from tests.flows import world
from tests.flows.world import World

ALERTS, BODY = 100_000, 500
ALLOWED = 30
PAUSE = 0.5
MOST_SECONDS = 900.0
# A page on which someone waits with a storm on his hands.
MOST_LATE, MOST_PAGE = 2.0, 1.0
LOOKS = 5
LISTS = [
    "/t/{slug}/",
    "/t/{slug}/api/v1/groups",
    "/t/{slug}/api/v2/alerts",
    "/t/{slug}/api/v2/alerts/groups",
    "/admin/alerts/group/",
    "/admin/alerts/group/?q=host-99999",
    "/admin/alerts/alert/",
    "/admin/escalation/run/",
    "/admin/notifications/delivery/",
]


@dataclass
class Beside:
    """The calm tenant: when each of its alerts was answered, by title."""

    place: World
    answered: dict[str, int] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def fire(self) -> None:
        while not self.over.wait(PAUSE):
            title = f"reach-{len(self.answered)}-{time.time_ns()}"
            if self.place.fire(title) == 200:
                self.answered[title] = time.monotonic_ns()


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm")
    parser.add_argument("--alerts", type=int, default=ALERTS)
    alerts = parser.parse_args().alerts
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"AlertCenter, {machine()}", flush=True)
    with installation(1) as (stack, slack):
        hit = world.build(stack, slack, "hit", group_by=["instance"], storm=ALLOWED)
        setting.unlimited(hit)
        beside = Beside(world.build(stack, slack, "calm"))
        print(storm(hit, beside, slack, alerts), flush=True)
        print(pages(hit), flush=True)
    return 0


def storm(hit: World, beside: Beside, slack: FakeSlack, alerts: int) -> str:
    """Pour, and wait until every alert stands in its group."""
    other = threading.Thread(target=beside.fire)
    other.start()
    begun = time.monotonic()
    pour(hit, alerts)
    poured = time.monotonic() - begun
    stood = grouped(hit, alerts)
    beside.over.set()
    other.join()
    time.sleep(MOST_LATE * 2)
    minutes = (time.monotonic() - begun) / 60
    paged = reach.arrivals(slack)
    late = [
        max(0, paged[title] - at) / 1e9
        for title, at in beside.answered.items()
        if title in paged
    ]
    pages = [m for m in slack.messages if "reach-" not in str(m)]
    said = sum(len(page.replies) for page in pages)
    rows = [
        ["taken in", f"{rate(alerts / poured)} alerts/s", ""],
        ["in their groups after", f"{stood:.0f} s" if stood else "not at all", ""],
        ["pages of the storm", str(len(pages)), "1 a minute a route"],
        ["digests below them", f"{said} in {minutes:.1f} minutes", "1 a minute"],
        ["alerts beside it", f"{len(late)} of {len(beside.answered)} told", "all"],
        *(
            [f"told after, p{share * 100:.0f}", f"{percentile(late, share):.2f} s", ""]
            for share in (0.5, 0.95)
        ),
        ["told after, at most", f"{max(late, default=0):.2f} s", f"{MOST_LATE} s"],
    ]
    return table(f"A storm of {alerts:,} groups", ["", "found", "asked"], rows)


def pour(hit: World, alerts: int) -> None:
    for start in range(0, alerts, BODY):
        events = [
            {"labels": {"alertname": "Storm", "instance": f"host-{n:05}"}}
            for n in range(start, min(start + BODY, alerts))
        ]
        while (status := hit.post("/api/v1/events", events, timeout=60)) != 200:
            print(f"bench: answered {status}, sent again", file=sys.stderr)
            time.sleep(PAUSE)


def grouped(hit: World, alerts: int) -> float | None:
    """Return after how many seconds all alerts were in groups."""
    begun = time.monotonic()
    query = "SELECT count(*) FROM alert_group WHERE tenant_id = {t}"
    while time.monotonic() - begun < MOST_SECONDS:
        # The storm's own group is one more.
        if hit.rows(query)[0][0] > alerts:
            return time.monotonic() - begun
        time.sleep(PAUSE)
    return None


def pages(hit: World) -> str:
    """Open the pages with lists, as a member who is logged in."""
    cookie = reach.log_in(hit, f"{hit.slug}-alice")
    rows = []
    for path in LISTS:
        found = [get(hit, path.format(slug=hit.slug), cookie) for _ in range(LOOKS)]
        seconds = [one[0] for one in found]
        rows.append(
            [
                path,
                str(found[0][1]),
                f"{found[0][2] / 1e3:.0f}",
                f"{min(seconds):.2f}",
                f"{max(seconds):.2f}",
            ]
        )
    head = ["page", "status", "kB", "s at best", f"at worst (asked {MOST_PAGE})"]
    return table("Lists with all of it there", head, rows)


def get(hit: World, path: str, cookie: str) -> tuple[float, int, int]:
    """Return seconds, status and length; an interface's page is asked with the key."""
    host = urllib.parse.urlsplit(hit.stack.url).netloc
    connection = http.client.HTTPConnection(host, timeout=120)
    headers = {"Cookie": cookie}
    if re.search("/api/", path):
        headers = {"Authorization": f"Bearer {hit.key}"}
    begun = time.monotonic()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    taken = time.monotonic() - begun
    connection.close()
    return taken, answer.status, len(body)


if __name__ == "__main__":
    sys.exit(main())
