"""How does a page reach a browser that is closed? By its vendor's push service.

Web Push: RFC 8030 (the call), RFC 8291 (sealed for one browser), RFC 8292 (who sends).
The notification says title, severity and state; it opens the group, and acknowledges
it by a signed link that the service worker posts to (static/dashboard/push-worker.js).
A browser that is no more (404 or 410) is removed from the member's contacts.
"""

from __future__ import annotations

import json
import re
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import localize, push_keys, signing, subscribing
from notifications.channels import http, push_crypto, simulated
from notifications.channels.base import (
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Spec,
)
from notifications.models import PushSubscription
from tenants.fields import reveal
from tenants.rls import in_tenant

KINDS = ("page", "reply", "test")
GONE = (404, 410)  # RFC 8030, 5 and 7.3
# After so long nobody is helped by hearing of it; the push service drops it.
TTL_SECONDS = 4 * 3600
# https://developer.mozilla.org/docs/Web/API/Notification/maxActions_static: browsers
# show two; the title is cut by the system at about this length.
MOST_ACTIONS = 2
LONGEST_TITLE, LONGEST_BODY, LONGEST_URL = 120, 400, 500
SPACE = re.compile(r"\s+")


def an_address(address: str) -> str:
    """Only a browser itself can subscribe. Raises ValidationError."""
    if not subscribing.ADDRESS.fullmatch(address):
        raise ValidationError(
            _("Press “Notify this browser” on the dashboard, in that browser.")
        )
    return address


SPEC = Spec(
    kind=subscribing.KIND,
    label=gettext_lazy("Browser"),
    about=gettext_lazy("Members' own browsers, also closed ones."),
    addresses=lambda settings: [],
    contact=ContactSpec(
        gettext_lazy("Subscribed on the dashboard, in the browser itself."),
        an_address,
        needs_channel=False,
        by_hand=False,
    ),
    channels=False,
)


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nothing to redraw in a browser")
    said = notification(parcel)
    if settings.SIMULATION:
        links = [(one["title"], one["url"]) for one in said["actions"]]
        return simulated.keep(
            parcel,
            to=parcel.address,
            title=said["title"],
            text=said["body"],
            sent=said,
            actions=links,
        )
    subscription = subscription_of(parcel)
    return transmit(parcel, said, subscription)


def subscription_of(parcel: Parcel) -> dict[str, str]:
    """Return address and keys of the browser. Raises DeliveryError."""
    with in_tenant(parcel.tenant_id):
        row = PushSubscription.objects.filter(
            tenant_id=parcel.tenant_id,
            contact__kind=SPEC.kind,
            contact__address=parcel.address,
        ).first()
        if row is None:
            raise DeliveryError("this browser is not subscribed", permanent=True)
        found: dict[str, str] = json.loads(reveal(row, "secret"))
        return found


def transmit(parcel: Parcel, said: dict[str, Any], to: dict[str, str]) -> Receipt:
    """Hand the sealed message to the push service."""
    endpoint = to["endpoint"]
    try:
        body = push_crypto.seal(packed(said), to["p256dh"], to["auth"])
    except push_crypto.BadKeys as error:
        raise DeliveryError(str(error), permanent=True) from error
    with in_tenant(parcel.tenant_id):
        key = push_keys.private_key()
    headers = {
        "Authorization": push_crypto.authorization(key, endpoint, subject()),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL_SECONDS),
        "Urgency": "normal" if parcel.kind == "reply" else "high",
    }
    if parcel.message.group_id:
        # What was not shown yet is replaced by what is said later (RFC 8030, 5.4).
        headers["Topic"] = UUID(parcel.message.group_id).hex
    # Any member names this address, not only who configures: what the operator opened
    # for channels is closed to it.
    answer = http.call(
        endpoint, body=body, headers=headers, allowed=settings.PUSH_ALLOW
    )
    if answer.status in GONE:
        with in_tenant(parcel.tenant_id):
            subscribing.forget(parcel.tenant_id, subscribing.digest_of(endpoint))
        words = f"{answer.status} the browser has unsubscribed; its contact is removed"
        raise DeliveryError(words, permanent=True)
    # The push service's words may name the address, which is a secret.
    words = answer.body.replace(endpoint, "…")[: http.SHOWN_ANSWER]
    said_back = http.need_success(answer, said=words)
    return Receipt(provider_id=str(parcel.delivery_id), answer=said_back)


def subject() -> str:
    """Return whom a push service may write to about us (RFC 8292, 2.1).

    Apple refuses tokens without one, or with a mailbox at localhost
    (github.com/web-push-libs/web-push/issues/947).
    """
    if settings.BASE_URL.startswith("https://"):
        return str(settings.BASE_URL)
    return f"mailto:{parseaddr(settings.EMAIL_FROM)[1]}"


# --- what is shown ---


def notification(parcel: Parcel) -> dict[str, Any]:
    """Return what the service worker shows, in the reader's language."""
    message = parcel.message
    language = parcel.language
    severity = localize.severity_word(message.severity, language)
    with translation.override(localize.interface_language(language)):
        opening = {"action": "open", "title": _("Open"), "url": message.url}
        if parcel.kind == "test":
            title, body = _("Test of AlertCenter"), _("This browser is notified.")
        elif parcel.kind == "reply" and message.note:
            title = f"{localize.state_word(message.state, language)}: {message.title}"
            body = message.note.actor
        else:
            title, body = f"{severity}: {message.title}", parcel.body
    return {
        "title": cut(title, LONGEST_TITLE),
        "body": cut(body, LONGEST_BODY),
        "severity": message.severity,
        "tag": message.group_id or str(parcel.delivery_id),
        "url": message.url[:LONGEST_URL],
        "silent": parcel.kind == "reply",
        "actions": [*acts(parcel), opening][:MOST_ACTIONS] if message.url else [],
    }


def acts(parcel: Parcel) -> list[dict[str, str]]:
    """Return the buttons that act at once, by signed links; none where there are
    none to sign."""
    links = getattr(signing, "act_links", None)
    if links is None or parcel.kind != "page":
        return []
    return [
        {"action": act, "title": label, "url": url}
        for act, label, url in links(parcel)
        if act == "acknowledge"
    ]


def packed(said: dict[str, Any]) -> bytes:
    """Return it as bytes that a push service takes; the body gives way."""
    while True:
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) <= push_crypto.MOST_PLAINTEXT or not said["body"]:
            return text
        said = said | {"body": said["body"][: len(said["body"]) // 2]}


def cut(text: str, most: int) -> str:
    text = SPACE.sub(" ", text).strip()
    return text if len(text) <= most else text[: most - 1] + "…"
