"""VMware: Aria's alerts by any template, Log Insight's, vCenter's alarms."""

from alertcenter.alerts.severity import CRITICAL, ERROR, INFO
from tests.sources import reading


def test_log_insights_alert_stays_for_a_day_and_shows_the_lines():
    found = reading.read("vmware_aria", "log_insight")
    assert found.title == "SSH logins fail"
    assert found.annotations["hits"] == "14"
    assert found.link == "https://logs.example/s/8a"
    assert found.ttl_seconds == 86400


def test_a_vcenter_alarm_is_over_when_it_is_green():
    begun = reading.read("vmware_aria", "vcenter_alarm")
    assert begun.title == "Host memory usage on esx-3"
    assert begun.severity == CRITICAL
    body = reading.payload("vmware_aria", "vcenter_alarm")
    body["data"] |= {"From": "red", "To": "green"}
    over = reading.event("vmware_aria", body)
    assert (over.firing, over.key) == (False, begun.key)


def test_an_event_of_vcenter_is_worth_knowing():
    body = reading.payload("vmware_aria", "vcenter_alarm")
    body["type"] = "com.vmware.vsphere.VmPoweredOffEvent.v0"
    body["subject"] = "VmPoweredOffEvent"
    body["data"] = {"Vm": {"Name": "db-1"}, "FullFormattedMessage": "db-1 is off"}
    found = reading.event("vmware_aria", body)
    assert (found.title, found.severity) == ("db-1 is off", INFO)


def test_a_templates_own_names_are_understood():
    body = {
        "alert_id": "a1",
        "Alert Definition Name": "Datastore is full",
        "object_name": "ds-1",
        "alert_criticality": "IMMEDIATE",
        "alert_status": "Active",
    }
    found = reading.event("vmware_aria", body)
    assert found.title == "Datastore is full on ds-1"
    assert found.severity == ERROR
    over = reading.event("vmware_aria", body | {"alert_status": "Canceled"})
    assert (over.firing, over.key) == (False, found.key)


def test_the_variables_of_a_vcenter_script_are_understood():
    body = {
        "VMWARE_ALARM_NAME": "Host connection",
        "VMWARE_ALARM_TARGET_NAME": "esx-1",
        "VMWARE_ALARM_NEWSTATUS": "Red",
    }
    assert reading.event("vmware_aria", body).severity == CRITICAL
