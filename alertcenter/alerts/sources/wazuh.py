"""What does Wazuh's integration send?

The alert as it stands in alerts.json; Shuffle's integration puts it into `all_fields`,
an active response into `parameters.alert`, a copy from the indexer into `_source`. Most
alerts have no end: those of agents, vulnerabilities and policy checks do.
https://documentation.wazuh.com/current/user-manual/manager/integration-with-external-apis.html
"""

from __future__ import annotations

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import (
    Adapter,
    Data,
    Incoming,
    NotUnderstood,
    as_object,
    event,
    joined,
)
from alertcenter.alerts.sources.adapter import marked as _
from alertcenter.alerts.sources.shapes import (
    first,
    moment,
    number,
    part,
    parts,
    text,
    without,
)

NAME = "wazuh"
AGENTS_GONE = frozenset({"504", "506"})
AGENTS_BACK = frozenset({"501", "503"})
SOLVED = frozenset({"solved", "obsolete", "passed"})
INSIDE = ("all_fields", "_source", "alert", "parameters.alert", "event", "data.alert")
MOST_FIELDS = 20


def read(incoming: Incoming) -> list[Event]:
    """Return the one event of the body. Raises NotUnderstood."""
    outside = as_object(incoming)
    data = unwrapped(outside)
    rule = part(data, "rule")
    if not first(rule, "description", "id", "level"):
        raise NotUnderstood("rule is missing")
    agent = first(data, "agent.name") or first(data, "manager.name")
    # The manager has id 000: behind it stands whoever sent it the line by syslog.
    remote = first(data, "predecoder.hostname", "decoder.hostname")
    host = remote if first(data, "agent.id") == "000" and remote else agent
    name = first(rule, "description").rstrip(".") or f"Rule {first(rule, 'id')}"
    kind, what, firing = state(data, first(rule, "id"))
    at = moment(first(data, "timestamp", "@timestamp"))
    shown = f"{name}: {host}" if host and host not in name else name
    fields = without(part(data, "data"), "vulnerability", "sca")
    return [
        event(
            NAME,
            title=shown,
            key=joined(kind, first(data, "agent.id") or agent, host, what),
            firing=firing,
            severity=severity(first(rule, "level")),
            labels={
                "alertname": name,
                "host": host,
                "rule_id": first(rule, "id"),
                "level": first(rule, "level"),
                "groups": parts(rule, "groups") or first(rule, "groups"),
                "agent_ip": first(data, "agent.ip"),
                "manager": first(data, "manager.name"),
                "source_ip": first(data, "data.srcip", "data.src_ip"),
                "user": first(data, "data.dstuser", "data.srcuser", "data.user"),
                "mitre": parts(rule, "mitre.id") or first(rule, "mitre.id"),
                "cve": first(data, "data.vulnerability.cve"),
            },
            annotations={
                "description": first(data, "full_log")
                or first(data, "data.vulnerability.title", "data.sca.check.rationale")
                or first(outside, "text", "pretext"),
                "path": first(data, "syscheck.path"),
                "location": first(data, "location"),
                "remediation": first(data, "data.sca.check.remediation"),
                "fired_times": first(rule, "firedtimes"),
                "data": dict(list(fields.items())[:MOST_FIELDS]),
            },
            link=first(data, "data.vulnerability.reference", "data.vt.permalink"),
            starts_at=at if firing else None,
            ends_at=at,
        )
    ]


def unwrapped(data: Data) -> Data:
    """Return the alert itself."""
    if part(data, "rule"):
        return data
    for path in INSIDE:
        if part(data, f"{path}.rule"):
            return part(data, path)
    return data


def state(data: Data, rule: str) -> tuple[str, str, bool]:
    """Return what kind of thing it is, which one, and whether it is still so.

    The rule that says that it is over is another than the one that said it began.
    """
    if rule in AGENTS_GONE or rule in AGENTS_BACK:
        return "agent", "", rule in AGENTS_GONE
    if cve := first(data, "data.vulnerability.cve"):
        package = first(data, "data.vulnerability.package.name")
        said = first(data, "data.vulnerability.status").lower()
        return "cve", f"{cve} {package}".strip(), said not in SOLVED
    if check := first(data, "data.sca.check.id"):
        said = first(data, "data.sca.check.result", "data.sca.check.status").lower()
        policy = first(data, "data.sca.policy_id", "data.sca.policy")
        return "sca", f"{policy} {check}".strip(), said not in SOLVED
    return f"rule {rule}", first(data, "syscheck.path"), True


def severity(level: str) -> str:
    """Return the word for Wazuh's 0 to 16, as its dashboard groups them."""
    count = number(level)
    if count is None:
        return text(level) or "warning"
    if count >= 15:
        return "critical"
    if count >= 12:
        return "error"
    return "warning" if count >= 7 else "info"


def recognise(incoming: Incoming) -> bool:
    if type(incoming.data) is not dict:
        return False
    data = unwrapped(incoming.data)
    rule = part(data, "rule")
    return (
        "level" in rule
        and ("description" in rule or "id" in rule)
        and ("agent" in data or "manager" in data or "decoder" in data)
    )


ADAPTER = Adapter(
    NAME,
    "Wazuh",
    read,
    recognise,
    example={
        "timestamp": "2026-11-21T09:00:00.123+0000",
        "rule": {
            "level": 10,
            "description": "sshd: brute force trying to get access to the system",
            "id": "5712",
            "firedtimes": 1,
            "groups": ["syslog", "sshd", "authentication_failures"],
            "mitre": {"id": ["T1110"], "tactic": ["Credential Access"]},
        },
        "agent": {"id": "004", "name": "web-1", "ip": "192.0.2.7"},
        "manager": {"name": "wazuh-1"},
        "id": "1763715600.123",
        "full_log": "sshd[42]: Failed password for root from 198.51.100.9",
        "decoder": {"name": "sshd"},
        "data": {"srcip": "198.51.100.9"},
        "location": "/var/log/auth.log",
    },
    steps=(
        _("On the Wazuh manager, add the integration below to ossec.conf."),
        _("Choose the level from which on alerts are sent."),
        _("Restart the manager."),
    ),
    docs="https://documentation.wazuh.com/current/user-manual/manager"
    "/integration-with-external-apis.html",
    snippet="""<integration>
  <name>shuffle</name>
  <hook_url>{url}</hook_url>
  <level>7</level>
  <alert_format>json</alert_format>
</integration>
""",
)
