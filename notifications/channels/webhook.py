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
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common.outbound import OutboundError, check_url
from notifications.channels import http, simulated
from notifications.channels.base import Parcel, Receipt, Setting, Spec

KINDS = ("page", "test")


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nothing to say to a webhook")
    url = str(parcel.settings.get("url", ""))
    body = body_of(parcel)
    if settings.SIMULATION:
        text = json.dumps(body, ensure_ascii=False, indent=2)
        title = f"POST · {parcel.title}"
        return simulated.keep(parcel, to=url, title=title, text=text)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    content = text.encode()
    answer = http.call(url, body=content, headers=headers_of(parcel, content))
    said = http.need_success(answer)
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


def a_url(url: str) -> str:
    """Return an address that can be called. Raises ValidationError."""
    try:
        return check_url(url.strip())
    except OutboundError as error:
        raise ValidationError(
            _("Give an address that begins with http:// or https://.")
        ) from error


def a_token(token: str) -> str:
    """Return what a header can hold. Raises ValidationError."""
    if not token.isascii() or not token.isprintable():
        raise ValidationError(_("A token has printable ASCII characters only."))
    return token


def keep_token_from_others(
    given: Mapping[str, Any], held: Mapping[str, str]
) -> dict[str, Any]:
    """A stored token is for the server it was given for, and shown to no other."""
    before = str(given["stored"].get("url") or "")
    if server_of(before) == server_of(str(given.get("url") or "")):
        return {}
    if held.get("bearer_token") and not given.get("bearer_token"):
        text = _("The address is another server's: give the token again.")
        return {"bearer_token": text}
    return {}


def server_of(url: str) -> tuple[str, str]:
    """Return what may be told the same secrets."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.casefold()


SPEC = Spec(
    kind="webhook",
    label=gettext_lazy("Webhook"),
    about=gettext_lazy("A tool that takes Alertmanager's JSON, signed if wanted."),
    settings=(
        Setting(
            "url",
            gettext_lazy("Address"),
            gettext_lazy("Takes a POST with JSON in Alertmanager's shape."),
            required=True,
            check=a_url,
        ),
        Setting(
            "send_resolved",
            gettext_lazy("Say when it is over"),
            kind="flag",
            default=True,
        ),
        Setting(
            "send_quiet_ends",
            gettext_lazy("Also of what fell quiet"),
            gettext_lazy("Alertmanager itself does not."),
            kind="flag",
            default=True,
        ),
        Setting(
            "bearer_token", gettext_lazy("Bearer token"), secret=True, check=a_token
        ),
        Setting(
            "signing_secret",
            gettext_lazy("Secret that signs"),
            gettext_lazy("As Standard Webhooks says."),
            secret=True,
        ),
    ),
    place=lambda settings: str(settings.get("url") or ""),
    check=keep_token_from_others,
    replies=frozenset(),  # told by its route's timers
    for_people=False,
)
