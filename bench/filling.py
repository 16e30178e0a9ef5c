"""How does an installation get many open alerts? Through the way in."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections.abc import Iterator

from bench import backlog
from tests.stack import Stack

# What is not grouped so long after a fill began stays ungrouped, and is told.
FILL_SECONDS = 350.0
FILLERS = 4
SETTLED = ["VACUUM ANALYZE alert", "VACUUM ANALYZE group_alert"]

# A tenant with a key, two rules and a route, but nobody to page: its one group opens
# once, when it is filled.
MANY = """
import json
from alertcenter.alerts.models import Route, Rule
from alertcenter.common.ids import uuid7
from tenants import apikeys
from tenants.actors import Actor
from tenants.models import Tenant
from tenants.rls import in_tenant

limits = [field.name for field in Tenant._meta.concrete_fields
          if field.name.endswith("events_per_second")]
made = []
for number in range({count}):
    pk, slug = uuid7(), "of-{count}-" + str(number)
    with in_tenant(pk):
        Tenant.objects.create(pk=pk, slug=slug, name=slug,
                              **dict.fromkeys(limits, {plenty}))
        Rule.objects.create(
            tenant_id=pk, name="Who cares", position=1, matchers=['team="web"'],
            set_labels={{"owner": "web-crew"}})
        Rule.objects.create(
            tenant_id=pk, name="Elsewhere", position=2, matchers=['team="nobody"'],
            set_severity=5)
        Route.objects.create(
            tenant_id=pk, name="all", is_default=True, group_by=["cluster"],
            group_wait_seconds=0)
        key = apikeys.mint(pk, "growth", ["ingest"],
                           actor=Actor("operator", "", "test"))[1]
    made.append([slug, key])
print("MADE " + json.dumps(made))
"""


def fill(stack: Stack, requests: Iterator[tuple[str, str, str]], alerts: int) -> None:
    """Send all `requests` as any sender would, and wait until all is done."""
    begun = time.monotonic()
    filler = Filler(stack, requests, begun + FILL_SECONDS)
    filler.run()
    sent = time.monotonic() - begun
    while backlog.drained(stack) is None:
        if time.monotonic() > begun + FILL_SECONDS:
            left = stack.sql(
                "WITH gone AS (DELETE FROM feed RETURNING 1) SELECT count(*) FROM gone"
            )[0][0]
            said(f"{left:,} changes were not looked at in time: cut off")
    for statement in [*SETTLED, "CHECKPOINT"]:
        stack.sql(statement)
    said(
        f"{alerts:,} sent in {sent:.0f} s, done after"
        f" {time.monotonic() - begun:.0f} s; open: {backlog.open_alerts(stack):,}"
    )


class Filler:
    """Some threads that send what comes next, until nothing does."""

    def __init__(
        self, stack: Stack, requests: Iterator[tuple[str, str, str]], until: float
    ) -> None:
        self.stack, self.requests, self.until = stack, requests, until
        self.lock = threading.Lock()
        self.error: Exception | None = None

    def run(self) -> None:
        threads = [threading.Thread(target=self._work) for _ in range(FILLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.error:
            raise self.error

    def _work(self) -> None:
        link = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=60)
        try:
            while not self.error:
                with self.lock:
                    given = next(self.requests, None)
                if given is None:
                    return
                self._send(link, *given)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            self.error = error
        finally:
            link.close()

    def _send(
        self, link: http.client.HTTPConnection, slug: str, key: str, body: str
    ) -> None:
        heads = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        while True:
            link.request("POST", f"/t/{slug}/api/v2/alerts", body.encode(), heads)
            answer = link.getresponse()
            answer.read()
            if answer.status == 200:
                return
            # Full for a moment: nothing was kept, so it is sent again.
            if answer.status != 503 or time.monotonic() > self.until:
                raise RuntimeError(f"not filled: {answer.status}")
            time.sleep(0.2)


def said(text: str) -> None:
    """Show on standard error that it goes on."""
    print(text, file=sys.stderr, flush=True)
