"""A tenant with a Slack channel and a mailbox, and messages about a group."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models.functions import Now

from notifications import delivery, outbox
from notifications.channels.base import Parcel
from notifications.message import AlertLine, Message, Note
from notifications.models import Attempt, Channel, Delivery, Destination
from tenants.rls import in_tenant

ALERTS = (
    AlertLine("db-1 is full", 5, "firing", summary="Disk of db-1 is full"),
    AlertLine("db-2 is full", 3, "resolved"),
)


def a_message(**changes: Any) -> Message:
    """Return a message about group #12, firing."""
    group_id = changes.pop("group_id", None) or str(uuid4())
    message = Message(
        kind="firing",
        tenant="Acme",
        title="Disks are full",
        severity=5,
        state="firing",
        number=12,
        group_id=group_id,
        url="https://alerts.example/t/acme/groups/12",
        labels={"team": "database"},
        opened_at="2026-11-21T02:00:00+00:00",
        changed_at="2026-11-21T02:00:00+00:00",
        firing_count=1,
        alert_count=2,
        alerts=ALERTS,
        actions=("acknowledge", "resolve", "snooze"),
        thread_key=group_id,
        dedup_key="key",
        next_at="2026-11-21T02:05:00+00:00",
        next_who="Bob",
    )
    return replace(message, **changes)


def acknowledged(message: Message) -> Message:
    """Return the message after Alice has acknowledged."""
    return replace(
        message,
        kind="acknowledged",
        state="acknowledged",
        actor="Alice",
        actions=("resolve", "unacknowledge"),
        next_at=None,
        note=Note("acknowledged", "Alice", "2026-11-21T02:01:00+00:00"),
    )


def a_parcel(kind: str = "page", **changes: Any) -> Parcel:
    """Return a parcel that needs no database."""
    given: dict[str, Any] = {
        "delivery_id": uuid4(),
        "tenant_id": uuid4(),
        "kind": kind,
        "message": a_message(),
        "channel_kind": "slack",
        "channel_id": uuid4(),
        "address": "",
        "settings": {"channel": "C1"},
        "secret": {"bot_token": "xoxb-1"},
        "language": "en",
        "time_zone": "Europe/Berlin",
        "title": "Disks are full",
        "body": "Two disks are full.",
    }
    return Parcel(**given | changes)


@dataclass
class Outbox:
    """The deliveries of one tenant to #ops, and what became of them."""

    tenant_id: UUID
    slack_url: str = "http://127.0.0.1:1/api/"
    channel: Channel = field(init=False)

    def __post_init__(self) -> None:
        with in_tenant(self.tenant_id):
            self.channel = Channel.objects.create(
                tenant_id=self.tenant_id,
                kind="slack",
                slug="ops",
                name="#ops",
                settings={"channel": "C1", "team_id": "T1", "api_url": self.slack_url},
                secret=json.dumps({"bot_token": "xoxb-1", "signing_secret": "s"}),
            )

    def entry(self, idem: str, message: Message, **changes: Any) -> outbox.Entry:
        given: dict[str, Any] = {
            "idem": idem,
            "message": message,
            "channel_id": self.channel.pk,
            "channel_kind": "slack",
            "group_id": UUID(message.group_id),
            "severity": message.severity,
        }
        return outbox.Entry(**given | changes)

    def put(self, idem: str, message: Message | None = None, **changes: Any) -> Any:
        """Write one delivery and commit; return its id, None when it was there."""
        with in_tenant(self.tenant_id):
            entry = self.entry(idem, message or a_message(), **changes)
            return next(iter(outbox.put(self.tenant_id, [entry])), None)

    def refresh(self, message: Message, version: int) -> int:
        with in_tenant(self.tenant_id):
            group_id = UUID(message.group_id)
            return outbox.refresh(self.tenant_id, group_id, message, version=version)

    def row(self, pk: UUID) -> Delivery:
        with in_tenant(self.tenant_id):
            return Delivery.objects.get(pk=pk)

    def states(self) -> list[str]:
        with in_tenant(self.tenant_id):
            rows = Delivery.objects.order_by("id")
            return list(rows.values_list("state", flat=True))

    def outcomes(self, pk: UUID) -> list[str]:
        with in_tenant(self.tenant_id):
            rows = Attempt.objects.filter(delivery_id=pk).order_by("id")
            return list(rows.values_list("outcome", flat=True))

    def change(self, assignments: str) -> None:
        """Let time pass, or something else that only the database does."""
        with in_tenant(self.tenant_id), connection.cursor() as cursor:
            cursor.execute(f"UPDATE delivery SET {assignments}")

    def rest(self) -> None:
        """Let so much time pass that every place takes something again."""
        with in_tenant(self.tenant_id):
            Destination.objects.update(
                open_at=Now(), asked_until=Now(), paced_until=Now()
            )

    def deliver(self, rounds: int = 1) -> int:
        """Send what is due, `rounds` times, all waiting over each time."""
        done = 0
        for _ in range(rounds):
            self.change("next_at = now() WHERE next_at IS NOT NULL")
            self.rest()
            done += delivery.deliver_due(20)
        return done
