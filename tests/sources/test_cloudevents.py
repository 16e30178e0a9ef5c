"""CloudEvents: the type says the state, the subject the object."""

from alertcenter.alerts.severity import ERROR
from tests.sources import reading


def test_a_type_that_succeeded_closes_the_one_that_failed():
    said = reading.payload("cloudevents", "succeeded")
    over = reading.event("cloudevents", said)
    begun = reading.event("cloudevents", said | {"type": "example.backup.failed"})
    assert not over.firing
    assert begun.firing
    assert begun.key == over.key
    assert begun.severity == ERROR


def test_the_data_may_say_the_state():
    said = reading.payload("cloudevents", "state_in_data")
    found = reading.event("cloudevents", said)
    assert found.firing
    assert found.severity == ERROR
    assert found.labels["team"] == "web"
    over = said | {"data": said["data"] | {"status": "up"}}
    assert not reading.event("cloudevents", over).firing
    assert reading.event("cloudevents", over).key == found.key


def test_another_subject_is_another_alert():
    said = reading.payload("cloudevents", "succeeded")
    other = reading.event("cloudevents", said | {"subject": "db-2"})
    assert other.key != reading.event("cloudevents", said).key


def test_the_attributes_may_stand_in_headers():
    found = reading.event(
        "cloudevents",
        {"message": "Backup of db-1 failed"},
        ce_type="example.backup.failed",
        ce_source="/backups/eu",
        ce_subject="db-1",
    )
    said = reading.payload("cloudevents", "succeeded")
    assert found.title == "Backup of db-1 failed"
    assert found.key == reading.event("cloudevents", said).key
