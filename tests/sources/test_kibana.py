"""Kibana: rules' actions, summaries of them, and watches."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL, ERROR, WARNING
from tests.sources import reading


def test_each_document_of_a_summary_is_an_alert():
    new, over = reading.events("kibana", reading.payload("kibana", "summary"))
    assert (new.title, new.firing, new.severity) == ("Disk: db-1", True, ERROR)
    assert (over.title, over.firing) == ("Disk: db-2", False)
    assert new.starts_at == datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert new.key != over.key


def test_a_watch_is_read():
    found = reading.read("kibana", "watcher")
    assert (found.title, found.severity) == ("Errors in the log", CRITICAL)
    assert found.annotations["value"] == "7"
    assert found.labels["team"] == "web"


def test_the_older_variables_are_read():
    found = reading.read("kibana", "legacy_recovered")
    assert not found.firing
    assert found.title == "CPU: host-7"
    assert found.labels["env"] == "live"
    assert found.ends_at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def test_an_action_group_tells_how_bad_it_is():
    found = reading.event(
        "kibana",
        {
            "rule": {"id": "1", "name": "Inventory"},
            "alert": {"id": "h", "actionGroup": "metrics.inventory_threshold.warning"},
        },
    )
    assert found.severity == WARNING
    assert found.firing


def test_names_with_dots_are_read():
    data = {"name": "Slow", "kibanaAlertId": "x", "ruleId": "7", "status": "Recovered"}
    found = reading.event("kibana", data | {"context.reason": "p95", "url": None})
    assert not found.firing
    assert found.annotations["description"] == "p95"
    begun = reading.event("kibana", data | {"status": "Threshold met"})
    assert (begun.firing, begun.key) == (True, found.key)
