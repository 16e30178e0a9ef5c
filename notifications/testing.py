"""Does a channel work? Send a test through it, and say what the other side said."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from django.utils.translation import gettext as _

from alertcenter.common.ids import uuid7
from notifications import recipients
from notifications.channels.base import DeliveryError, Parcel
from notifications.channels.registry import channel_of
from notifications.message import Message
from notifications.models import Channel
from tenants.fields import reveal
from tenants.models import Tenant
from tenants.rls import in_tenant


@dataclass(frozen=True)
class TestResult:
    """Whether the test went out, the other side's words, and how long it took."""

    ok: bool
    answer: str
    milliseconds: int

    __test__ = False  # for pytest, which collects by name


def send_test(channel: Channel) -> TestResult:
    """Send a test to every address of the channel, and wait for the answer.

    Call it with no transaction open, so that nothing stays locked over the network.
    No row is left behind: a test is tried once, here and now.
    """
    started = time.monotonic()
    ok, answers = True, []
    with in_tenant(channel.tenant_id):
        parcels = parcels_for(channel)
    for parcel in parcels:
        try:
            receipt = channel_of(channel.kind).send(parcel)
            answers.append(receipt.answer or _("sent"))
        except DeliveryError as error:
            ok = False
            answers.append(error.reason)
    if not answers:
        ok, answers = False, [_("The channel names no address.")]
    milliseconds = round((time.monotonic() - started) * 1000)
    return TestResult(ok, "; ".join(dict.fromkeys(answers)), milliseconds)


def parcels_for(channel: Channel) -> list[Parcel]:
    """Return a test for each address behind the channel."""
    tenant = Tenant.objects.get(pk=channel.tenant_id)
    secret = secret_of(channel)
    return [
        Parcel(
            delivery_id=uuid7(),
            tenant_id=channel.tenant_id,
            kind="test",
            message=about_nothing(tenant),
            channel_kind=kind,
            channel_id=channel.pk,
            address=address,
            settings=dict(channel.settings),
            secret=secret,
            language=channel.language or tenant.language,
            time_zone=tenant.time_zone,
            title=_("Test of AlertCenter"),
        )
        for kind, _channel, address in recipients.for_channel(channel)
    ]


def about_nothing(tenant: Tenant) -> Message:
    """Return a message about nothing that is wrong."""
    return Message(
        kind="test",
        tenant=tenant.name,
        title=_("Test of AlertCenter"),
        severity=2,
        state="",
        number=0,
        group_id="",
        url="",
    )


def secret_of(channel: Channel) -> dict[str, str]:
    """Return the channel's secrets; needs the tenant's context."""
    held = reveal(channel, "secret") if channel.secret else ""
    secrets: dict[str, str] = json.loads(held or "{}")
    return secrets
