"""A real Prometheus fires; a person answers from Slack; the thread says it is over."""

from __future__ import annotations

import http.server
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.binaries import require_binary
from tests.fakes.slack import FakeSlack
from tests.flows.world import SIGNING_SECRET, World, build
from tests.stack import Stack, free_port, until

pytestmark = pytest.mark.flow

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - path_prefix: /t/{slug}
      authorization: {{credentials: {key}}}
      static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{metrics}"]}}]
"""
RULES = """
groups:
  - name: shop
    rules:
      - alert: QueueTooLong
        expr: shop_queue_length > 100
        labels: {severity: critical, team: shop}
        annotations: {summary: "The order queue of {{ $labels.job }} is too long"}
"""


class Shop:
    """A service whose metric the test sets."""

    def __init__(self) -> None:
        self.length = 500
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"shop_queue_length {shop.length}\n".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def shop():
    service = Shop()
    yield service
    service.close()


@pytest.fixture
def fake_slack():
    with FakeSlack() as fake:
        yield fake


class Prometheus:
    """Debian's Prometheus in a folder of its own."""

    def __init__(self, folder: Path, world: World, shop: Shop) -> None:
        self.program = require_binary("prometheus")
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        text = CONFIG.format(
            slug=world.slug, key=world.key, port=world.stack.port, metrics=shop.port
        )
        (folder / "prometheus.yml").write_text(text)
        (folder / "rules.yml").write_text(RULES)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                self.program,
                f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{free_port()}",
                "--rules.alert.resend-delay=5s",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(20)


def test_from_prometheus_to_slack_and_back(
    stack: Stack, fake_slack: FakeSlack, shop: Shop, tmp_path: Path
) -> None:
    world = build(stack, fake_slack, "prom")
    prometheus = Prometheus(tmp_path, world, shop)
    prometheus.start()
    try:
        message = until(lambda: next(iter(fake_slack.messages), None), 40)
        assert "The order queue of shop is too long" in str(message)

        # A restarted Prometheus sends the same alert again: no second message.
        prometheus.stop()
        prometheus.start()
        count = "SELECT count FROM alert WHERE tenant_id = {t}"
        before = world.rows(count)[0][0]
        until(lambda: world.rows(count)[0][0] > before + 1, 40)
        assert len(fake_slack.messages) == 1

        body, headers = fake_slack.press(
            message, "acknowledge", "U-bob", SIGNING_SECRET, team_id=world.team
        )
        request = urllib.request.Request(
            f"{stack.url}/slack/interactions", body, headers
        )
        with urllib.request.urlopen(request, timeout=3) as response:
            assert response.status == 200
        group = "SELECT state, acked_by FROM alert_group WHERE tenant_id = {t}"
        until(lambda: world.rows(group) == [("acknowledged", "Bob")], 10)
        until(lambda: "Bob" in str(fake_slack.messages[0]), 10)

        shop.length = 0
        until(lambda: world.rows(group)[0][0] == "resolved", 40)
        until(lambda: "resolved" in str(fake_slack.messages[0]).lower(), 10)
        assert len(fake_slack.messages) == 1
        kinds = world.rows(
            "SELECT kind FROM transition WHERE tenant_id = {t} "
            "AND group_id IS NOT NULL ORDER BY id"
        )
        assert [k for (k,) in kinds] == [
            "opened",
            "paged",
            "delivered",
            "acknowledged",
            "resolved",
        ]
    finally:
        prometheus.stop()


def test_the_second_level_comes_when_nobody_acts_and_never_before_its_time(
    stack: Stack, fake_slack: FakeSlack
) -> None:
    world = build(stack, fake_slack, "levels", wait=3)
    assert world.fire("Unanswered") == 200
    assert world.fire("Answered") == 200
    until(lambda: len(fake_slack.messages) == 2, 15)
    answered = next(m for m in fake_slack.messages if "Answered" in str(m))
    body, headers = fake_slack.press(
        answered, "acknowledge", "U-bob", SIGNING_SECRET, team_id=world.team
    )
    request = urllib.request.Request(f"{stack.url}/slack/interactions", body, headers)
    urllib.request.urlopen(request, timeout=3).close()
    until(lambda: len(fake_slack.messages) == 3, 15)
    direct = fake_slack.messages[-1]
    assert "U-bob" in str(direct)
    assert "Unanswered" in str(direct)
    times = world.rows(
        "SELECT min(done_at - due_at) >= interval '0', count(*) FROM due_step "
        "WHERE tenant_id = {t} AND state = 'done'"
    )
    assert times == [(True, 3)]
    apart = world.rows(
        "SELECT bool_and(b.done_at - a.done_at >= interval '3 seconds') "
        "FROM due_step a JOIN due_step b USING (run_id) "
        "WHERE a.tenant_id = {t} AND a.position = 0 AND b.position = 2 "
        "AND b.state = 'done'"
    )
    assert apart == [(True,)]
