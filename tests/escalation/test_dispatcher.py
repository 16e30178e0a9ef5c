"""Whose steps come first, what happens to strange ones, and whose clock counts?"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings as configured
from django.db import connection, transaction
from django.utils import timezone

from alertcenter import flow
from alertcenter.alerts.models import Feed, Group, Transition
from alertcenter.dashboard.models import Live
from alertcenter.settings.env import ROOT
from escalation import carrying, dispatcher, runs
from escalation.models import DueStep, Run
from tenants.rls import in_tenant, tenant_context
from tests.alerts.test_intake import fire
from tests.conftest import login_as
from tests.escalation.scene import make_scene
from tests.escalation.test_auditor import sql
from tests.escalation.test_line import engine

A, B, C = (UUID(int=number) for number in range(3))


@pytest.mark.parametrize(
    ("waiting", "limit", "shares"),
    [
        ({A: 3, B: 4}, 100, {A: 3, B: 4}),
        ({A: 1_000, B: 1}, 100, {B: 1, A: 99}),
        ({A: 1_000, B: 1_000, C: 10}, 100, {C: 10, A: 45, B: 45}),
        ({A: 5, B: 5, C: 5}, 2, {A: 1, B: 1}),
        ({}, 100, {}),
    ],
)
def test_everybody_has_the_same_share_and_what_is_left_goes_to_the_others(
    waiting, limit, shares
):
    assert dispatcher.divided(waiting, limit) == shares


def test_a_turn_that_takes_long_makes_the_next_smaller(monkeypatch):
    turns = dispatcher.Turns()
    monkeypatch.setattr(dispatcher, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(dispatcher, "do_due_steps", lambda limit, _show: limit)
    assert turns.work() == dispatcher.BATCH
    assert turns.limit == dispatcher.LEAST_BATCH


class TestTurns:
    pytestmark = pytest.mark.django_db(transaction=True)

    def let_fire(self, send, scene, number: int) -> None:
        names = [{"labels": {"alertname": f"A{n}"}} for n in range(number)]
        send.own(scene.id, *names)
        connection.close()
        with login_as("engine"):
            while flow.process_feed():
                pass

    def test_one_tenants_backlog_does_not_delay_anothers_step(
        self, scene, globex, send
    ):
        self.let_fire(send, scene, 12)
        globex.members["bob"] = globex.members["charlie"]
        other = make_scene(globex)
        self.let_fire(send, other, 1)
        connection.close()
        with login_as("engine"):
            assert dispatcher.do_due_steps(4) == 4
        assert len(other.deliveries()) == 1
        assert len(scene.deliveries()) == 3

    def test_what_another_dispatcher_holds_is_passed_over(self, scene, send):
        """Two dispatchers share one tenant's backlog."""
        self.let_fire(send, scene, 6)
        connection.close()
        with login_as("engine"):
            other = connection.copy()
            try:
                with transaction.atomic():
                    shares = dispatcher.fair_shares(4)
                    with tenant_context(*shares):
                        first = dispatcher.claim(shares)
                        assert len(first) == 4
                        with other.cursor() as cursor:
                            literal = "{" + str(scene.id) + "}"
                            cursor.execute("BEGIN")
                            cursor.execute(
                                "SELECT set_config('app.tenants', %s, true)", [literal]
                            )
                            query = dispatcher.GROUPS.format(columns="x.id")
                            cursor.execute(query, [[str(scene.id)], [4]])
                            rows = cursor.fetchall()
                            cursor.execute("ROLLBACK")
                        held = {claimed.group.pk for claimed in first}
                        assert len(rows) == 2
                        assert held.isdisjoint(row[1] for row in rows)
            finally:
                other.close()

    def test_what_it_reads_is_what_django_would_read(self, scene, send):
        self.let_fire(send, scene, 1)
        connection.close()
        with login_as("engine"), transaction.atomic():
            shares = dispatcher.fair_shares(10)
            with tenant_context(*shares):
                (claimed,) = dispatcher.claim(shares)
                for row in (claimed.step, claimed.group, claimed.step.run):
                    stored = type(row).objects.get(pk=str(row.pk))
                    for field in row._meta.concrete_fields:
                        assert getattr(row, field.attname) == getattr(
                            stored, field.attname
                        )

    def test_the_next_look_is_when_the_next_step_falls_due(self, scene, send):
        connection.close()
        with login_as("engine"):
            assert dispatcher.until_next() == dispatcher.LONGEST_PAUSE
        send.prometheus(scene.id, fire(0))
        engine()
        connection.close()
        with login_as("engine"):
            assert 290 < dispatcher.until_next() <= 300

    def test_screens_show_a_page_without_the_flow(self, scene, send):
        """The group stands as before: the feed carries what others must look at."""
        self.let_fire(send, scene, 2)
        shown: list[dict[UUID, set[UUID]]] = []
        connection.close()
        with login_as("engine"):
            assert dispatcher.do_due_steps(show=shown.append) == 2
        with in_tenant(scene.id):
            groups = {group.pk for group in Group.objects.all()}
            assert shown == [{scene.id: groups}]
            assert not Feed.objects.exists()
            said = Transition.objects.filter(kind="paged")
            assert {row.group_id for row in said} == groups

    def test_a_frame_holds_the_page_and_what_comes_next(self, scene, send):
        self.let_fire(send, scene, 1)
        before = scene.group().version
        connection.close()
        with login_as("engine"):
            dispatcher.do_due_steps(show=flow.show)
        with in_tenant(scene.id):
            (row,) = Live.objects.latest("seq").frame["groups"]
            (due,) = DueStep.objects.filter(state="due")
            assert row["version"] == before + 1
            assert row["next_at"] == due.due_at.isoformat()

    def test_a_step_due_at_once_wakes_the_dispatchers(self, scene, send):
        send.prometheus(scene.id, fire(0))
        engine()
        with connection.cursor() as cursor:
            cursor.execute("LISTEN ac_steps")
        with in_tenant(scene.id):
            assert runs.bring_forward(scene.id, scene.group().pk)
        connection.connection.poll()
        told = [notice.channel for notice in connection.connection.notifies]
        assert told == ["ac_steps"]


class TestBesideOtherReleases:
    """Old and new code run together while an installation is upgraded."""

    pytestmark = pytest.mark.django_db(transaction=True)

    OLD_RUN = """
    INSERT INTO run (id, tenant_id, group_id, policy_name, snapshot, state)
    VALUES (gen_random_uuid(), %s, %s, 'Old', %s, 'active') RETURNING id
    """
    OLD_STEP = """
    INSERT INTO due_step (tenant_id, run_id, group_id, position, round, due_at, state,
      attempts, error) VALUES (%s, %s, %s, 0, 1, now(), 'due', 0, '')
    """

    def write(self, scene, snapshot: str) -> None:
        """Write a run as another release would, in the place of the present one."""
        with in_tenant(scene.id):
            group = scene.group().pk
            runs.stop(scene.id, [group])
            with connection.cursor() as cursor:
                cursor.execute(self.OLD_RUN, [scene.id, group, snapshot])
                (run,) = cursor.fetchone()
                cursor.execute(self.OLD_STEP, [scene.id, run, group])

    def test_a_run_that_the_first_release_wrote_is_carried_out(self, scene, send):
        send.prometheus(scene.id, fire(0))
        engine()
        with in_tenant(scene.id):
            step = Run.objects.get().snapshot["steps"][0]
        kept = {name: step[name] for name in ("kind", "target", "who", "wait")}
        self.write(scene, json.dumps({"policy": "", "name": "Old", "steps": [kept]}))
        engine()
        assert len(scene.deliveries()) == 2
        assert [run.state for run in scene.runs()] == ["stopped", "finished"]

    def test_a_step_of_a_kind_that_a_newer_release_wrote_is_put_off_not_lost(
        self, scene, send
    ):
        send.prometheus(scene.id, fire(0))
        engine()
        newer = {"kind": "telepathy", "target": str(scene.acme.members["bob"].pk),
                 "who": "Bob", "wait": 0}  # fmt: skip
        self.write(scene, json.dumps({"policy": "", "name": "Old", "steps": [newer]}))
        engine()
        assert len(scene.deliveries()) == 1
        (step,) = scene.due()
        assert (step.state, step.attempts) == ("due", 1)
        assert "telepathy" in step.error


class TestStepsThatFail:
    pytestmark = pytest.mark.django_db(transaction=True)

    def fail(self, monkeypatch, scene, error: str) -> None:
        """Let the first step of the policy fail, time and again."""
        real = carrying.resolve

        def resolve(books, item, now):
            if item.step.position == 0:
                raise RuntimeError(error)
            return real(books, item, now)

        monkeypatch.setattr(carrying, "resolve", resolve)

    def attempt(self, times: int) -> None:
        for _ in range(times):
            connection.close()
            with login_as("engine"):
                sql("UPDATE due_step SET due_at = now() WHERE attempts > 0")
                dispatcher.do_due_steps()

    def test_after_two_minutes_the_next_step_follows(self, scene, send, monkeypatch):
        self.fail(monkeypatch, scene, "broken for good")
        send.prometheus(scene.id, fire(0))
        connection.close()
        with login_as("engine"):
            flow.process_feed()
        self.attempt(dispatcher.MOST_ATTEMPTS - 1)
        (step,) = scene.due()
        assert (step.position, step.attempts) == (0, dispatcher.MOST_ATTEMPTS - 1)
        self.attempt(1)
        assert scene.deliveries() == []
        with in_tenant(scene.id):
            (line,) = Transition.objects.filter(reason="failed")
            assert (line.kind, line.data["step"]) == ("noted", 1)
            failed = DueStep.objects.get(position=0)
            assert failed.state == "done"
            assert "broken for good" in failed.error
        self.attempt(1)
        assert len(scene.deliveries()) == 1

    def test_what_cannot_be_passed_over_either_is_tried_again(
        self, scene, send, monkeypatch
    ):
        self.fail(monkeypatch, scene, "broken for good")
        send.prometheus(scene.id, fire(0))
        connection.close()
        with login_as("engine"):
            flow.process_feed()

        def stuck(*_):
            raise ValueError("stuck as well")

        monkeypatch.setattr(dispatcher, "pass_over", stuck)
        self.attempt(dispatcher.MOST_ATTEMPTS + 1)
        (step,) = scene.due()
        assert (step.position, step.attempts) == (0, dispatcher.MOST_ATTEMPTS + 1)


class TestClocks:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.mark.parametrize("hours", [-1, 1])
    def test_an_hour_on_the_hosts_clock_changes_nothing(
        self, scene, send, monkeypatch, hours
    ):
        shift = timedelta(hours=hours)
        real, real_ns = time.time, time.time_ns
        seconds = int(shift.total_seconds())
        monkeypatch.setattr(time, "time", lambda: real() + seconds)
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() + seconds * 10**9)
        monkeypatch.setattr(timezone, "now", lambda: datetime.now(UTC) + shift)
        send.prometheus(scene.id, fire(0))
        engine()
        assert len(scene.deliveries()) == 1
        scene.pass_time(299)
        engine()
        assert len(scene.deliveries()) == 1  # not early
        scene.pass_time(1)
        engine()
        assert len(scene.deliveries()) == 2  # not late
        with in_tenant(scene.id):
            done = DueStep.objects.filter(state="done")
            assert all(step.done_at and step.done_at >= step.due_at for step in done)

    def test_what_decides_never_asks_the_hosts_clock(self):
        asks = re.compile(r"time\.time\(|datetime\.now\(|utcnow\(|timezone\.now\(|"
                          r"date\.today\(|from time import time")  # fmt: skip
        rooms = ["escalation/*.py", "escalation/steps/*.py"]
        files = [path for room in rooms for path in Path(ROOT).glob(room)]
        assert len(files) > 20
        found = [str(path) for path in files if asks.search(path.read_text())]
        assert found == []


def test_beat_only_does_housekeeping():
    """None or two of it change nothing in escalation."""
    tasks = {entry["task"] for entry in configured.CELERY_BEAT_SCHEDULE.values()}
    assert tasks == {
        "notifications.sweep",
        "notifications.ensure_partitions",
        "tenants.retention",
    }
