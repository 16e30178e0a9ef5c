"""Slack: attachments, blocks and plain words, from firing to resolved."""

from alertcenter.alerts.severity import CRITICAL, ERROR, WARNING
from tests.sources import reading


def test_alertmanagers_group_keeps_its_key_while_its_common_labels_change():
    said = reading.payload("slack", "alertmanager_two_firing")
    found = reading.event("slack", said)
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "DiskFull db (production warning)"
    title = {"title": "[RESOLVED] DiskFull db (db-2 production)", "color": "good"}
    over = reading.event(
        "slack", said | {"attachments": [said["attachments"][0] | title]}
    )
    assert not over.firing
    assert over.key == found.key


def test_blocks_give_title_fields_and_button():
    found = reading.read("slack", "blocks")
    assert found.title == "Backup failed"
    assert found.labels["Host"] == "db-1"
    assert found.severity == ERROR
    assert found.annotations["description"].endswith("ended with 1 & no file")
    assert found.link == "https://backup.example/runs/1"


def test_the_colour_is_the_severity_where_no_word_is():
    def say(colour: str) -> int:
        told = {"title": "Queue of billing", "color": colour}
        return reading.event("slack", {"attachments": [told]}).severity

    assert say("danger") == say("#d00000") == CRITICAL
    assert say("warning") == say("#ffae42") == WARNING


def test_a_headline_above_one_attachment_is_the_title():
    said = {"text": "*Disk of db-1* is down", "attachments": [{"text": "5 MB left"}]}
    found = reading.event("slack", said)
    assert found.title == "Disk of db-1 is down"
    assert found.annotations["description"] == "5 MB left"


def test_the_same_title_about_two_hosts_is_two_alerts():
    def key(host: str) -> str | None:
        fields = [{"title": "Host", "value": host}]
        told = {"title": "Backup failed", "color": "danger", "fields": fields}
        return reading.event("slack", {"attachments": [told]}).key

    assert key("db-1") != key("db-2")


def test_an_emoji_says_that_it_is_over():
    begun = reading.event("slack", {"text": ":fire: shop is down", "username": "probe"})
    over = reading.event(
        "slack", {"text": ":white_check_mark: shop is up", "username": "probe"}
    )
    assert begun.firing
    assert not over.firing
