"""Teams: MessageCards and Adaptive Cards, however they nest."""

from alertcenter.alerts.severity import CRITICAL, WARNING
from tests.sources import reading


def test_a_nested_card_gives_title_facts_colour_and_link():
    found = reading.read("msteams", "adaptive_card_nested")
    assert found.title == "Backup of db-1"
    assert found.severity == CRITICAL
    assert found.labels["Host"] == "db-1"
    assert found.annotations["description"] == "pg_dump ended with 1"
    assert found.link == "https://backup.example/1"


def test_each_section_with_an_alertname_is_an_alert():
    said = reading.payload("msteams", "sections_of_alerts")
    one, two = reading.events("msteams", said)
    assert one.title == two.title == "DiskFull"
    assert one.key != two.key
    assert (one.severity, two.severity) == (WARNING, CRITICAL)
    over = said | {"title": "Prometheus alert (resolved)", "themeColor": "2DC72D"}
    assert [each.firing for each in reading.events("msteams", over)] == [False, False]
    assert [each.key for each in reading.events("msteams", over)] == [one.key, two.key]


def test_a_list_of_cards_is_a_list_of_alerts():
    card = {"@type": "MessageCard", "title": "Disk of db-1 is full"}
    found = reading.events("msteams", [card, card | {"title": "Disk of db-2 is full"}])
    assert len({one.key for one in found}) == 2


def test_a_green_card_is_over():
    card = {"@type": "MessageCard", "title": "Disk of db-1", "themeColor": "00FF00"}
    assert not reading.event("msteams", card).firing


def test_alertmanagers_list_in_a_card_is_read_alert_by_alert():
    text = (
        "# Alerts Firing:\n\nLabels:\n  - alertname = DiskFull\n  - instance = db-1\n"
        "\nAnnotations:\n  - summary = Full\n\nSource: http://prometheus.example/graph"
    )
    body = [
        {"type": "TextBlock", "text": "[FIRING:1] DiskFull", "color": "Attention"},
        {"type": "TextBlock", "text": text},
    ]
    found = reading.event("msteams", {"type": "AdaptiveCard", "body": body})
    assert found.labels == {"alertname": "DiskFull", "instance": "db-1"}
    assert found.link == "http://prometheus.example/graph"
