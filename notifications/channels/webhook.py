"""How does a delivery reach a tool that takes HTTP? One POST, one JSON body.

What a route tells has Alertmanager's own shape (version 4), so that receivers made for
it need no change; what a policy's step tells is the message itself. With a signing
secret it is signed as Standard Webhooks says (standardwebhooks.com, version 1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings

from alertcenter.common import outbound
from notifications.channels.base import (
    NETWORK_SECONDS,
    DeliveryError,
    Parcel,
    Receipt,
)
from notifications.models import SimulatedMessage
from tenants.rls import in_tenant

KINDS = ("page", "test")
AGENT = "AlertCenter"
TOO_MANY, REQUEST_TIMEOUT, SERVER_ERRORS = 429, 408, 500
SUCCESS = range(200, 300)
LONGEST_WAIT = 3600.0
SHOWN_ANSWER = 300


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nothing to say to a webhook")
    body = body_of(parcel)
    if settings.SIMULATION:
        return keep(parcel, body)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        answer = outbound.post(
            str(parcel.settings.get("url", "")),
            text,
            headers_of(parcel, text),
            allowed=settings.OUTBOUND_ALLOW,
            seconds=NETWORK_SECONDS,
        )
    except outbound.OutboundError as error:
        raise DeliveryError(
            error.reason, permanent=error.refused, ambiguous=error.begun
        ) from error
    said = f"{answer.status} {answer.body[:SHOWN_ANSWER]}".strip()
    if answer.status not in SUCCESS:
        again = answer.status >= SERVER_ERRORS
        again = again or answer.status in (TOO_MANY, REQUEST_TIMEOUT)
        wait = retry_after(answer.headers.get("retry-after", ""))
        raise DeliveryError(said, permanent=not again, retry_after=wait)
    return Receipt(provider_id=str(parcel.delivery_id), answer=said)


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return what is posted."""
    if parcel.message.payload:
        return parcel.message.payload
    facts = parcel.message.to_json() | {"text": parcel.body}
    del facts["payload"]
    return {"version": "1", "test": parcel.kind == "test"} | facts


def headers_of(parcel: Parcel, body: bytes) -> dict[str, str]:
    """Return the headers: who calls, which delivery, and the signature if wanted."""
    identity = str(parcel.delivery_id)  # the same at each try of one delivery
    headers = {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": identity,
    }
    if token := parcel.secret.get("bearer_token"):
        headers["Authorization"] = f"Bearer {token}"
    if secret := parcel.secret.get("signing_secret"):
        stamp = str(int(time.time()))
        signed = f"{identity}.{stamp}.".encode() + body
        digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
        headers["webhook-timestamp"] = stamp
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def key_of(secret: str) -> bytes:
    """Return the key that a `whsec_` secret stands for; of others, its bytes."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def retry_after(value: str) -> float | None:
    """Return the seconds that the other side asks to wait, if it does."""
    try:
        return min(LONGEST_WAIT, max(0.0, float(value)))
    except ValueError:
        return None


def keep(parcel: Parcel, body: dict[str, Any]) -> Receipt:
    """Put the call where the simulation shows it."""
    with in_tenant(parcel.tenant_id):
        SimulatedMessage.objects.create(
            tenant_id=parcel.tenant_id,
            kind="webhook",
            channel_id=parcel.channel_id,
            address=str(parcel.settings.get("url", ""))[:400],
            payload={
                "to": str(parcel.settings.get("url", "")),
                "subject": f"POST · {parcel.title}",
                "text": json.dumps(body, ensure_ascii=False, indent=2),
            },
        )
    return Receipt(provider_id=str(parcel.delivery_id), answer="200 simulated")
