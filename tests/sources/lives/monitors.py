"""What uptime checks and infrastructure monitoring say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sources.lives.life import Life, ms, s


def uptime_kuma(name: str, firing: bool, severity: str, at: datetime) -> Any:
    number = ord(name[-1])
    return {
        "heartbeat": {
            "monitorID": number,
            "status": 0 if firing else 1,
            "time": at.strftime("%Y-%m-%d %H:%M:%S.000"),
            "msg": "timeout" if firing else "200 - OK",
        },
        "monitor": {"id": number, "name": name, "url": f"https://{name}.example"},
        "msg": f"[{name}] {'Down' if firing else 'Up'}",
    }


def uptimerobot(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "monitorID": str(ord(name[-1])),
        "monitorFriendlyName": name,
        "alertType": "1" if firing else "2",
        "alertTypeFriendlyName": "Down" if firing else "Up",
        "alertDateTime": str(s(at)),
    }


def pingdom(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "check_id": ord(name[-1]),
        "check_name": name,
        "current_state": "DOWN" if firing else "UP",
        "importance_level": severity,
        "state_changed_timestamp": s(at),
    }


def site24x7(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "MONITORNAME": name,
        "STATUS": severity if firing else "UP",
        "INCIDENT_TIME_ISO": at.isoformat(),
        "MONITORURL": f"https://{name}.example",
    }


def checkly(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "check_name": name,
        "check_id": f"id-{name}",
        "alert_type": severity if firing else "ALERT_RECOVERY",
        "started_at": at.isoformat(),
    }


def healthchecks(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "code": f"code-{name}",
        "name": name,
        "status": "down" if firing else "up",
        "last_ping": "",
        "now": at.isoformat(),
    }


def zabbix(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "event_id": f"58{ord(name[-1])}",
        "event_value": "1" if firing else "0",
        "event_name": "Disk is full",
        "trigger_id": "13491",
        "trigger_severity": severity,
        "host_name": name,
        "event_timestamp": "1763632800",
        "recovery_timestamp": "" if firing else str(s(at)),
    }


def nagios(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "NOTIFICATIONTYPE": "PROBLEM" if firing else "RECOVERY",
        "HOSTNAME": name,
        "SERVICEDESC": "Disk /",
        "SERVICESTATE": severity if firing else "OK",
        "SERVICEOUTPUT": "DISK",
        "TIMET": str(s(at)),
    }


def icinga(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "notification_type": "PROBLEM" if firing else "RECOVERY",
        "host_name": name,
        "service_name": "disk",
        "service_state": severity if firing else "OK",
        "timestamp": str(s(at)),
    }


def checkmk(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "NOTIFY_NOTIFICATIONTYPE": "PROBLEM" if firing else "RECOVERY",
        "NOTIFY_HOSTNAME": name,
        "NOTIFY_SERVICEDESC": "Filesystem /",
        "NOTIFY_SERVICESTATE": severity if firing else "OK",
        "NOTIFY_MICROTIME": str(ms(at) * 1000),
    }


def librenms(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "title": f"Alert for device {name} - Devices up/down"
        if firing
        else f"Device {name} recovered from Devices up/down",
        "state": "1" if firing else "0",
        "severity": severity,
        "name": "Devices up/down",
        "sysName": name,
        "device_id": str(ord(name[-1])),
        "timestamp": at.strftime("%Y-%m-%d %H:%M:%S"),
    }


def netbox(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "event": "updated",
        "timestamp": at.isoformat(),
        "model": "device",
        "request_id": "1",
        "data": {
            "id": ord(name[-1]),
            "name": name,
            "status": {"value": severity if firing else "active"},
        },
    }


def thousandeyes(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "eventId": f"5-{ord(name[-1])}",
        "eventType": f"ALERT_NOTIFICATION_{'TRIGGER' if firing else 'CLEAR'}",
        "alert": {
            "alertId": ord(name[-1]),
            "ruleName": "Availability",
            "testName": name,
            "severity": severity,
            "dateStart": "2026-11-20 10:00:00",
        },
    }


def vmware_aria(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "alertId": f"id-{name}",
        "alertName": "CPU contention",
        "startDate": 1763632800000,
        "cancelDate": ms(at),
        "criticality": f"ALERT_CRITICALITY_LEVEL_{severity}",
        "resourceName": name,
        "resourceKind": "VirtualMachine",
        "adapterKind": "VMWARE",
        "status": "ACTIVE" if firing else "CANCELED",
    }


def riemann(name: str, firing: bool, severity: str, at: datetime) -> Any:
    return {
        "host": name,
        "service": "latency",
        "state": severity if firing else "ok",
        "metric": 1,
        "time": s(at),
    }


MONITORS = {
    "uptime_kuma": Life(uptime_kuma),
    "uptimerobot": Life(uptimerobot),
    "pingdom": Life(pingdom, ("LOW", "HIGH")),
    "site24x7": Life(site24x7, ("TROUBLE", "DOWN")),
    "checkly": Life(checkly, ("ALERT_DEGRADED", "ALERT_FAILURE")),
    "healthchecks": Life(healthchecks),
    "zabbix": Life(zabbix, ("Warning", "Disaster")),
    "nagios": Life(nagios, ("WARNING", "CRITICAL")),
    "icinga": Life(icinga, ("WARNING", "CRITICAL")),
    "checkmk": Life(checkmk, ("WARN", "CRIT")),
    "librenms": Life(librenms, ("warning", "critical")),
    "netbox": Life(netbox, ("planned", "failed")),
    "thousandeyes": Life(thousandeyes, ("Minor", "Critical")),
    "vmware_aria": Life(vmware_aria, ("WARNING", "CRITICAL")),
    "riemann": Life(riemann, ("warning", "critical")),
}
