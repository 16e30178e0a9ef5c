"""HCP Terraform: runs of a workspace, and its health."""

from alertcenter.alerts.severity import DEBUG, WARNING
from tests.sources import reading


def test_a_plan_that_waits_for_a_person_is_a_warning():
    found = reading.read("terraform", "needs_attention")
    assert found.firing
    assert found.severity == WARNING
    assert found.title == "Run of shop needs attention"


def test_an_applied_run_closes_the_workspaces_alert():
    said = reading.payload("terraform", "needs_attention")
    applied = {"trigger": "run:completed", "run_status": "applied"}
    over = reading.event("terraform", said | {"notifications": [applied]})
    assert not over.firing
    assert over.key == reading.event("terraform", said).key


def test_a_run_under_way_closes_nothing():
    said = reading.payload("terraform", "needs_attention")
    begun = {"trigger": "run:applying", "run_status": "applying"}
    found = reading.event("terraform", said | {"notifications": [begun]})
    assert found.severity == DEBUG
    assert found.key != reading.event("terraform", said).key


def test_a_drift_is_a_warning_that_ends_by_itself():
    found = reading.read("terraform", "drifted")
    assert found.severity == WARNING
    assert found.annotations["drifted"] == "4"
    assert found.ttl_seconds


def test_a_verification_is_no_alert():
    said = {"run_id": None, "notifications": [{"trigger": "verification"}]}
    assert reading.events("terraform", said) == []
