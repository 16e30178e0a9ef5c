"""Does our fingerprint equal Prometheus'? Vectors of reference 3.2."""

import pytest

from alertcenter.alerts.fingerprint import fingerprint, label_key

VECTORS = [
    ({}, "cbf29ce484222325"),
    ({"name": "garland, briggs", "fear": "love is not enough"}, "507a62d79ee76c9a"),
    ({"alertname": "Test"}, "e46aaa9fcf75dd34"),
    (
        {"alertname": "HighCPU", "instance": "web-1:9100", "severity": "critical"},
        "cc6e49118c0ea32b",
    ),
    ({"alertname": "Диск", "host": "数据库"}, "b014deeadc046e92"),
]


@pytest.mark.parametrize(("labels", "expected"), VECTORS)
def test_a_fingerprint_is_prometheus_own(labels, expected):
    assert fingerprint(labels) == expected


def test_the_order_of_labels_does_not_matter():
    one = {"a": "1", "b": "2"}
    other = {"b": "2", "a": "1"}
    assert fingerprint(one) == fingerprint(other)
    assert label_key(one) == label_key(other)


def test_moving_a_character_between_name_and_value_changes_the_key():
    assert label_key({"ab": "c"}) != label_key({"a": "bc"})
