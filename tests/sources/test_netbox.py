"""NetBox: what failed, what is good again, what only changed."""

from alertcenter.alerts.severity import ERROR, INFO
from tests.sources import reading


def test_a_device_that_went_offline_is_an_error_with_what_changed():
    found = reading.read("netbox", "updated")
    assert found.title == "device sw-9 updated (offline)"
    assert found.severity == ERROR
    assert found.ttl_seconds is None
    assert found.annotations["changed"] == "status: active → offline"
    assert found.labels["tags"] == "core"


def test_it_is_over_when_the_device_is_active_again_or_gone():
    body = reading.payload("netbox", "updated")
    key = reading.event("netbox", body).key
    gone = reading.event("netbox", body | {"event": "deleted"})
    body["data"]["status"] = {"value": "active"}
    body["snapshots"]["prechange"]["status"] = "offline"
    over = reading.event("netbox", body)
    assert (over.firing, gone.firing) == (False, False)
    assert over.key == gone.key == key


def test_what_only_changed_is_worth_knowing_for_a_day():
    body = reading.payload("netbox", "updated")
    body["data"]["status"] = "active"
    found = reading.event("netbox", body)
    assert found.firing
    assert found.severity == INFO
    assert found.ttl_seconds == 86400


def test_a_journal_entry_says_what_is_written_about_what():
    found = reading.read("netbox", "journal")
    assert found.title == "Journal of sw-9: Power supply smells"
    assert found.severity == ERROR


def test_the_next_good_run_of_a_script_ends_the_bad_one():
    body = {"event": "job_ended", "model": "script", "request_id": "1"}
    bad = body | {"data": {"id": 1, "name": "Sync", "status": "errored"}}
    good = body | {"data": {"id": 2, "name": "Sync", "status": "completed"}}
    begun, over = reading.event("netbox", bad), reading.event("netbox", good)
    assert (begun.firing, over.firing) == (True, False)
    assert begun.key == over.key
