"""How does a delivery reach a mobile phone? As a text message, by Twilio or Amazon.

https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
At most three segments: title, severity and link stay, the rest is cut.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from notifications import localize, providers
from notifications.channels import gsm, phones, simulated, sns, twilio
from notifications.channels.base import (
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
)
from notifications.providers import Provider

KINDS = ("page", "reply", "test", "answer")
SERVICE_SID_LENGTH = 34  # MG and 32 digits


def send(parcel: Parcel) -> Receipt:
    """Send one delivery. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nothing to redraw in a text message")
    try:
        to = phones.a_number(parcel.address)
    except ValidationError as error:
        raise DeliveryError("this is no telephone number", permanent=True) from error
    if settings.SIMULATION:
        return keep(parcel, to, text_of(parcel))
    chosen = [name for name in chosen_of(parcel.settings) if name]
    return providers.send(parcel, [provider(name, to) for name in chosen])


def provider(name: str, to: str) -> Provider:
    """Return what sends to this number by the provider of this name."""
    return Provider(name, lambda parcel: SENDERS[name](parcel, to))


def chosen_of(account: Mapping[str, Any]) -> tuple[str, str]:
    """Return the first provider and the second, which may be ""."""
    first = str(account.get("provider") or TWILIO)
    second = str(account.get("second_provider") or "")
    return first, second if second != first else ""


def by_twilio(parcel: Parcel, to: str) -> Receipt:
    """Hand it to Twilio, which says whether it takes it; the callback says more."""
    form = {"To": to, "Body": text_of(parcel)} | sender(parcel.settings)
    if told := twilio.callback(parcel, "status"):
        form["StatusCallback"] = told
    made, said = twilio.post(parcel.settings, parcel.secret, "Messages", form)
    return Receipt(provider_id=str(made.get("sid", "")), answer=said)


def by_second_twilio(parcel: Parcel, to: str) -> Receipt:
    """Hand it to Twilio by the other account, or from the other number."""
    return by_twilio(twilio.by_second(parcel), to)


def by_sns(parcel: Parcel, to: str) -> Receipt:
    """Hand it to Amazon, which hears no answers."""
    text = text_of(parcel, heard=False)
    return sns.publish(parcel.settings, parcel.secret, to, text)


TWILIO, SNS, SECOND_TWILIO = "twilio", "sns", "twilio2"
SENDERS = {TWILIO: by_twilio, SNS: by_sns, SECOND_TWILIO: by_second_twilio}


def sender(account: Mapping[str, Any]) -> dict[str, str]:
    """Return who it comes from: a service that chooses a number, or one number."""
    if service := account.get("messaging_service_sid"):
        return {"MessagingServiceSid": str(service)}
    return {"From": str(account.get("from_number") or "")}


def text_of(parcel: Parcel, *, heard: bool = True) -> str:
    """Return what is sent: words of the tenant's template, link, and how to answer
    if answers are heard."""
    message = parcel.message
    title = gsm.plain(parcel.title) or gsm.plain(message.title)
    body = gsm.plain(parcel.body).replace("\n\n", "\n")
    if parcel.kind in ("test", "answer"):
        return gsm.fitted(title, "", [])
    if parcel.kind == "reply":
        return gsm.fitted(title, body, [], most=1)
    return gsm.fitted(title, body, [message.url, hint(parcel) if heard else ""])


def hint(parcel: Parcel) -> str:
    """Return how to answer by text message; "" where no answer would arrive."""
    account = parcel.settings
    heard = account.get("callbacks", True) and (
        account.get("messaging_service_sid")
        or phones.can_be_answered(str(account.get("from_number") or ""))
    )
    acts = parcel.message.actions
    if not heard or "acknowledge" not in acts or not parcel.message.number:
        return ""
    with override(localize.interface_language(parcel.language)):
        text = _("Reply ACK %(n)s or RESOLVE %(n)s.")
        if "resolve" not in acts:
            text = _("Reply ACK %(n)s.")
        return gsm.plain(text % {"n": parcel.message.number})


def keep(parcel: Parcel, to: str, text: str) -> Receipt:
    """Put it where the simulation shows it, with what it would cost."""
    count = gsm.segments(text)
    parts = ngettext("%(n)s segment", "%(n)s segments", count) % {"n": count}
    title = f"{parts} · {parcel.title}"
    return simulated.keep(parcel, to=to, title=title, text=text)


# --- its page ---


def a_service(sid: str) -> str:
    """Return a messaging service's id. Raises ValidationError."""
    sid = sid.strip()
    if not sid.startswith("MG") or len(sid) != SERVICE_SID_LENGTH or not sid.isalnum():
        raise ValidationError(_("A service's SID is MG and 32 digits or letters."))
    return sid


def needed(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Return what is missing, by the setting's name."""
    if settings.SIMULATION:
        return {}
    lacks: dict[str, Any] = {}
    used = chosen_of(given)
    if given.get("second_provider") == used[0]:
        lacks["second_provider"] = _("Choose another one than the first.")
    if TWILIO in used:
        lacks |= twilio.needed(given, held)
        if not given.get("from_number") and not given.get("messaging_service_sid"):
            lacks["from_number"] = _("Give a number or a messaging service.")
    if SECOND_TWILIO in used:
        lacks |= twilio.second_needed(given, held)
        if not twilio.has_second(given):
            lacks["second_from_number"] = _("Give the number that stands in.")
    if SNS in used:
        lacks |= sns.needed(given, held)
    return lacks


def made_up(channel_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the simulation takes for an account."""
    settings_made = {
        "account_sid": f"AC{channel_id.hex}",
        "from_number": "+15005550006",  # the number of Twilio's own tests
    }
    return settings_made, {"auth_token": secrets.token_hex(16)}


PROVIDERS = ((TWILIO, "Twilio"), (SNS, "Amazon SNS"))

SPEC = Spec(
    kind="sms",
    label=gettext_lazy("Text message"),
    about=gettext_lazy("Mobile phones; an answer acknowledges or resolves."),
    settings=(
        phones.NUMBERS,
        Setting(
            "provider",
            gettext_lazy("Provider"),
            kind="choice",
            default=TWILIO,
            choices=PROVIDERS,
        ),
        Setting(
            "second_provider",
            gettext_lazy("Second provider"),
            gettext_lazy("Sends what the first one cannot, for reasons of its own."),
            kind="choice",
            choices=(
                ("", gettext_lazy("none")),
                *PROVIDERS,
                (SECOND_TWILIO, gettext_lazy("Twilio, second account or number")),
            ),
        ),
        *twilio.ACCOUNT,
        Setting(
            "from_number",
            gettext_lazy("From"),
            gettext_lazy(
                "A number of yours at Twilio, a short code, or a name of eleven "
                "letters, which nobody can answer to."
            ),
            check=phones.a_sender,
        ),
        Setting(
            "messaging_service_sid",
            gettext_lazy("Messaging service"),
            gettext_lazy("Begins with MG; chooses the number in place of From."),
            check=a_service,
        ),
        twilio.CALLBACKS,
        *twilio.SECOND,
        *sns.ACCOUNT,
    ),
    place=phones.place,
    addresses=lambda settings: [str(one) for one in settings.get("to") or []],
    check=needed,
    made_up=made_up,
    contact=ContactSpec(
        gettext_lazy("A mobile number with country code, such as +49 151 12345678."),
        phones.a_number,
        proves=True,
    ),
    # Each costs: that it is over is worth one, what others did meanwhile is not.
    replies=frozenset(("resolved", "reopened", "storm_over")),
    pasted=twilio.pasted("sms"),
    # As GoAlert has it: more in so short a time nobody reads.
    most=((5, 15 * 60), (11, 3600), (21, 3 * 3600)),
    words_like="sms",
)
