"""Tables of alerts."""

import pytest

from alertcenter.alerts.sources.adapter import NotUnderstood
from tests.sources import reading

TABLE = (
    "\ufefftitle;severity;status;key;labels.team;host;annotations.why\n"
    "Disk is full;critical;firing;d1;db;db-1;logs\n"
    "\n"
    ";warning;;;;;\n"
    '"Two\nlines";warning;resolved;d2;db;db-2;\n'
)


def test_a_line_is_an_alert_and_what_has_no_name_is_none():
    first, second = reading.events("csv", {"text": TABLE})
    assert (first.title, first.key, first.severity) == ("Disk is full", "d1", 5)
    assert first.labels == {"team": "db", "host": "db-1"}
    assert first.annotations == {"why": "logs"}
    assert (second.title, second.firing) == ("Two lines", False)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "host\nx\n"])
def test_a_table_without_titles_is_not_understood(text):
    with pytest.raises(NotUnderstood):
        reading.events("csv", {"text": text})
