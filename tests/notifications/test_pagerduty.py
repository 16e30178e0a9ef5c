"""PagerDuty is told of a group once, and of each state that follows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", UserWarning)
    import pdpyras

from notifications.channels import pagerduty
from notifications.channels.base import DeliveryError, Parcel
from notifications.message import AlertLine, Note
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.tool import LOOPBACK
from tests.notifications.scene import a_message, a_parcel, acknowledged

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def duty(settings) -> Iterator[FakePagerDuty]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakePagerDuty(KEY) as fake:
        yield fake


@pytest.fixture
def parcel(duty: FakePagerDuty) -> Parcel:
    return a_parcel(
        channel_kind="pagerduty",
        settings={"region": "us", "api_url": duty.url},
        secret={"routing_key": KEY},
    )


def later(parcel: Parcel, state: str, note: str) -> Parcel:
    told = Note(note, "Alice", "2026-11-21T02:01:00+00:00")
    message = replace(parcel.message, kind=state, state=state, note=told)
    return replace(parcel, kind="update", message=message)


def test_a_group_becomes_an_incident_that_follows_its_states(duty, parcel):
    receipt = pagerduty.send(parcel)
    (incident,) = duty.incidents
    assert receipt.provider_id == incident.key == parcel.message.group_id
    assert receipt.answer == "202 Event processed"
    pagerduty.send(later(parcel, "acknowledged", "acknowledged"))
    assert incident.state == "acknowledged"
    pagerduty.send(later(parcel, "resolved", "resolved"))
    assert incident.state == "resolved"
    assert len(duty.incidents) == 1


def test_a_page_that_comes_twice_is_one_incident(duty, parcel):
    pagerduty.send(parcel)
    pagerduty.send(replace(parcel, may_be_a_repeat=True))
    (incident,) = duty.incidents
    assert len(incident.triggers) == 2


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(5, "critical"), (4, "error"), (3, "warning"), (2, "info"), (1, "info")],
)
def test_severities_are_pagerdutys_own(duty, parcel, ours, theirs):
    pagerduty.send(replace(parcel, message=a_message(severity=ours)))
    assert duty.incidents[0].triggers[0]["payload"]["severity"] == theirs


def test_a_trigger_says_where_it_is_and_leads_back(duty, parcel):
    line = AlertLine("db-1", 5, "firing", {"instance": "db-1:9100"}, link="https://p/g")
    message = a_message(alerts=(line,), runbook="https://wiki/x", service="Database")
    pagerduty.send(replace(parcel, message=message))
    (sent,) = duty.incidents[0].triggers
    assert sent["payload"]["source"] == "db-1:9100"
    assert sent["payload"]["component"] == "Database"
    assert sent["client_url"] == message.url
    assert [link["href"] for link in sent["links"]] == [
        message.url,
        "https://wiki/x",
        "https://p/g",
    ]
    details = sent["payload"]["custom_details"]
    assert details["alerts"][0]["labels"] == {"instance": "db-1:9100"}


def test_a_link_that_runs_a_script_is_left_out(duty, parcel):
    line = AlertLine("db-1", 5, "firing", link="javascript:alert(1)")
    message = a_message(alerts=(line,), runbook="data:text/html,x")
    pagerduty.send(replace(parcel, message=message))
    assert b"javascript:" not in duty.calls[0].raw
    assert [link["href"] for link in duty.incidents[0].triggers[0]["links"]] == [
        message.url
    ]


def test_what_is_too_long_keeps_title_severity_and_link(duty, parcel):
    long = "x" * 4_000
    lines = tuple(
        AlertLine(
            f"alert {n}", 5, "firing", {f"l{i}": long for i in range(30)}, long, long
        )
        for n in range(10)
    )
    message = a_message(alerts=lines)
    pagerduty.send(replace(parcel, title="Disks " + long, message=message))
    assert len(duty.calls[0].raw) <= pagerduty.MOST_BYTES
    (sent,) = duty.incidents[0].triggers
    assert sent["payload"]["summary"].startswith("Disks xxx")
    assert len(sent["payload"]["summary"]) == pagerduty.LONGEST_SUMMARY
    assert sent["payload"]["severity"] == "critical"
    assert sent["client_url"] == message.url
    assert sent["payload"]["custom_details"]["truncated"] is True
    assert sent["payload"]["custom_details"]["alerts"]


def test_what_our_policy_does_meanwhile_is_no_event(duty, parcel):
    assert "nothing" in pagerduty.send(later(parcel, "firing", "told")).answer
    assert duty.calls == []


def test_an_end_that_nobody_wants_to_hear_of_is_not_sent(duty, parcel):
    silent = replace(parcel, settings=parcel.settings | {"send_resolved": False})
    pagerduty.send(silent)
    pagerduty.send(later(silent, "resolved", "resolved"))
    assert duty.incidents[0].state == "triggered"


def test_a_test_leaves_nothing_open(duty, parcel):
    receipt = pagerduty.send(replace(parcel, kind="test", message=a_message()))
    assert [call.json["event_action"] for call in duty.calls] == ["trigger", "resolve"]
    assert duty.incidents[0].state == "resolved"
    assert receipt.answer.count("202 Event processed") == 2


def test_europe_has_an_address_of_its_own():
    there = a_parcel(channel_kind="pagerduty", settings={"region": "eu"})
    assert pagerduty.address_of(there) == "https://events.eu.pagerduty.com"


def test_a_key_that_leads_nowhere_is_said_without_saying_the_key(duty, parcel):
    wrong = replace(parcel, secret={"routing_key": "f" * 32})
    with pytest.raises(DeliveryError) as error:
        pagerduty.send(wrong)
    assert error.value.permanent
    assert "is unknown" in error.value.reason
    assert "f" * 32 not in error.value.reason


def test_pdpyras_finds_the_fake_to_be_pagerduty(duty, parcel):
    session = pdpyras.EventsAPISession(KEY)
    session.url = duty.url
    key = session.trigger("Disks are full", "db-1", severity="error")
    session.acknowledge(key)
    assert duty.incidents[0].state == "acknowledged"
    session.resolve(key)
    assert duty.incidents[0].state == "resolved"
    pagerduty.send(parcel)
    session.acknowledge(parcel.message.group_id)
    assert duty.incidents[1].state == "acknowledged"
    with pytest.raises(pdpyras.PDClientError):
        pdpyras_with(duty, "0" * 32).trigger("Disks are full", "db-1")


def pdpyras_with(duty: FakePagerDuty, key: str) -> pdpyras.EventsAPISession:
    session = pdpyras.EventsAPISession(key)
    session.url = duty.url
    return session


def test_who_acknowledged_in_our_words_is_one_event(duty, parcel):
    pagerduty.send(parcel)
    change = replace(parcel, kind="update", message=acknowledged(parcel.message))
    pagerduty.send(change)
    assert set(duty.calls[1].json) == {"routing_key", "dedup_key", "event_action"}
