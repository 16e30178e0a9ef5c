"""Real payloads, where they are: every one of a claimed kind is a sensible alert.

The corpus is for reading and not part of this repository; `artifacts/corpus.txt` gets a
table for a person to look at.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alertcenter.alerts.severity import NAMES
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.sources.registry import adapters
from alertcenter.alerts.translate import Translated, translate

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "payloads"
TABLE = Path(__file__).parents[2] / "artifacts" / "corpus.txt"
SOURCES = {
    "alerta_native": "alerta",
    "alertmanager_webhook_v4": "alertmanager",
    "aws_cloudwatch_sns": "cloudwatch",
    "aws_events": "aws",
    "captured_alertmanager_0.25_discord": "discord",
    "captured_alertmanager_0.25_opsgenie": "opsgenie",
    "captured_alertmanager_0.25_slack_webhook": "slack",
    "captured_alertmanager_0.25_victorops": "victorops",
    "captured_alertmanager_0.25_webhook_v4": "alertmanager",
    "captured_prometheus_2.42_to_am_v2": "prometheus",
    "github_webhook": "github",
    "gitlab_webhook": "gitlab",
    "grafana_legacy": "grafana",
    "grafana_unified": "grafana",
    "kubernetes_event": "kubernetes",
    "msteams_out": "msteams",
    "oncall_formatted": "oncall",
    "opsgenie_create": "opsgenie",
    "prometheus_alert": "prometheus",
    "prometheus_postable": "prometheus",
    "splunk_signalfx": "splunk_observability",
    "vmware_vrealize": "vmware_aria",
}
# Without a header that the corpus does not tell, or with nothing to say.
SILENT = {"github_webhook/033.json", "msteams_out/008.json"}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="there is no corpus here")


def claimed() -> list[tuple[str, Path]]:
    if not CORPUS.is_dir():
        return []
    return [
        (SOURCES.get(kind.name, kind.name), path)
        for kind in sorted(CORPUS.iterdir())
        if SOURCES.get(kind.name, kind.name) in adapters()
        for path in sorted(kind.glob("*.json"))
    ]


def read(source: str, path: Path) -> Translated:
    data: Any = json.loads(path.read_text())
    return translate(source, Incoming(data))


@pytest.mark.parametrize(
    ("source", "path"),
    [pytest.param(*one, id=f"{one[1].parent.name}/{one[1].stem}") for one in claimed()],
)
def test_a_real_payload_becomes_a_sensible_alert(source: str, path: Path) -> None:
    if f"{path.parent.name}/{path.name}" in SILENT:
        return
    found = read(source, path)
    assert not found.reason, found.reason
    assert found.parsed.events
    for event in found.parsed.events:
        assert event.title.strip()
        assert event.title != source
        assert event.key or event.labels


def test_the_table_is_printed_for_a_person() -> None:
    lines = []
    for source, path in claimed():
        for event in read(source, path).parsed.events[:3]:
            state = {True: "firing", False: "resolved", None: "by its end"}
            lines.append(
                f"{path.parent.name}/{path.stem:4} {NAMES[event.severity]:9}"
                f"{state[event.firing]:11}{event.title[:80]!r} key={event.key!r:.80}"
                f" labels={dict(list(event.labels.items())[:5])}"
            )
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n")
    assert lines
