"""How does a telephone in the outbox answer? As Twilio's own signed callback.

https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/voice/twiml/gather#action
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit
from uuid import UUID
from xml.etree import ElementTree

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alertcenter.dashboard.simulation.press import SECONDS, own_address
from notifications import callbacks, localize
from notifications.callbacks import Place
from notifications.channels import twiml
from notifications.models import Channel, Delivery, SimulatedMessage
from tenants.fields import reveal
from tenants.rls import in_tenant

KINDS = ("sms", "voice")
MOST_ANSWER = 16_000
SAID = ("Message", "Say", "Body")

Act = tuple[str, str]  # what is typed or pressed, and what the button says


def acts(rows: Sequence[SimulatedMessage]) -> dict[str, list[Act]]:
    """Return what can be answered, by the message's ts; in the tenant's context."""
    phones = {row.ts: row.kind for row in rows if row.kind in KINDS}
    pages = Delivery.objects.filter(
        pk__in=[ts for ts in phones if _is_id(ts)], kind="page"
    )
    return {
        str(pk): _acts(phones[str(pk)], message)
        for pk, message in pages.values_list("pk", "message")
    }


def _acts(kind: str, message: dict[str, object]) -> list[Act]:
    offered = message.get("actions")
    wanted = [
        act
        for act in ("acknowledge", "resolve")
        if isinstance(offered, list) and act in offered
    ]
    if kind == "sms":
        number = message.get("number")
        typed = {"acknowledge": f"ACK {number}", "resolve": f"RESOLVE {number}"}
        return [
            (typed[act], _("Reply %(words)s") % {"words": typed[act]}) for act in wanted
        ]
    keys = {act: key for key, act in reversed(list(twiml.KEYS.items()))}
    found = [
        (
            keys[act],
            _("Press %(key)s: %(act)s")
            % {
                "key": keys[act],
                "act": localize.action_label(act, get_language() or "en"),
            },
        )
        for act in wanted
    ]
    return [*found, (twiml.REPEAT, _("Press %(key)s: again") % {"key": twiml.REPEAT})]


def answer(tenant_id: UUID, number: int, typed: str) -> tuple[int, str]:
    """Send the callback; return its status and what the telephone shows or says.

    Raises SimulatedMessage.DoesNotExist and Channel.DoesNotExist.
    """
    with in_tenant(tenant_id):
        row = SimulatedMessage.objects.get(
            tenant_id=tenant_id, pk=number, kind__in=KINDS
        )
        channel = Channel.objects.get(tenant_id=tenant_id, pk=str(row.channel_id))
        held = json.loads(reveal(channel, "secret") or "{}")
    phone = str(row.payload.get("to") or row.address)
    ours = str(channel.settings.get("from_number") or "")
    sid = secrets.token_hex(16)
    if row.kind == "sms":
        form = {"MessageSid": f"SM{sid}", "From": phone, "To": ours, "Body": typed}
        place = Place(tenant_id, channel.pk)
    else:
        form = {"CallSid": f"CA{sid}", "From": ours, "To": phone, "Digits": typed}
        place = Place(tenant_id, channel.pk, UUID(row.ts))
    form["AccountSid"] = str(channel.settings.get("account_sid") or "")
    url = callbacks.address("twilio", row.kind, place)
    return post(url, form, str(held.get("auth_token") or ""))


def post(url: str, form: dict[str, str], token: str) -> tuple[int, str]:
    """Send to this installation what is signed for its public address."""
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        own_address() + urlsplit(url).path,
        urlencode(form).encode(),
        {"X-Twilio-Signature": base64.b64encode(digest).decode()},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as got:  # noqa: S310
            return got.status, heard(got.read(MOST_ANSWER))
    except urllib.error.HTTPError as error:
        return error.code, error.read(MOST_ANSWER).decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def heard(document: bytes) -> str:
    """Return the words of a TwiML document: what is shown, or said first."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - our own answer
    except ElementTree.ParseError:
        return ""
    found = (one.text for one in root.iter() if one.tag in SAID and one.text)
    return next(found, "")


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
