"""Opsgenie has one alert for each group, and hears of each state that follows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import opsgenie_sdk
import pytest
from opsgenie_sdk.exceptions import AuthenticationException

from notifications.channels import opsgenie
from notifications.channels.base import DeliveryError, Parcel
from notifications.message import Note
from tests.fakes.opsgenie import FakeOpsgenie
from tests.fakes.tool import LOOPBACK
from tests.notifications.scene import a_message, a_parcel

KEY = "8c0a5f6e-1b7d-4a1c-9a55-0d6f6a3f4b21"


@pytest.fixture
def genie(settings) -> Iterator[FakeOpsgenie]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeOpsgenie(KEY) as fake:
        yield fake


@pytest.fixture
def parcel(genie: FakeOpsgenie) -> Parcel:
    return a_parcel(
        channel_kind="opsgenie",
        settings={"region": "us", "api_url": genie.url},
        secret={"api_key": KEY},
    )


def later(parcel: Parcel, state: str, note: str, kind: str = "update") -> Parcel:
    told = Note(note, "Alice", "2026-11-21T02:01:00+00:00")
    message = replace(parcel.message, kind=state, state=state, note=told)
    return replace(parcel, kind=kind, message=message)


def sdk(genie: FakeOpsgenie, key: str = KEY) -> Any:
    settings = opsgenie_sdk.Configuration()
    settings.host = genie.url
    settings.api_key["Authorization"] = key
    settings.api_key_prefix["Authorization"] = "GenieKey"
    return opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration=settings))


def test_a_group_becomes_an_alert_that_follows_its_states(genie, parcel):
    receipt = opsgenie.send(parcel)
    (alert,) = genie.alerts
    assert alert.alias == parcel.message.group_id
    assert genie.requests[receipt.provider_id] == (True, "Created alert")
    assert receipt.answer.startswith("202 Request will be processed")
    opsgenie.send(later(parcel, "acknowledged", "acknowledged"))
    assert alert.acknowledged
    assert (alert.notes, alert.users) == (["Alice acknowledged."], ["Alice"])
    opsgenie.send(later(parcel, "firing", "unacknowledged", "reply"))
    assert not alert.acknowledged
    opsgenie.send(later(parcel, "resolved", "resolved"))
    assert alert.status == "closed"


def test_a_page_that_comes_twice_is_one_alert(genie, parcel):
    opsgenie.send(parcel)
    opsgenie.send(replace(parcel, may_be_a_repeat=True))
    (alert,) = genie.alerts
    assert alert.count == 2


def test_what_joins_the_group_does_not_count_the_alert_up(genie, parcel):
    opsgenie.send(parcel)
    opsgenie.send(later(parcel, "firing", "grouped"))
    assert genie.alerts[0].count == 1


def test_that_it_flaps_becomes_a_note(genie, parcel):
    opsgenie.send(parcel)
    opsgenie.send(later(parcel, "firing", "calm", "reply"))
    (note,) = genie.alerts[0].notes
    assert "Calm again" in note


@pytest.mark.parametrize(
    ("severity", "priority", "theirs"),
    [(5, 0, "P1"), (3, 0, "P3"), (1, 0, "P5"), (5, 4, "P4"), (2, 1, "P1")],
)
def test_what_somebody_said_of_priority_goes_before_severity(
    genie, parcel, severity, priority, theirs
):
    message = a_message(severity=severity, priority=priority)
    opsgenie.send(replace(parcel, message=message))
    assert genie.alerts[0].first["priority"] == theirs


def test_what_is_too_long_keeps_title_priority_and_link(genie, parcel):
    long = "é" * 20_000
    message = a_message(labels={"a": long, "b": "short"})
    opsgenie.send(replace(parcel, title="Disks " + long, body=long, message=message))
    sent = genie.alerts[0].first
    assert sent["message"].startswith("Disks é")
    assert sent["description"].endswith(message.url)
    assert sent["priority"] == "P1"
    assert sent["details"]["url"] == message.url


def test_teams_and_tags_are_those_of_the_channel(genie, parcel):
    given = parcel.settings | {"teams": ["NOC"], "tags": ["prod", "x" * 80]}
    opsgenie.send(replace(parcel, settings=given))
    sent = genie.alerts[0].first
    assert sent["responders"] == [{"name": "NOC", "type": "team"}]
    assert [len(tag) for tag in sent["tags"]] == [4, 50]


def test_a_test_leaves_nothing_open(genie, parcel):
    opsgenie.send(replace(parcel, kind="test"))
    assert genie.alerts[0].status == "closed"


def test_a_wrong_key_is_said_without_saying_the_key(genie, parcel):
    with pytest.raises(DeliveryError) as error:
        opsgenie.send(replace(parcel, secret={"api_key": "wrong-key-of-acme"}))
    assert error.value.permanent
    assert "Could not authenticate GenieKey ***" in error.value.reason


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us", "https://api.opsgenie.com"),
        ("eu", "https://api.eu.opsgenie.com"),
        ("jsm", "https://api.atlassian.com/jsm/ops/integration"),
    ],
)
def test_each_region_has_an_address_of_its_own(region, host):
    there = a_parcel(channel_kind="opsgenie", settings={"region": region})
    assert opsgenie.address_of(there) == host


def test_opsgenies_own_client_finds_the_fake_to_be_opsgenie(genie, parcel):
    api = sdk(genie)
    opsgenie.send(parcel)
    alias = parcel.message.group_id
    shown = api.get_alert(alias, identifier_type="alias").data
    assert (shown.message, shown.status, shown.priority) == (
        "Disks are full",
        "open",
        "P1",
    )
    payload = opsgenie_sdk.AcknowledgeAlertPayload(user="bob", note="mine")
    taken = api.acknowledge_alert(
        alias, identifier_type="alias", acknowledge_alert_payload=payload
    )
    assert api.get_request_status(taken.request_id).data.is_success
    made = api.create_alert(opsgenie_sdk.CreateAlertPayload(message="x", alias="own"))
    assert made.result == "Request will be processed"
    api.close_alert("own", identifier_type="alias")
    assert [a.status for a in genie.alerts] == ["open", "closed"]
    with pytest.raises(AuthenticationException):
        sdk(genie, "other").get_alert(alias, identifier_type="alias")
