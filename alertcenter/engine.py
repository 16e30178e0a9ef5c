"""What does a dispatcher process do, and how often?

Each job runs in a thread of its own with a connection of its own: at a notice
(LISTEN ac_feed), and at the latest after its interval. Any number of dispatchers
may run; every job claims its rows.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg2
from django.db import connection, transaction
from django.db.utils import DatabaseError, InterfaceError

from alertcenter import flow
from alertcenter.alerts import lifecycle, receipts, silence_sweep, telemetry
from alertcenter.alerts.heartbeat_sweep import sweep_overdue
from alertcenter.alerts.naming import name_quietly
from alertcenter.alerts.writer import connect
from alertcenter.api import asked, slack, slack_sync
from alertcenter.dashboard import relay
from escalation import (
    actions,
    auditor,
    calendar_reading,
    dispatcher,
    flaps,
    flushes,
    schedule_reminders,
    silence_reminders,
    storms,
)
from escalation.models import EngineHeartbeat
from notifications import delivery, digests, standing_in
from tenants import access, partitions
from tenants.rls import tenant_context

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0
# A job that trickles is at work for a third of the time at most, and rests so long at
# most: who waits for it is a person.
RESTS = 2
LONGEST_REST = 0.1
# No job is at one thing for so long unless something is wrong.
STUCK_SECONDS = 60.0
# What no worker has claimed by then, this process sends itself: a page never
# depends on Redis or on Celery.
LEFT_LYING = timedelta(seconds=3)
VERSION = "1"
BEAT_SECONDS = 5.0


@dataclass
class Job:
    """One kind of work: `work` returns how much it did; more than nothing means
    that it is called again at once, or, if it was less than `worth`, after a rest in
    which more gathers: under a steady trickle each call would do next to nothing."""

    name: str
    work: Callable[[], int]
    interval: float
    on_notice: bool = False
    worth: Callable[[], int] = lambda: 0
    # When it is called at the latest, if that is sooner than its interval.
    pause: Callable[[], float] | None = None
    # When what it is at was begun, by this process' own clock.
    begun: float | None = None
    wake: threading.Event = field(default_factory=threading.Event)
    then: list[Job] = field(default_factory=list)


def all_tenants_do(work: Callable[[list[UUID]], int]) -> Callable[[], int]:
    """Let `work` see every tenant, for sweeps over tables that are no queues."""

    def sweep() -> int:
        with transaction.atomic():
            ids = [tenant_id for tenant_id, _ in access.tenants()]
            with tenant_context(*ids):
                return work(ids)

    return sweep


def expire(_tenants: list[UUID]) -> int:
    closed = lifecycle.expire_alerts()
    telemetry.EXPIRED.inc(closed)
    return closed


def name_of_this() -> str:
    """Return the name of this process' row; that of one before it lacks the number."""
    name = os.environ.get("AC_PROCESS", "") or "dispatcher"
    return f"{name}@{socket.gethostname()}:{os.getpid()}"


def stuck(work: list[Job]) -> str:
    """Return the jobs that have been at one thing for too long."""
    now = time.monotonic()
    return ", ".join(
        job.name
        for job in work
        if job.begun is not None and now - job.begun > STUCK_SECONDS
    )


def succeed() -> None:
    """Forget the process in whose place this one was started: it is no more."""
    own = name_of_this()
    EngineHeartbeat.objects.filter(
        process__startswith=own.rpartition(":")[0] + ":"
    ).exclude(process=own).delete()


def leave() -> None:
    """Say that this process ended as it should."""
    EngineHeartbeat.objects.filter(process=name_of_this()).delete()


def beat(work: list[Job]) -> int:
    """Say that this process is well, and measure how far behind the engine is."""
    overdue = dispatcher.count_overdue()
    backlog = flow.measure_backlog()
    EngineHeartbeat.objects.update_or_create(
        process=name_of_this(),
        defaults={
            "at": lifecycle.database_time(),
            "version": VERSION,
            "data": {
                "overdue": overdue,
                "stuck": stuck(work),
                "feed_waiting": backlog.new,
                "feed_growth": backlog.grown,
                "feed_parked": backlog.parked,
                "feed_oldest_seconds": round(backlog.oldest_seconds, 3),
            },
        },
    )
    return 0


def make_partitions() -> int:
    """Beat asks for them too; rows that came before theirs would stay in the rest."""
    partitions.ensure()
    return 0


def tidy_labels() -> int:
    """Merge what inserts left beside the index of labels; else one of them would."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ac_tidy_labels()")
    return 0


def analyze_grown() -> int:
    """Let the planner know of tables that have doubled (migration 0019 says why)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ac_analyze_grown()")
    return 0


def forget_receipts(_tenants: list[UUID]) -> int:
    return receipts.prune()


def sweep_silences() -> int:
    return silence_sweep.sweep(silence_reminders.remind)


def send_leftovers() -> int:
    return delivery.deliver_due(older_than=LEFT_LYING)


def jobs() -> list[Job]:
    """Return the jobs of one dispatcher."""
    in_turns = dispatcher.Turns(flow.show)
    steps = Job(
        "steps",
        in_turns.work,
        0.25,
        on_notice=True,
        pause=dispatcher.until_next,
    )
    flush = Job("flushes", flushes.do_due, 0.25, on_notice=True)
    turns = flow.Turns()
    feed = Job(
        "flow",
        turns.work,
        0.25,
        on_notice=True,
        then=[steps, flush],
        worth=turns.worth,
    )
    inbox = Job("slack_inbox", lambda: slack.process_inbox(50), 0.5, on_notice=True)
    acts = Job("asked_acts", asked.process, 0.25, on_notice=True)
    feed.then.append(acts)
    found = [
        feed,
        steps,
        flush,
        inbox,
        acts,
        Job("deliveries", send_leftovers, 1.0),
        Job("digests", digests.sweep, 1.0),
        Job("overdue_pages", standing_in.sweep, 2.0),
        Job("heartbeats", all_tenants_do(sweep_overdue), 1.0),
        Job("silences", sweep_silences, 1.0),
        Job("silences_gone", silence_sweep.end_gone, 2.0),
        Job("expiry", all_tenants_do(expire), 5.0),
        Job("snoozes", all_tenants_do(lambda _: actions.wake_snoozed()), 5.0),
        Job("forgotten", all_tenants_do(lambda _: actions.repage_forgotten()), 5.0),
        Job("storms", storms.sweep, 1.0),
        Job("flapping", all_tenants_do(flaps.sweep), 5.0),
        Job("names", all_tenants_do(name_quietly), 2.0),
        Job("growth", flow.redraw_grown, 3.0),
        Job("parked", flow.unpark, 30.0),
        Job("audit", auditor.work, auditor.EVERY_SECONDS),
        Job("live_pruning", all_tenants_do(lambda _: relay.prune()), 60.0),
        Job("schedule_findings", schedule_reminders.check, 60.0),
        Job("schedule_swaps", schedule_reminders.remind_of_swaps, 60.0),
        Job("schedule_shifts", schedule_reminders.remind_of_shifts, 30.0),
        Job("partitions", make_partitions, 3600.0),
        Job("labels", tidy_labels, 5.0),
        Job("statistics", analyze_grown, 2.0),
        Job("receipts", all_tenants_do(forget_receipts), 3600.0),
        Job("asked_pruning", asked.prune, 3600.0),
        Job("slack_usergroups", slack_sync.keep_groups, 60.0),
        Job("slack_people", slack_sync.match_people, 6 * 3600.0),
        Job("calendars", calendar_reading.read_due, 15.0),
        Job("inbox_pruning", slack.prune_inbox, 3600.0),
        Job("notices", all_tenants_do(lambda _: flushes.prune()), 3600.0),
        Job("schedule_notices", all_tenants_do(schedule_reminders.prune), 3600.0),
    ]
    return [*found, Job("heartbeat", lambda: beat(found), BEAT_SECONDS)]


def run(stop: threading.Event) -> None:
    """Run all jobs until `stop` is set, then let each finish what it is at."""
    work = jobs()
    try_to(succeed)
    threads = [
        threading.Thread(target=loop, args=(job, stop), name=job.name, daemon=True)
        for job in work
    ]
    listener = threading.Thread(
        target=listen, args=(work, stop), name="listener", daemon=True
    )
    for thread in (*threads, listener):
        thread.start()
    stop.wait()
    for job in work:
        job.wake.set()
    for thread in threads:
        thread.join(10)
    try_to(leave)


def try_to(act: Callable[[], None]) -> None:
    """Do what may fail without harm."""
    try:
        act()
    except (DatabaseError, InterfaceError) as error:
        log.warning("%s: %s", act.__name__, str(error).split("\n")[0])
    finally:
        connection.close()


def loop(job: Job, stop: threading.Event) -> None:
    """Call the job's work again and again; errors make it pause, never end."""
    pause = 0.0
    while not stop.is_set():
        job.wake.clear()
        job.begun = begun = time.monotonic()
        wait = job.interval
        try:
            done = job.work()
            pause = 0.0
            if not done and job.pause is not None:
                wait = min(wait, job.pause())
        except (DatabaseError, InterfaceError, psycopg2.Error) as error:
            log.warning(
                "job_database_error",
                extra={"job": job.name, "error": str(error).split("\n")[0]},
            )
            done, pause = 0, min(LONGEST_PAUSE, pause * 2 or 0.25)
            connection.close()
        except Exception:
            # The engine outlives any one bad row; the row's own room isolates it.
            log.exception("job_failed", extra={"job": job.name})
            done, pause = 0, min(LONGEST_PAUSE, pause * 2 or 0.25)
            connection.close()
        job.begun = None
        if done:
            for follower in job.then:
                follower.wake.set()
            if done < job.worth():
                spent = time.monotonic() - begun
                stop.wait(min(LONGEST_REST, RESTS * spent))
            continue
        if pause:
            stop.wait(pause)
        else:
            job.wake.wait(wait)
    connection.close()


def listen(work: list[Job], stop: threading.Event) -> None:
    """Wake jobs at a notice; without the connection, they poll all the same."""
    raw: Any = None
    while not stop.is_set():
        try:
            if raw is None:
                raw = connect("listener")
                with raw.cursor() as cursor:
                    cursor.execute("LISTEN ac_feed; LISTEN ac_steps")
            if not select.select([raw], [], [], 1.0)[0]:
                continue
            raw.poll()
        except (psycopg2.Error, OSError):
            raw = None
            time.sleep(0.5)
            continue
        told = {notice.channel for notice in raw.notifies}
        raw.notifies.clear()
        for job in work:
            # A step that falls due concerns no other job.
            if job.on_notice and ("ac_feed" in told or (told and job.name == "steps")):
                job.wake.set()
    if raw is not None:
        raw.close()
