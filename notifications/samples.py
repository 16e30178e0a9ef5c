"""What do previews and tests of channels speak about? An example, of no real tenant."""

from __future__ import annotations

from dataclasses import replace

from notifications.message import AlertLine, Funnel, Hush, Message

OPENED = "2026-03-02T08:14:00+00:00"
URL = "https://alerts.example/t/acme/groups/1234"
CHANGED = "2026-03-02T08:31:00+00:00"

EXAMPLE = Message(
    kind="firing",
    tenant="Acme",
    title="DiskWillFillIn4Hours",
    severity=4,
    state="firing",
    number=1234,
    group_id="00000000-0000-0000-0000-000000000000",
    url=URL,
    labels={"alertname": "DiskWillFillIn4Hours", "cluster": "eu-west"},
    opened_at=OPENED,
    changed_at=CHANGED,
    firing_count=1,
    alert_count=1,
    alerts=(
        AlertLine(
            title="DiskWillFillIn4Hours",
            severity=4,
            state="firing",
            labels={
                "alertname": "DiskWillFillIn4Hours",
                "cluster": "eu-west",
                "instance": "db-3",
                "mountpoint": "/var",
            },
            summary="The disk /var on db-3 will be full in 4 hours.",
            description="8 % are left, and 2 % go in an hour.",
            starts_at=OPENED,
        ),
    ),
    actions=("acknowledge", "resolve", "snooze"),
    thread_key="example",
    dedup_key="example",
    next_at="2026-03-02T08:36:00+00:00",
    next_who="Alice",
    service="Database",
    service_owner="Storage team",
    runbook="https://wiki.example/runbooks/database",
    priority=3,
)
STORM = Funnel(
    route="databases",
    alerts=3140,
    groups=2950,
    open_groups=2810,
    top=(("alertname=DiskWillFillIn4Hours", 2400), ("cluster=eu-west", 1900)),
)

HUSH = Hush(
    name="new disks",
    comment="new disks",
    conditions='cluster="eu-west"\ninstance="db-3"',
    ends_at="2026-03-02T09:14:00+00:00",
)


def sample(kind: str = "firing", *, tenant: str = "Acme") -> Message:
    """Return the example on one of the occasions."""
    changes: dict[str, dict[str, object]] = {
        "acknowledged": {"actor": "Alice", "next_at": None, "next_who": ""},
        "snoozed": {"snooze_until": "2026-03-02T09:31:00+00:00", "next_at": None},
        "storm": {
            "state": "firing",
            "title": "Storm on the route databases",
            "alert_count": 3140,
            "firing_count": 2990,
            "storm": STORM,
        },
        "digest": {
            "state": "firing",
            "number": 0,
            "alert_count": 42,
            "firing_count": 42,
            "alerts": tuple(
                replace(EXAMPLE.alerts[0], title=f"#{n} DiskWillFillIn4Hours", link=URL)
                for n in (1234, 1235, 1236)
            ),
            "actions": (),
        },
        "reminder": {
            "state": "firing",
            "title": "The silence “new disks” ends at 09:14.",
            "number": 0,
            "severity": 2,
            "priority": 0,
            "labels": {},
            "alerts": (),
            "alert_count": 0,
            "firing_count": 0,
            "service": "",
            "actions": (),
            "opened_at": "",
            "next_at": None,
            "hush": HUSH,
        },
        "resolved": {"resolved_at": CHANGED, "firing_count": 0, "next_at": None},
    }
    values: dict[str, object] = {"kind": kind, "state": kind, "tenant": tenant}
    return replace(
        EXAMPLE,
        **values | changes.get(kind, {}),  # type: ignore[arg-type]
    )
