"""Is what is forgotten found, healed, and told to the outside?"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
from django.db import connection

from alertcenter import flow, watching
from alertcenter.alerts.models import Transition
from escalation import auditor, dispatcher
from escalation.auditor import Findings
from escalation.models import Step
from escalation.models.schedule import Turn
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.conftest import login_as
from tests.escalation.test_line import engine
from tests.fakes.webhook import FakeWebhook

pytestmark = pytest.mark.django_db(transaction=True)


def look(*, again: bool = True) -> Findings | None:
    """Let the auditor look, as if it had not for a while."""
    connection.close()
    with login_as("engine"):
        if again:
            sql("UPDATE engine_heartbeat SET at = now() - interval '1 minute' "
                "WHERE process = 'auditor'")  # fmt: skip
        return auditor.audit()


def sql(statement: str, values: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def heard_of(name: str, seconds: int, **data: str) -> None:
    connection.close()
    with login_as("engine"):
        sql(
            "INSERT INTO engine_heartbeat (process, at, version, data) "
            "VALUES (%s, now() - %s * interval '1 second', '', %s)",
            [name, seconds, json.dumps(data)],
        )


def older(scene, seconds: int) -> None:
    """Let all groups have been changed so long ago."""
    with in_tenant(scene.id):
        sql(
            "UPDATE alert_group SET changed_at = now() - %s * interval '1 second'",
            [seconds],
        )


def test_a_policy_at_work_is_no_finding(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    older(scene, 3600)
    assert look() == Findings()
    assert Findings().clean


def test_steps_that_nobody_carries_out_are_counted(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    scene.pass_time(340)
    found = look()
    assert found == Findings(overdue=1)
    assert not found.clean


def test_a_step_that_was_put_off_after_an_error_is_counted(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        sql("UPDATE due_step SET attempts = 2 WHERE state = 'due'")
    assert look() == Findings(put_off=1)


def test_a_run_whose_step_was_lost_begins_anew_and_the_timeline_says_so(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        sql("DELETE FROM due_step WHERE state = 'due'")
    assert look() == Findings()  # it changed a moment ago
    older(scene, 60)
    assert look() == Findings(orphans=1)
    assert [run.state for run in scene.runs()] == ["stopped", "active"]
    with in_tenant(scene.id):
        line = Transition.objects.filter(group_id=scene.group().pk).latest("id")
        assert (line.kind, line.reason) == ("noted", "run_lost")
    engine()
    assert len(scene.deliveries()) == 2
    older(scene, 60)
    assert look() == Findings()


def test_a_group_that_opened_without_a_run_is_found_and_left_to_people(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        sql("DELETE FROM due_step")
        sql("DELETE FROM run")
    older(scene, 60)
    assert look() == Findings(orphans=1)
    assert scene.runs() == []
    with in_tenant(scene.id):
        sql("UPDATE alert_group SET opened_at = now() - interval '1 day'")
    # Its route may have had no policy then: counted, but no reason for an alarm.
    found = look()
    assert found == Findings(unattended=1)
    assert found.clean


@pytest.mark.parametrize("state", ["acknowledged", "snoozed", "resolved"])
def test_groups_in_hand_and_policies_at_their_end_are_no_findings(scene, send, state):
    send.prometheus(scene.id, fire(0))
    engine()
    scene.pass_time(300)
    engine()
    older(scene, 60)
    assert look() == Findings()
    with in_tenant(scene.id):
        sql("DELETE FROM due_step")
        sql("DELETE FROM run")
        sql("UPDATE alert_group SET state = %s", [state])
    assert look() == Findings()


def test_leases_of_dead_senders_are_counted(scene, send):
    send.prometheus(scene.id, fire(0))
    engine()
    with in_tenant(scene.id):
        sql("UPDATE delivery SET state = 'leased', "
            "lease_until = now() - interval '40 seconds'")  # fmt: skip
    assert look() == Findings(expired_leases=1)


def test_schedules_in_which_nobody_ever_is_are_counted(scene, send):
    with in_tenant(scene.id):
        assert Step.objects.filter(schedule__isnull=False).count() == 1
        Turn.objects.all().delete()
    found = look()
    assert found == Findings(empty_schedules=1)
    assert found.clean


def test_silent_and_stuck_dispatchers_are_found(scene):
    heard_of("dispatcher@a:1", 5)
    assert look() == Findings()
    heard_of("dispatcher@b:1", 40)
    heard_of("dispatcher@c:1", 5, stuck="steps")
    heard_of("dispatcher@d:1", 7_000)
    assert look() == Findings(silent=1, stuck=1)
    text = watching.figures().decode()
    assert 'alertcenter_dispatchers{state="well"} 1.0' in text
    assert 'alertcenter_dispatchers{state="silent"} 1.0' in text
    assert 'alertcenter_dispatchers{state="stuck"} 1.0' in text
    assert "alertcenter_audit_clean 0.0" in text
    assert watching.sentence() == ""


def test_without_a_dispatcher_the_web_says_that_nobody_is_paged(scene):
    assert watching.sentence() == ""  # nothing was ever started
    heard_of("dispatcher@a:1", 40)
    assert "nobody is paged" in watching.sentence()


def test_all_dispatchers_together_look_once(scene):
    assert look(again=False) is not None
    assert look(again=False) is None


class TestOutside:
    @pytest.fixture(autouse=True)
    def outside(self, settings):
        with FakeWebhook() as fake:
            settings.HEARTBEAT_URL = f"{fake.url}/ping/key?x=1"
            settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
            yield fake

    def look(self) -> None:
        connection.close()
        with login_as("engine"):
            sql("UPDATE engine_heartbeat SET at = now() - interval '1 minute' "
                "WHERE process = 'auditor'")  # fmt: skip
            auditor.work()

    def test_a_clean_pass_calls_at_most_once_a_minute(self, scene, outside):
        for _ in range(3):
            self.look()
        assert [call.path for call in outside.calls] == ["/ping/key?x=1"]
        with login_as("engine"):
            sql(
                "UPDATE engine_heartbeat SET data = data || "
                "jsonb_build_object('pinged', extract(epoch FROM now()) - 61)"
            )
        self.look()
        assert len(outside.calls) == 2

    def test_what_is_wrong_is_told_at_once_and_its_end_too(self, scene, send, outside):
        send.prometheus(scene.id, fire(0))
        engine()
        self.look()
        scene.pass_time(340)
        self.look()
        engine()
        self.look()
        paths = [call.path for call in outside.calls]
        assert paths == ["/ping/key?x=1", "/ping/key/fail?x=1", "/ping/key?x=1"]
        assert outside.calls[1].body["overdue"] == 1

    def test_an_address_that_does_not_answer_stops_nothing(self, scene, settings):
        settings.HEARTBEAT_URL = "http://127.0.0.1:1/x"
        self.look()
        settings.OUTBOUND_ALLOW = []
        settings.HEARTBEAT_URL = "http://127.0.0.1:2/x"
        self.look()
        connection.close()
        with login_as("engine"), connection.cursor() as cursor:
            cursor.execute("SELECT data ->> 'ping_error' FROM engine_heartbeat")
            assert cursor.fetchone()[0]


def test_feed_is_untouched_by_looking(scene, send):
    """What the auditor does not heal it does not write about."""
    send.prometheus(scene.id, fire(0))
    engine()
    look()
    connection.close()
    with login_as("engine"):
        assert flow.process_feed() == 0
        assert dispatcher.do_due_steps() == 0
