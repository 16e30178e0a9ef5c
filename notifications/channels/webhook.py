"""How does a delivery reach a tool that takes HTTP? One request, one body.

What a route tells has Alertmanager's own shape (version 4), so that receivers made for
it need no change; what a policy's step tells is the message itself; a template makes of
both whatever the receiver wants. With a signing secret it is signed as Standard
Webhooks says (standardwebhooks.com, version 1), over the body as it leaves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alertcenter.common import world_time
from notifications.channels import http, simulated, tooling
from notifications.channels import webhook_templates as templates
from notifications.channels.base import DeliveryError, Parcel, Receipt, Setting, Spec
from notifications.samples import sample

KINDS = ("page", "test", "reply")
METHODS = ("POST", "PUT")
# What happens to a group after its page, for those who ask for it.
STATES = frozenset(
    ("acknowledged", "unacknowledged", "snoozed", "woken", "resolved", "reopened")
)


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nothing to say to a webhook")
    known = templates.facts_of(parcel)
    url = templates.address(str(parcel.settings.get("url", "")), known)
    method = str(parcel.settings.get("method") or METHODS[0])
    if settings.SIMULATION:
        content = content_of(parcel, known, indent=2)
        title = f"{method} · {parcel.title}"
        return simulated.keep(parcel, to=url, title=title, text=content.decode())
    content = content_of(parcel, known)
    given = templates.headers(str(parcel.settings.get("headers") or ""), known)
    secret, value = secret_header(parcel)
    headers = given | secret | headers_of(parcel, content)
    # Of the header's line its value alone may be repeated.
    hushed = replace(parcel, secret=parcel.secret | {"value": value})
    answer = tooling.ask(hushed, url, method=method, body=content, headers=headers)
    said = http.need_success(answer)
    return Receipt(provider_id=str(parcel.delivery_id), answer=said)


def content_of(
    parcel: Parcel, known: Mapping[str, Any], *, indent: int | None = None
) -> bytes:
    """Return what is posted. Raises DeliveryError."""
    if source := str(parcel.settings.get("body") or ""):
        return templates.body(source, media_of(parcel.settings), known)
    marks = None if indent else (",", ":")
    text = json.dumps(
        body_of(parcel), ensure_ascii=False, separators=marks, indent=indent
    )
    return text.encode()


def media_of(given: Mapping[str, Any]) -> str:
    return str(given.get("content_type") or templates.JSON_TYPE)


def body_of(parcel: Parcel) -> dict[str, Any]:
    """Return what is posted where no template says otherwise."""
    if parcel.message.payload:
        return parcel.message.payload
    facts = parcel.message.to_json() | {"text": parcel.body}
    del facts["payload"]
    return {"version": "1", "test": parcel.kind == "test"} | facts


def preview(given: Mapping[str, Any]) -> str:
    """Return the body that these settings make of an example, for who sets them."""
    source = str(given.get("body") or "")
    if not source:
        return ""
    known = templates.facts(sample(), text="Example")
    try:
        return templates.body(source, media_of(given), known).decode()
    except DeliveryError as error:
        return error.reason


def headers_of(parcel: Parcel, body: bytes) -> dict[str, str]:
    """Return the headers: who calls, which delivery, and the signature if wanted."""
    identity = str(parcel.delivery_id)  # the same at each try of one delivery
    headers = {
        "Content-Type": media_of(parcel.settings),
        "webhook-id": identity,
    }
    if token := parcel.secret.get("bearer_token"):
        headers["Authorization"] = f"Bearer {token}"
    if secret := parcel.secret.get("signing_secret"):
        stamp = str(int(world_time.now()))
        signed = f"{identity}.{stamp}.".encode() + body
        digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
        headers["webhook-timestamp"] = stamp
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def secret_header(parcel: Parcel) -> tuple[dict[str, str], str]:
    """Return the header that holds a key, and the key; ({}, "") for none."""
    name, _colon, value = parcel.secret.get("secret_header", "").partition(":")
    if not value.strip():
        return {}, ""
    return {name.strip(): value.strip()}, value.strip()


def key_of(secret: str) -> bytes:
    """Return the key that a `whsec_` secret stands for; of others, its bytes."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def a_token(token: str) -> str:
    """Return what a header can hold. Raises ValidationError."""
    if not token.isascii() or not token.isprintable():
        raise ValidationError(_("A token has printable ASCII characters only."))
    return token


def a_secret_header(line: str) -> str:
    """Return a header that holds a key. Raises ValidationError."""
    name, _colon, value = line.partition(":")
    if name.strip().casefold() != "authorization":
        templates.need_name(name.strip())
    if not a_token(value).strip():
        raise ValidationError(_("Give it as Name: value."))
    return line.strip()


def check(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """The body's template must make what the content type says."""
    found = keep_token_from_others(given, held)
    source = str(given.get("body") or "")
    if source and (problem := templates.body_problem(source, media_of(given))):
        found["body"] = problem
    return found


def keep_token_from_others(
    given: Mapping[str, Any], held: Mapping[str, str]
) -> dict[str, Any]:
    """A stored token is for the server it was given for, and shown to no other."""
    before = str(given["stored"].get("url") or "")
    if server_of(before) == server_of(str(given.get("url") or "")):
        return {}
    text = _("The address is another server's: give the token again.")
    return {
        name: text
        for name in ("bearer_token", "secret_header")
        if held.get(name) and not given.get(name)
    }


def server_of(url: str) -> tuple[str, str]:
    """Return what may be told the same secrets."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.casefold()


def place(settings: Mapping[str, Any]) -> str:
    """Return the server alone: what follows it may be a key, and lists are for all."""
    try:
        parts = urlsplit(str(settings.get("url") or ""))
    except ValueError:
        return ""
    server = parts.netloc.rpartition("@")[2]
    more = "/…" if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{server}{more}" if server else ""


SPEC = Spec(
    kind="webhook",
    label=gettext_lazy("Webhook"),
    about=gettext_lazy("A tool that takes Alertmanager's JSON, signed if wanted."),
    settings=(
        Setting(
            "url",
            gettext_lazy("Address"),
            gettext_lazy(
                "Takes JSON in Alertmanager's shape, or what the template makes. What "
                "follows the server may be a template, too."
            ),
            required=True,
            check=templates.an_address,
        ),
        Setting(
            "method",
            gettext_lazy("Method"),
            kind="choice",
            choices=tuple((name, name) for name in METHODS),
            default=METHODS[0],
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
            "tells_states",
            gettext_lazy("Also tell acknowledgements"),
            gettext_lazy("And all that follows a page: for webhooks of policies."),
            kind="flag",
        ),
        Setting(
            "body",
            gettext_lazy("Body"),
            gettext_lazy("A template; empty: Alertmanager's shape (docs/tools.md)."),
            kind="long",
        ),
        Setting(
            "content_type",
            gettext_lazy("Content type"),
            default=templates.JSON_TYPE,
            check=templates.a_media_type,
        ),
        Setting(
            "headers",
            gettext_lazy("Headers"),
            gettext_lazy("Name: template, one a line."),
            kind="long",
            check=templates.header_lines,
        ),
        Setting(
            "secret_header",
            gettext_lazy("Header with a key"),
            gettext_lazy("Name: value, such as X-Api-Key: …"),
            secret=True,
            check=a_secret_header,
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
    place=place,
    check=check,
    replies=STATES,
    replies_if="tells_states",  # else told by its route's timers alone
    for_people=False,
)
