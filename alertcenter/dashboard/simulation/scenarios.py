"""What goes wrong in a storm? Outages as a Prometheus would tell them.

Names, labels and texts follow common rules for node_exporter, kube-state-metrics,
postgres_exporter and blackbox_exporter, written anew.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CLUSTER = "eu-west-1"
SERVICES = (
    "checkout", "cart", "search", "catalogue", "payments", "accounts", "shipping",
    "invoices", "recommendations", "sessions", "gateway", "notifications",
)  # fmt: skip

Labels = dict[str, str]


@dataclass(frozen=True)
class Act:
    """At `second`, the alert with `labels` begins or ends."""

    second: float
    labels: Labels
    summary: str
    firing: bool = True


@dataclass(frozen=True)
class Scenario:
    """One storm that can be started."""

    slug: str
    title: str | Promise
    story: str | Promise
    seconds: int
    script: Callable[[random.Random], Iterator[Act]]


def alert(name: str, severity: str, team: str, **labels: str) -> Labels:
    return {
        "alertname": name,
        "severity": severity,
        "team": team,
        "cluster": CLUSTER,
    } | labels


def failover(dice: random.Random) -> Iterator[Act]:
    """The primary dies; everything that talks to it complains within a minute."""
    yield Act(
        0,
        alert("PostgresPrimaryDown", "critical", "database", instance="pg-1:9187"),
        "pg_up of pg-1 is 0 for 30 s",
    )
    for number in range(2, 6):
        yield Act(
            dice.uniform(3, 9),
            alert(
                "PostgresReplicationLag",
                "warning",
                "database",
                instance=f"pg-{number}:9187",
            ),
            f"pg-{number} is more than 30 s behind",
        )
    yield from _services(dice)
    yield from _pods(dice)


def _services(dice: random.Random) -> Iterator[Act]:
    """Pools, errors and latency of each service: 12 + 12 + 72 alerts."""
    for service in SERVICES:
        yield Act(
            dice.uniform(5, 20),
            alert("ConnectionPoolExhausted", "error", "database", service=service),
            f"{service} waits for a database connection",
        )
        yield Act(
            dice.uniform(8, 30),
            alert("HighErrorRate", "critical", "web", service=service),
            f"{service} answers more than 5 % of requests with 5xx",
        )
        for endpoint in ("/", "/list", "/item", "/update", "/health", "/export"):
            yield Act(
                dice.uniform(10, 45),
                alert(
                    "HighLatency",
                    "warning",
                    "web",
                    service=service,
                    endpoint=f"/{service}{endpoint}",
                ),
                f"p99 of /{service}{endpoint} is above 2 s",
            )


def _pods(dice: random.Random) -> Iterator[Act]:
    """Crashing pods and failing probes: 180 + 119 alerts; 400 in all."""
    for number in range(180):
        service = SERVICES[number % len(SERVICES)]
        yield Act(
            dice.uniform(15, 60),
            alert(
                "KubePodCrashLooping",
                "warning",
                "platform",
                namespace="shop",
                pod=f"{service}-{dice.randrange(16**6):06x}-{number}",
            ),
            f"A pod of {service} restarts again and again",
        )
    for number in range(119):
        service = SERVICES[number % len(SERVICES)]
        yield Act(
            dice.uniform(12, 58),
            alert(
                "ProbeFailed",
                "warning",
                "platform",
                instance=f"https://{service}.example.com/probe/{number}",
            ),
            f"The probe {number} of {service} fails",
        )


def flapping(dice: random.Random) -> Iterator[Act]:
    """One target comes and goes, as with a loose cable."""
    labels = alert("TargetDown", "warning", "network", instance="switch-7:9116")
    for turn in range(12):
        second = turn * 10 + dice.uniform(0, 3)
        yield Act(second, labels, "switch-7 cannot be scraped", turn % 2 == 0)


def slow_leak(_dice: random.Random) -> Iterator[Act]:
    """Memory of one service grows until the kernel ends it."""
    steps = ((0, 70, "warning"), (40, 85, "error"), (80, 95, "critical"))
    for second, percent, severity in steps:
        yield Act(
            second,
            alert("ContainerMemoryHigh", severity, "platform", service="search"),
            f"search uses {percent} % of its memory limit",
        )
    yield Act(
        100,
        alert("ContainerOOMKilled", "critical", "platform", service="search"),
        "A container of search was ended by the kernel",
    )


def disk_fill(_dice: random.Random) -> Iterator[Act]:
    """A log nobody rotates fills the disks of three hosts, one after another."""
    for number, host in enumerate(("db-1", "db-2", "db-3")):
        for step, (left, severity) in enumerate(
            ((15, "warning"), (5, "error"), (1, "critical"))
        ):
            yield Act(
                number * 15 + step * 30,
                alert(
                    "NodeFilesystemAlmostOutOfSpace",
                    severity,
                    "database",
                    instance=f"{host}:9100",
                    mountpoint="/var/lib/postgresql",
                ),
                f"{left} % of the space on {host} is left",
            )


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "failover",
        _("Database failover"),
        _("A primary dies: 400 alerts in 60 seconds."),
        60,
        failover,
    ),
    Scenario(
        "flapping",
        _("Flapping switch"),
        _("One target comes and goes every ten seconds."),
        120,
        flapping,
    ),
    Scenario(
        "leak",
        _("Slow memory leak"),
        _("One service goes from warning to critical."),
        110,
        slow_leak,
    ),
    Scenario(
        "disk",
        _("Disks fill up"),
        _("Three hosts run out of space, one after another."),
        100,
        disk_fill,
    ),
)
BY_SLUG = {scenario.slug: scenario for scenario in SCENARIOS}
