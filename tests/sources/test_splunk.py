"""Splunk: saved searches, ITSI's episodes, On-Call's incidents."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL, ERROR, WARNING
from tests.sources import reading


def test_a_saved_search_is_titled_by_its_name_and_host():
    found = reading.read("splunk", "saved_search")
    assert found.title == "Disk almost full: db-1"
    assert found.severity == CRITICAL
    assert found.labels["sourcetype"] == "df"
    assert found.annotations["description"] == "/var has 2 % left"
    assert found.starts_at == datetime(2025, 11, 21, 9, 0, tzinfo=UTC)
    assert found.link.startswith("https://splunk.example.com/")


def test_the_next_run_of_the_search_has_the_same_key_and_another_host_another():
    data = reading.payload("splunk", "saved_search")
    again = data | {"sid": "rt_scheduler__ops__monitoring__RMD5c0ffee_at_1763719999_8"}
    other = data | {"result": {"host": "db-2"}}
    key = reading.event("splunk", data).key
    assert reading.event("splunk", again).key == key
    assert reading.event("splunk", other).key != key


def test_without_a_name_the_search_is_known_by_its_job():
    one = {"sid": "scheduler__a__search__RMD51_at_1763715600_1", "search_name": None}
    two = {"sid": "scheduler__a__search__RMD51_at_1763719200_2", "result": None}
    assert reading.event("splunk", one).key == reading.event("splunk", two).key
    assert reading.event("splunk", one).severity == ERROR


def test_an_episode_is_over_when_its_status_says_so():
    row = {"itsi_group_id": "e1", "title": "Shop is down", "severity": "4"}
    data = {"sid": "s_at_1763715600_1", "search_name": "policy", "result": row}
    begun = reading.event("splunk", data)
    over = reading.event("splunk", data | {"result": row | {"status": "5"}})
    assert (begun.title, begun.severity, begun.firing) == (
        "Shop is down",
        WARNING,
        True,
    )
    assert (over.key, over.firing) == (begun.key, False)


def test_a_status_in_a_log_line_does_not_resolve():
    data = {"search_name": "Doors", "sid": "s", "result": {"status": "closed"}}
    assert reading.event("splunk", data).firing


def test_an_incident_of_on_call_is_over():
    found = reading.read("splunk", "on_call_resolved")
    assert not found.firing
    assert found.title == "Checkout is slow"
    assert found.labels["team"] == "shop"


def test_each_row_of_a_list_of_results_is_an_event():
    data = {"search_name": "Down", "results": [{"host": "a"}, {"host": "b"}, 3]}
    assert [one.labels["host"] for one in reading.events("splunk", data)] == ["a", "b"]
