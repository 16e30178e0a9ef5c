"""Dynatrace: notifications with placeholders, Davis events, problems of the API."""

from datetime import UTC, datetime

from alertcenter.alerts.severity import CRITICAL, ERROR
from tests.sources import reading


def test_a_resolution_is_read_with_the_details():
    found = reading.read("dynatrace", "resolved_with_details")
    assert not found.firing
    assert found.title == "Failure rate increase: checkout"
    assert found.severity == ERROR
    assert found.key == "P-711"
    assert found.starts_at == datetime(2025, 11, 21, 9, 0, tzinfo=UTC)
    assert found.ends_at == datetime(2025, 11, 21, 10, 0, tzinfo=UTC)
    assert found.labels["stage"] == "live"
    assert found.labels["team"] == "shop"
    assert found.link == "https://abc.live.dynatrace.com/p/711"
    assert found.annotations["description"] == "Failure rate\ncheckout fails"


def test_a_davis_event_of_a_workflow_is_read():
    found = reading.read("dynatrace", "davis_problem")
    assert found.firing
    assert found.severity == CRITICAL
    assert found.title == "Host unavailable: web-1, web-2"
    assert found.labels["root_cause"] == "rack-7"
    data = reading.payload("dynatrace", "davis_problem") | {"event.status": "CLOSED"}
    over = reading.event("dynatrace", {"event": data})
    assert (over.firing, over.key) == (False, found.key)


def test_a_merged_problem_is_over():
    data = {"State": "MERGED", "ProblemID": "9", "ProblemTitle": "Slow"}
    assert not reading.event("dynatrace", data).firing


def test_an_empty_state_is_over_when_the_text_says_so():
    data = {"State": "", "ProblemID": "9", "ProblemTitle": "Slow"}
    told = data | {"ProblemDetailsText": "RESOLVED Problem P-9 in environment x"}
    assert reading.event("dynatrace", data).firing
    assert not reading.event("dynatrace", told).firing


def test_a_test_notification_is_a_readable_alert():
    found = reading.event(
        "dynatrace",
        {
            "State": "OPEN",
            "ProblemID": "999",
            "ProblemTitle": "Dynatrace problem notification test run",
            "ImpactedEntity": "Myhost, Myservice",
            "Tags": None,
        },
    )
    assert found.title == "Dynatrace problem notification test run: Myhost, Myservice"


def test_a_problem_of_the_api_is_read():
    found = reading.event(
        "dynatrace",
        {
            "problemId": "5_V2",
            "displayId": "P-5",
            "title": "Slow",
            "severityLevel": "PERFORMANCE",
            "status": "CLOSED",
            "startTime": 1763715600000,
            "endTime": -1,
        },
    )
    assert (found.firing, found.key, found.ends_at) == (False, "5_V2", None)
