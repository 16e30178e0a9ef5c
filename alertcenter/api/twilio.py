"""Did Twilio really call? Verify, act, and answer in Twilio's own words.

https://www.twilio.com/docs/usage/security#validating-requests
Three addresses, each with a token that names tenant, channel and delivery: what became
of a message or a call, what a text message says, what a call shall say and which key
was pressed. Twilio waits for 15 seconds, so the act is done when it is answered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from alertcenter.api import limits, phone_calls, phone_texts, refusals, telemetry
from alertcenter.api.errors import DATABASE_AWAY
from alertcenter.common.buckets import Buckets
from alertcenter.common.crypto import SealBroken
from alertcenter.common.errors import Refused
from notifications import callbacks, fates
from notifications.callbacks import Place
from notifications.channels import twilio
from notifications.models import Channel
from tenants.fields import reveal
from tenants.rls import in_tenant

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 1024
MOST_FIELDS = 200
SIGNATURE = "X-Twilio-Signature"
KINDS = ("sms", "voice")
XML, TEXT = "text/xml; charset=utf-8", "text/plain; charset=utf-8"
PORTS = {"https": 443, "http": 80}

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values and
# https://www.twilio.com/docs/voice/api/call-resource#call-status-values
GOOD = ("delivered", "read", "completed")
BAD = ("undelivered", "failed", "busy", "no-answer", "canceled")

# Wrong signatures, by channel and address.
FORGERIES = Buckets(limits.WRONG_KEYS_A_SECOND, limits.WRONG_KEYS)

Given = list[tuple[str, str]]


@dataclass(frozen=True)
class Called:
    """A call of Twilio's that is believed."""

    place: Place
    form: Mapping[str, str]


@csrf_exempt
@require_POST
def status(request: HttpRequest, token: str) -> HttpResponse:
    """Take what became of a message or a call."""
    return answered("status", request, token)


@csrf_exempt
@require_POST
def sms(request: HttpRequest, token: str) -> HttpResponse:
    """Take a text message; the answer is sent back to its writer."""
    return answered("sms", request, token)


@csrf_exempt
@require_POST
def voice(request: HttpRequest, token: str) -> HttpResponse:
    """Say what a call shall say, and take its keys."""
    return answered("voice", request, token)


def answered(what: str, request: HttpRequest, token: str) -> HttpResponse:
    try:
        called = verified(request, token)
        with in_tenant(called.place.tenant_id):
            if what == "status":
                outcome, body = note_fate(called), ""
            elif what == "sms":
                outcome, body = phone_texts.take(called.place, called.form)
            else:
                outcome, body = phone_calls.take(called.place, called.form)
    except DATABASE_AWAY:
        return refused(what, refusals.away())
    except Refused as error:
        return refused(what, error)
    telemetry.TWILIO.labels(what, outcome).inc()
    return HttpResponse(body, content_type=TEXT if what == "status" else XML)


def refused(what: str, error: Refused) -> HttpResponse:
    telemetry.TWILIO.labels(what, error.code).inc()
    return HttpResponse(
        str(error.message),
        status=error.status,
        headers=error.headers,
        content_type=TEXT,
    )


def note_fate(called: Called) -> str:
    """Keep what became of a delivery."""
    form, place = called.form, called.place
    if place.delivery_id is None:
        return "ignored"
    said = form.get("MessageStatus") or form.get("CallStatus") or ""
    sid = form.get("MessageSid") or form.get("CallSid") or ""
    words = " ".join(
        word for word in (said, form.get("ErrorCode"), form.get("ErrorMessage")) if word
    )
    by_machine = form.get("AnsweredBy", "").startswith(("machine", "fax"))
    if said == "completed" and by_machine:
        said, words = "no-answer", f"answered by a machine ({form['AnsweredBy']})"
    change = fates.arrived if said in GOOD else fates.lost if said in BAD else None
    if change is None:
        return "ignored"
    new = change(place.tenant_id, place.delivery_id, provider_id=sid, words=words)
    return said if new else "known"


# --- verification ---


def verified(request: HttpRequest, token: str) -> Called:
    """Return what Twilio says. Raises Refused, and writes nothing."""
    place = callbacks.read(token)
    if place is None:
        raise refusals.not_found()
    # By channel, too: Twilio calls for all tenants from the same addresses, and one
    # with a wrong token must not keep the others from being heard.
    caller = (place.channel_id, limits.address_of_request(request))
    if wait := FORGERIES.wait(caller):
        raise limits.too_many_guesses(wait)
    given = fields_of(request)
    signature = request.headers.get(SIGNATURE, "")
    # None of them is empty: with an empty secret anybody can sign.
    signed = [is_signed(request, given, one, signature) for one in auth_tokens(place)]
    if not any(signed):
        FORGERIES.take(caller)
        raise Refused(403, "bad_signature", "Twilio did not sign this.")
    return Called(place, dict(given))


def fields_of(request: HttpRequest) -> Given:
    """Return the form's names and values. Raises Refused."""
    try:
        body = request.read(MOST_BYTES + 1)
    except OSError as error:
        raise bad_body() from error
    if len(body) > MOST_BYTES:
        raise Refused(413, "too_large", "This is larger than what Twilio sends.")
    try:
        given = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise bad_body() from error
    if any("\x00" in value for pair in given for value in pair):
        raise bad_body()
    return given


def bad_body() -> Refused:
    return Refused(400, "bad_body", "This is not what Twilio sends.")


def auth_tokens(place: Place) -> list[str]:
    """Return what Twilio may sign with for this channel; [] where nothing is known."""
    with in_tenant(place.tenant_id):
        channel = Channel.objects.filter(
            tenant_id=place.tenant_id, pk=place.channel_id, kind__in=KINDS
        ).first()
        if channel is None or not channel.secret:
            return []
        try:
            held = json.loads(reveal(channel, "secret") or "{}")
        except SealBroken:
            return []  # sealed under a key that is gone: it signs nothing
    return twilio.auth_tokens(held)


def is_signed(request: HttpRequest, given: Given, secret: str, signature: str) -> bool:
    """Whether Twilio signed this, for the address by which it knows us."""
    right = False
    for url in addresses(request):
        expected = signature_of(url, given, secret)
        # All are compared, so that the time tells nothing.
        right |= hmac.compare_digest(expected.encode(), signature.encode())
    return right


def signature_of(url: str, given: Given, secret: str) -> str:
    """Return Twilio's signature: of the URL and, by name, each field's values."""
    told = {name: sorted({v for n, v in given if n == name}) for name, _ in given}
    text = url + "".join(f"{n}{v}" for n in sorted(told) for v in told[n])
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def addresses(request: HttpRequest) -> list[str]:
    """Return the addresses for which Twilio may have signed: our public one, whatever
    proxies made of it, with and without its port."""
    query = request.META.get("QUERY_STRING", "")
    known = f"{settings.BASE_URL}{request.path_info}" + (f"?{query}" if query else "")
    parts = urlsplit(known)
    host = parts.hostname or ""
    port = parts.port or PORTS.get(parts.scheme, 443)
    plain = urlunsplit(parts._replace(netloc=host))
    return list(
        dict.fromkeys(
            (known, plain, urlunsplit(parts._replace(netloc=f"{host}:{port}")))
        )
    )
