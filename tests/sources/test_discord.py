"""Discord: embeds and the lists that Alertmanager and Grafana write."""

from alertcenter.alerts.severity import CRITICAL
from tests.sources import reading


def test_each_listed_alert_is_an_event_with_its_own_labels():
    firing, over = reading.events(
        "discord", reading.payload("discord", "grafana_firing_and_resolved")
    )
    assert firing.firing
    assert firing.severity == CRITICAL
    assert firing.labels["instance"] == "db-1"
    assert firing.annotations["value"] == "A=97, C=1"
    assert firing.link == "https://grafana.example/alerting/1"
    assert not over.firing
    assert over.labels["instance"] == "db-2"


def test_labels_that_are_cut_off_make_no_alert():
    text = "Alerts Firing:\nLabels:\n - alertname = A\nAnnotations:\n\nLabels:\n - al…"
    found = reading.events("discord", {"embeds": [{"description": text}]})
    assert [one.labels for one in found] == [{"alertname": "A"}]


def test_an_embeds_fields_say_object_and_state():
    down = reading.payload("discord", "embed_with_fields")
    found = reading.event("discord", down)
    assert found.firing
    assert found.severity == CRITICAL
    assert found.link == "https://monit.example/nginx"
    fields = [{"name": "Host", "value": "web-1"}, {"name": "Status", "value": "UP"}]
    up = down["embeds"][0] | {"fields": fields, "color": 3066993}
    over = reading.event("discord", down | {"embeds": [up]})
    assert not over.firing
    assert over.key == found.key


def test_plain_content_is_an_alert():
    found = reading.event("discord", {"content": "**shop** is down", "username": "p"})
    assert found.title == "shop is down"
    assert found.firing
