"""ServiceNow has one record a group, and neither side undoes the other's work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from notifications.channels import (
    servicenow,
    servicenow_access,
    servicenow_fields,
    tooling,
)
from notifications.channels.base import DeliveryError, Parcel, Receipt, ThreadPlace
from notifications.claiming import LEASE
from notifications.message import Note
from tests.fakes.servicenow import FakeServiceNow
from tests.fakes.tool import LOOPBACK
from tests.notifications.scene import a_message, a_parcel

PASSWORD = "correct horse battery"


@pytest.fixture
def now(settings, monkeypatch) -> Iterator[FakeServiceNow]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    monkeypatch.setattr(servicenow_access, "_tokens", {})
    with FakeServiceNow("alertcenter", PASSWORD) as fake:
        yield fake


@pytest.fixture
def parcel(now: FakeServiceNow) -> Parcel:
    return a_parcel(
        channel_kind="servicenow",
        settings={"url": now.url, "user": "alertcenter", "auth": "basic"},
        secret={"password": PASSWORD},
    )


def oauth(parcel: Parcel) -> Parcel:
    return replace(parcel, settings=parcel.settings | {"auth": "oauth"})


def later(
    parcel: Parcel,
    receipt: Receipt,
    state: str,
    note: str,
    *,
    kind: str = "update",
    actor: str = "Alice",
) -> Parcel:
    told = Note(note, actor, "2026-11-21T02:01:00+00:00")
    message = replace(parcel.message, kind=state, state=state, note=told)
    return replace(parcel, kind=kind, message=message, thread=receipt.thread)


def test_a_group_becomes_an_incident(now, parcel):
    receipt = servicenow.send(parcel)
    (record,) = now.records
    assert receipt.provider_id == record.number
    assert receipt.answer == f"201 {record.number}"
    assert receipt.thread == ThreadPlace(record.sys_id, record.number)
    assert record.fields["correlation_id"] == parcel.message.group_id
    assert record.fields["short_description"] == "Disks are full"
    assert record.fields["description"].endswith(parcel.message.url)


def test_it_is_taken_and_resolved_with_the_group(now, parcel):
    receipt = servicenow.send(parcel)
    (record,) = now.records
    servicenow.send(later(parcel, receipt, "acknowledged", "acknowledged"))
    assert (record.state, record.notes) == ("2", ["Alice acknowledged."])
    servicenow.send(later(parcel, receipt, "resolved", "resolved"))
    assert record.state == "6"
    assert record.fields["close_code"] == "Solution provided"
    assert record.fields["close_notes"] == "Alice resolved. · Disks are full"


def test_in_doubt_it_is_looked_for_before_it_is_made_again(now, parcel):
    now.reset_after_read()
    with pytest.raises(DeliveryError) as error:
        servicenow.send(parcel)
    assert error.value.ambiguous
    receipt = servicenow.send(replace(parcel, may_be_a_repeat=True))
    (record,) = now.records
    assert receipt.thread == ThreadPlace(record.sys_id, record.number)


def test_in_doubt_and_not_there_it_is_made(now, parcel):
    now.reset_after_read(acted=False)
    with pytest.raises(DeliveryError):
        servicenow.send(parcel)
    servicenow.send(replace(parcel, may_be_a_repeat=True))
    assert len(now.records) == 1


@pytest.mark.parametrize("half", [True, False])
def test_an_answer_without_a_record_leaves_doubt(now, parcel, half):
    if half:
        now.half_an_answer()
    else:
        now.status(200, "<html>Instance Hibernating page</html>")
    with pytest.raises(DeliveryError) as error:
        servicenow.send(parcel)
    assert (error.value.ambiguous, error.value.permanent) == (True, False)


def test_a_second_page_is_a_note_in_the_same_record(now, parcel):
    receipt = servicenow.send(parcel)
    servicenow.send(replace(parcel, thread=receipt.thread))
    (record,) = now.records
    assert record.notes == ["Disks are full\nTwo disks are full."]


def test_a_record_that_was_deleted_is_made_anew(now, parcel):
    receipt = servicenow.send(parcel)
    now.records.clear()
    again = servicenow.send(replace(parcel, thread=receipt.thread))
    assert again.thread == ThreadPlace(now.records[0].sys_id, now.records[0].number)
    now.records.clear()
    over = servicenow.send(later(parcel, again, "resolved", "resolved"))
    assert "no longer exists" in over.answer


def test_what_people_closed_there_is_not_opened_again(now, parcel):
    receipt = servicenow.send(parcel)
    (record,) = now.records
    record.fields["state"] = "7"
    servicenow.send(later(parcel, receipt, "acknowledged", "acknowledged"))
    servicenow.send(later(parcel, receipt, "resolved", "resolved"))
    assert record.state == "7"
    assert record.notes == ["Alice acknowledged.", "Alice resolved."]


def test_what_is_on_hold_stays_on_hold(now, parcel):
    receipt = servicenow.send(parcel)
    now.records[0].fields["state"] = "3"
    servicenow.send(later(parcel, receipt, "acknowledged", "acknowledged"))
    assert now.records[0].state == "3"


def test_what_was_done_there_is_not_told_there_again(now, parcel):
    receipt = servicenow.send(parcel)
    (record,) = now.records
    record.fields["state"] = "2"
    there = "Bob" + servicenow.FROM_THERE
    echo = later(parcel, receipt, "acknowledged", "acknowledged", actor=there)
    assert servicenow.send(echo).answer == "nothing new to it"
    record.fields["state"] = "6"
    servicenow.send(later(parcel, receipt, "resolved", "resolved", actor=there))
    assert [call.method for call in now.calls] == ["POST", "GET", "GET"]
    assert record.notes == []


def test_that_it_flaps_is_a_note(now, parcel):
    receipt = servicenow.send(parcel)
    servicenow.send(later(parcel, receipt, "firing", "calm", kind="reply"))
    assert "Calm again" in now.records[0].notes[0]
    assert now.records[0].state == "1"


@pytest.mark.parametrize(
    ("severity", "priority", "theirs"),
    [(5, 0, ("1", "1")), (3, 0, ("2", "2")), (5, 5, ("3", "3")), (1, 2, ("1", "2"))],
)
def test_priority_becomes_impact_and_urgency(now, parcel, severity, priority, theirs):
    message = a_message(severity=severity, priority=priority)
    servicenow.send(replace(parcel, message=message))
    fields = now.records[0].fields
    assert (fields["impact"], fields["urgency"]) == theirs


def test_more_fields_are_the_tenants_templates(now, parcel):
    fields = json.dumps(
        {
            "assignment_group": "{{ labels.team }}",
            "category": "Hardware",
            "u_empty": "{{ labels.nothing }}",
            "short_description": "[{{ severity.label }}] {{ title }}",
        }
    )
    given = parcel.settings | {"fields": servicenow_fields.fields_setting(fields)}
    servicenow.send(replace(parcel, settings=given))
    sent = now.records[0].fields
    assert (sent["assignment_group"], sent["category"]) == ("database", "Hardware")
    assert sent["short_description"] == "[Critical] Disks are full"
    assert "u_empty" not in sent


@pytest.mark.parametrize(
    "wrong",
    [
        "nonsense",
        "[1]",
        '{"sys_id": "x"}',
        '{"correlation_id": "x"}',
        '{"Bad Name": "x"}',
        '{"a": {"b": 1}}',
        '{"a": "{{ title.__class__ }}"}',
        '{"a": "{{ 9**9**9 }}"}',
        '{"a": "{% if %}"}',
    ],
)
def test_fields_that_cannot_work_are_refused_when_saved(wrong):
    with pytest.raises(ValidationError):
        servicenow_fields.fields_setting(wrong)


def test_another_table_has_other_states(now, parcel):
    now.table = "u_alert"
    given = {"table": "u_alert", "state_new": "new", "state_taken": "work"}
    parcel = replace(parcel, settings=parcel.settings | given)
    receipt = servicenow.send(parcel)
    now.records[0].fields["state"] = "new"
    servicenow.send(later(parcel, receipt, "acknowledged", "acknowledged"))
    assert now.records[0].state == "work"


def test_what_is_too_long_keeps_title_and_link(now, parcel):
    long = replace(parcel, title="Disks " + "x" * 900, body="y" * 9_000)
    servicenow.send(long)
    fields = now.records[0].fields
    assert fields["short_description"].startswith("Disks xxx")
    assert fields["description"].endswith(parcel.message.url)
    assert len(fields["description"]) <= servicenow_fields.LONGEST_TEXT


def test_a_token_is_asked_for_once_and_again_when_taken_back(now, parcel):
    servicenow.send(oauth(parcel))
    servicenow.send(replace(oauth(parcel), message=a_message()))
    assert now.given == 1
    now.tokens.clear()
    servicenow.send(replace(oauth(parcel), message=a_message()))
    assert (now.given, len(now.records)) == (2, 3)


def test_no_token_is_said_without_the_secret(now, parcel):
    wrong = replace(oauth(parcel), secret={"password": "not the secret"})
    with pytest.raises(DeliveryError) as error:
        servicenow.send(wrong)
    assert error.value.permanent
    assert "access_denied" in error.value.reason
    assert "not the secret" not in error.value.reason


def test_no_answer_about_a_token_leaves_no_doubt(now, parcel, monkeypatch):
    monkeypatch.setattr(tooling, "SECONDS", 0.3)
    now.slow(1.0)
    with pytest.raises(DeliveryError) as error:
        servicenow.send(oauth(parcel))
    assert (error.value.ambiguous, error.value.permanent) == (False, False)


def test_many_slow_calls_end_before_the_lease_does(now, parcel, monkeypatch):
    assert LEASE.total_seconds() > servicenow_access.LONGEST_DELIVERY
    monkeypatch.setattr(servicenow_access, "LONGEST_DELIVERY", 0.6)
    receipt = servicenow.send(parcel)
    now.slow(0.55)
    with pytest.raises(DeliveryError) as error:
        servicenow.send(later(parcel, receipt, "resolved", "resolved"))
    assert not error.value.permanent
    assert now.records[0].state == "1"


def test_its_own_words_of_a_refusal_are_said(now, parcel):
    receipt = servicenow.send(parcel)
    now.status(403, json.dumps({"error": {"message": "Failed", "detail": "ACL"}}))
    with pytest.raises(DeliveryError) as error:
        servicenow.send(later(parcel, receipt, "resolved", "resolved"))
    assert error.value.reason == "403 Failed: ACL"
    assert error.value.permanent


def test_a_test_leaves_nothing_open(now, parcel):
    servicenow.send(replace(parcel, kind="test"))
    assert now.records[0].state == "6"


def given(**changes: Any) -> dict[str, Any]:
    return {"url": "https://a.service-now.com", "password": ""} | changes


def test_the_password_is_shown_to_no_other_server():
    stored = {"stored": {"url": "https://a.service-now.com"}}
    held = {"password": "x"}
    assert servicenow_access.check(given() | stored, held) == {}
    moved = given(url="https://evil.example") | stored
    assert "password" in servicenow_access.check(moved, held)
    assert servicenow_access.check(moved | {"password": "y"}, held) == {}


@pytest.mark.parametrize(
    "wrong",
    ["ftp://x", "https://a.example/api", "https://u:p@a.example", "a.service-now.com"],
)
def test_an_address_that_is_no_instance_is_refused(wrong):
    with pytest.raises(ValidationError):
        servicenow_access.an_instance(wrong)
