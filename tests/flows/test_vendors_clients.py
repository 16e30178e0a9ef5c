"""The vendors' own clients, with nothing changed but the address."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import opsgenie_sdk
import pytest
from opsgenie_sdk.rest import ApiException

with pytest.warns(UserWarning, match="deprecated"):
    import pdpyras

from tests.binaries import require_binary
from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, free_port, until

pytestmark = pytest.mark.flow

ROUTING_KEY = """
from tenants import apikeys
from tenants.actors import Actor
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from uuid import UUID
pk = UUID({tenant!r})
with in_tenant(pk):
    made = Integration.objects.create(
        tenant_id=pk, slug={name!r}, name={name!r}, source="pagerduty")
    key = apikeys.mint(pk, {name!r}, ["ingest"], actor=Actor("operator", "", "test"),
                       kind=Kind.ROUTING, integration=made)[1]
print("KEY " + key)
"""

CONFIG = """
route: {{receiver: all, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}
receivers:
  - name: all
    pagerduty_configs:
      - {{routing_key: {routing}, url: "{url}/pagerduty/v2/enqueue"}}
    opsgenie_configs:
      - {{api_key: {key}, api_url: "{url}/opsgenie/", update_alerts: true,
          message: "[{{{{ .Status }}}}] {{{{ .GroupLabels.alertname }}}}"}}
"""


@pytest.fixture(scope="module")
def world(stack: Stack) -> Iterator[World]:
    with FakeSlack() as fake:
        yield build(stack, fake, slug="vendors")


def routing_key(world: World, stack: Stack, name: str) -> str:
    said = stack.manage(
        "shell", "-c", ROUTING_KEY.format(tenant=world.tenant, name=name)
    )
    return said.partition("KEY ")[2].split()[0]


def alerts(world: World, stack: Stack, **where: str) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{stack.url}/t/{world.slug}/api/v1/alerts?page_size=500",
        headers={"Authorization": f"Bearer {world.key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        rows = json.load(answer)["results"]
    return [row for row in rows if all(row[k] == v for k, v in where.items())]


# --- PagerDuty's ---


def test_pdpyras_triggers_acknowledges_and_resolves(world, stack):
    session = pdpyras.EventsAPISession(routing_key(world, stack, "pdpyras"))
    session.url = f"{stack.url}/pagerduty"
    key = session.trigger(
        "Disk is full",
        "db-1",
        severity="critical",
        custom_details={"free": "512 MB"},
        links=[{"href": "https://wiki.example/disk", "text": "runbook"}],
    )
    (found,) = alerts(world, stack, title="Disk is full")
    assert found["severity"] == "critical"
    assert found["annotations"]["free"] == "512 MB"
    assert session.acknowledge(key) == key
    until(lambda: groups(world, stack, "Disk is full") == ["acknowledged"])
    assert session.resolve(key) == key
    until(lambda: groups(world, stack, "Disk is full") == ["resolved"])


def groups(world: World, stack: Stack, title: str) -> list[str]:
    request = urllib.request.Request(
        f"{stack.url}/t/{world.slug}/api/v1/groups",
        headers={"Authorization": f"Bearer {world.key}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        rows = json.load(answer)["results"]
    return [row["state"] for row in rows if row["title"] == title]


def test_pdpyras_sends_change_events(world, stack):
    session = pdpyras.ChangeEventsAPISession(routing_key(world, stack, "changes"))
    session.url = f"{stack.url}/pagerduty"
    session.submit("Deployed 1.2", "ci")


def test_pdpyras_learns_what_is_wrong(world, stack):
    session = pdpyras.EventsAPISession("0" * 32)
    session.url = f"{stack.url}/pagerduty"
    with pytest.raises(pdpyras.PDClientError) as error:
        session.trigger("x", "y")
    assert "Invalid routing key" in error.value.response.text


# --- Opsgenie's ---


@pytest.fixture
def opsgenie(world: World, stack: Stack) -> opsgenie_sdk.AlertApi:
    settings = opsgenie_sdk.Configuration()
    settings.host = f"{stack.url}/opsgenie"
    settings.api_key["Authorization"] = world.key
    return opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration=settings))


def test_opsgenies_sdk_creates_reads_and_closes(opsgenie):
    made = opsgenie.create_alert(
        opsgenie_sdk.CreateAlertPayload(
            message="Queue is long",
            alias="queue",
            priority="P2",
            tags=["mq"],
            details={"host": "mq-1"},
            description="120,000 messages",
        )
    )
    assert made.result == "Request will be processed"
    status = opsgenie.get_request_status(made.request_id)
    assert status.data.is_success
    shown = opsgenie.get_alert("queue", identifier_type="alias").data
    assert (shown.message, shown.priority, shown.status) == (
        "Queue is long",
        "P2",
        "open",
    )
    assert shown.id == status.data.alert_id
    assert opsgenie.get_alert(shown.tiny_id, identifier_type="tiny").data.id == shown.id
    payload = opsgenie_sdk.AcknowledgeAlertPayload(user="bob", note="mine")
    acked = opsgenie.acknowledge_alert(
        "queue", identifier_type="alias", acknowledge_alert_payload=payload
    )

    def done() -> bool:
        try:
            return bool(opsgenie.get_request_status(acked.request_id).data.is_success)
        except ApiException:  # 404 while nobody has judged it
            return False

    until(done)
    assert opsgenie.get_alert("queue", identifier_type="alias").data.acknowledged
    opsgenie.add_tags(
        "queue",
        opsgenie_sdk.AddTagsToAlertPayload(tags=["urgent"]),
        identifier_type="alias",
    )
    listed = opsgenie.list_alerts(query="tag: urgent AND status: open", limit=10)
    assert [one.alias for one in listed.data] == ["queue"]
    assert opsgenie.count_alerts(query="tag: urgent").data.count == 1
    opsgenie.close_alert("queue", identifier_type="alias")
    assert opsgenie.get_alert("queue", identifier_type="alias").data.status == "closed"


def test_opsgenies_sdk_learns_what_is_wrong(opsgenie):
    with pytest.raises(ApiException) as error:
        opsgenie.get_alert("nobody")
    assert error.value.status == 404


def test_opsgenies_sdk_keeps_and_pings_heartbeats(opsgenie):
    api = opsgenie_sdk.HeartbeatApi(opsgenie.api_client)
    made = api.create_heartbeat(
        opsgenie_sdk.CreateHeartbeatPayload(
            name="backup", interval=10, interval_unit="minutes", enabled=True
        )
    )
    assert made.data.name == "backup"
    assert api.ping("backup").result == "PONG - Heartbeat received"
    assert api.get_heartbeat("backup").data.last_ping_time is not None
    assert [one.name for one in api.list_heart_beats().data.heartbeats] == ["backup"]
    assert api.disable_heartbeat("backup").data.enabled is False
    api.delete_heartbeat("backup")


# --- Alertmanager's notifiers ---


def test_alertmanagers_notifiers_open_update_and_close(world, stack, tmp_path):
    """Of its two for PagerDuty, the one for version 1 knows but one address."""
    port = free_port()
    config = tmp_path / "alertmanager.yml"
    config.write_text(
        CONFIG.format(
            routing=routing_key(world, stack, "am"),
            key=world.key,
            url=stack.url,
        )
    )
    process = start(tmp_path, config, port)
    try:
        until(lambda: is_up(port))
        post(port, None)
        until(lambda: len(mine(world, stack, "firing")) == 2)
        post(port, datetime.now(UTC))
        until(lambda: len(mine(world, stack, "resolved")) == 2, 30)
    finally:
        process.terminate()
        process.wait(10)


def mine(world: World, stack: Stack, state: str) -> list[dict[str, Any]]:
    return [
        row
        for row in alerts(world, stack, state=state)
        if "Certificate" in row["title"]
    ]


def start(home: Path, config: Path, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            require_binary("prometheus-alertmanager"),
            f"--config.file={config}",
            f"--storage.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stderr=subprocess.DEVNULL,
    )


def is_up(port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/-/ready"
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def post(port: int, ends: datetime | None) -> None:
    """Give Alertmanager one alert, as Prometheus would."""
    alert = {
        "labels": {"alertname": "CertificateExpires", "severity": "warning"},
        "startsAt": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
    }
    if ends:
        alert["endsAt"] = ends.isoformat()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps([alert]).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=5).close()
