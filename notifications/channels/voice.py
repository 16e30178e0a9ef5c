"""How does a delivery reach an ear? By a call of Twilio's, answered on the keypad.

https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
When somebody answers, Twilio asks us what to say (alertcenter/api/twilio.py). Where it
cannot reach us it is told at once, and the keypad does nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import providers
from notifications.channels import phones, simulated, twilio, twiml
from notifications.channels.base import (
    ContactSpec,
    DeliveryError,
    Parcel,
    Receipt,
    Setting,
    Spec,
)
from notifications.providers import Provider

KINDS = ("page", "test", "answer")
RING_SECONDS, LEAST_RING, LONGEST_RING = 30, 5, 600
# https://www.twilio.com/docs/voice/api/call-resource: Twiml takes 4,000 letters.
MOST_TWIML = 4_000


def send(parcel: Parcel) -> Receipt:
    """Call once. Raises DeliveryError."""
    if parcel.kind not in KINDS:
        return Receipt(answer="nobody is called about that")
    try:
        to = phones.a_number(parcel.address)
    except ValidationError as error:
        raise DeliveryError("this is no telephone number", permanent=True) from error
    if settings.SIMULATION:
        return keep(parcel, to)
    return providers.send(parcel, ways(parcel, to))


def ways(parcel: Parcel, to: str) -> list[Provider]:
    """Return by whom this number is called: the account, and what stands in for it."""
    found = [Provider("twilio", lambda parcel: call(parcel, to))]
    if twilio.has_second(parcel.settings):
        found.append(
            Provider("twilio2", lambda parcel: call(twilio.by_second(parcel), to))
        )
    return found


def call(parcel: Parcel, to: str) -> Receipt:
    """Let Twilio call. Raises DeliveryError."""
    account = parcel.settings
    form = {
        "To": to,
        "From": str(account.get("from_number") or ""),
        "Timeout": str(account.get("ring_seconds") or RING_SECONDS),
    }
    if account.get("machines", True) and parcel.kind == "page":
        # A message is left after the machine's own, and a person was not reached.
        form["MachineDetection"] = "DetectMessageEnd"
    form |= what_is_said(parcel)
    made, answer = twilio.post(account, parcel.secret, "Calls", form)
    return Receipt(provider_id=str(made.get("sid", "")), answer=answer)


def what_is_said(parcel: Parcel) -> dict[str, str]:
    """Return where Twilio finds what to say, or the words themselves."""
    asked = twilio.callback(parcel, "voice")
    if not asked:
        return {"Twiml": at_once(parcel)[:MOST_TWIML]}
    return {
        "Url": asked,
        "Method": "POST",
        "StatusCallback": twilio.callback(parcel, "status"),
        "StatusCallbackMethod": "POST",
    }


def at_once(parcel: Parcel) -> str:
    return twiml.said([twiml.spoken(parcel)], parcel.language, times=twiml.TIMES)


def keep(parcel: Parcel, to: str) -> Receipt:
    """Put what would be heard where the simulation shows it."""
    heard = [twiml.spoken(parcel)]
    if parcel.kind == "page":
        heard.append(twiml.menu(parcel))
    title = _("Call: %(title)s") % {"title": parcel.title}
    return simulated.keep(parcel, to=to, title=title, text="\n".join(heard))


# --- its page ---


def some_seconds(seconds: int) -> int:
    """Return how long it rings. Raises ValidationError."""
    if not LEAST_RING <= seconds <= LONGEST_RING:
        raise ValidationError(_("A call rings for 5 to 600 seconds."))
    return seconds


def needed(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """Return what is missing, by the setting's name."""
    lacks = twilio.needed(given, held)
    if not given.get("from_number"):
        lacks["from_number"] = _("Give the number that calls.")
    lacks |= twilio.second_needed(given, held)
    if given.get("second_account_sid") and not twilio.has_second(given):
        lacks["second_from_number"] = _("Give the number that calls.")
    return {} if settings.SIMULATION else lacks


def made_up(channel_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what the simulation takes for an account."""
    settings_made = {
        "account_sid": f"AC{channel_id.hex}",
        "from_number": "+15005550006",  # the number of Twilio's own tests
    }
    return settings_made, {"auth_token": secrets.token_hex(16)}


SPEC = Spec(
    kind="voice",
    label=gettext_lazy("Phone call"),
    about=gettext_lazy("Telephones, by Twilio; a key acknowledges or resolves."),
    settings=(
        phones.NUMBERS,
        *twilio.ACCOUNT,
        Setting(
            "from_number",
            gettext_lazy("From"),
            gettext_lazy("A number of yours at Twilio, which the called one sees."),
            check=phones.a_number,
        ),
        Setting(
            "ring_seconds",
            gettext_lazy("Rings for (seconds)"),
            gettext_lazy("Shorter than until the mailbox answers, if you can."),
            kind="number",
            default=RING_SECONDS,
            check=some_seconds,
        ),
        Setting(
            "machines",
            gettext_lazy("Tell answering machines from people"),
            gettext_lazy(
                "A machine gets the message, and the page counts as not delivered."
            ),
            kind="flag",
            default=True,
        ),
        twilio.CALLBACKS,
        *twilio.SECOND,
    ),
    place=phones.place,
    addresses=lambda settings: [str(one) for one in settings.get("to") or []],
    check=needed,
    made_up=made_up,
    contact=ContactSpec(
        gettext_lazy("A number with country code, such as +49 30 1234567."),
        phones.a_number,
        proves=True,
    ),
    replies=frozenset(),  # nobody is called to hear that it is over
    pasted=twilio.pasted("voice"),
    # As GoAlert has it: more in so short a time nobody hears.
    most=((3, 15 * 60), (7, 3600)),
    words_like="voice",
)
