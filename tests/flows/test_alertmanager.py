"""A real Alertmanager hands its alerts on to us by its webhook."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.binaries import require_binary
from tests.fakes.slack import FakeSlack
from tests.flows.world import build
from tests.stack import Stack, free_port, until

pytestmark = pytest.mark.flow

CONFIG = """
route: {{receiver: center, group_wait: 0s, group_interval: 1s, group_by: [alertname]}}
receivers:
  - name: center
    webhook_configs:
      - url: {url}/t/{slug}/in/alertmanager
        http_config: {{basic_auth: {{username: any, password: {key}}}}}
"""


@pytest.fixture
def fake_slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def post(port: int, ends: datetime | None) -> None:
    """Give Alertmanager one alert, as Prometheus would."""
    alert = {
        "labels": {"alertname": "CertificateExpires", "severity": "warning"},
        "annotations": {"summary": "The certificate of shop expires in 3 days"},
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


def post_many(port: int, number: int) -> None:
    """Give Alertmanager many alerts of one group at once."""
    alerts = [
        {"labels": {"alertname": "ManyDisks", "instance": f"db-{one}"}}
        for one in range(number)
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        json.dumps(alerts).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=5).close()


def is_up(port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/-/ready"
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_what_alertmanager_hands_on_opens_and_resolves_a_group(
    stack: Stack, fake_slack: FakeSlack, tmp_path: Path
) -> None:
    program = require_binary("prometheus-alertmanager")
    world = build(stack, fake_slack, "webhook")
    text = CONFIG.format(url=stack.url, slug=world.slug, key=world.key)
    (tmp_path / "alertmanager.yml").write_text(text)
    port = free_port()
    process = subprocess.Popen(
        [
            program,
            f"--config.file={tmp_path}/alertmanager.yml",
            f"--storage.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_up(port), 20)
        post(port, None)
        message = until(lambda: next(iter(fake_slack.messages), None), 20)
        assert "The certificate of shop expires in 3 days" in str(message)
        post(port, datetime.now(UTC) - timedelta(seconds=1))
        state = "SELECT state FROM alert_group WHERE tenant_id = {t}"
        until(lambda: world.rows(state) == [("resolved",)], 20)
        # One body of hundreds: none of them is left out.
        post_many(port, 400)
        many = (
            "SELECT count(*) FROM alert WHERE tenant_id = {t} AND title = 'ManyDisks'"
        )
        until(lambda: world.rows(many) == [(400,)], 20)
    finally:
        process.terminate()
        process.wait(20)
