"""What is a telephone number, and whose fault is it when one is not reached?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.channels.base import DeliveryError, Setting

# ITU-T E.164: a country code that begins with no zero, 15 digits at most. No country
# has fewer than 7 with its code.
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
WRITTEN_BETWEEN = re.compile(r"[\s().\-/\u00a0]+")
# Letters and digits, with a letter: what a phone shows in place of a number
# (https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id).
SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
SHOWN_NUMBERS = 3
SHORT_CODE = re.compile(r"[0-9]{5,6}")


class ProviderRefused(DeliveryError):
    """A provider's refusal. `of_the_number`: no other provider would do better, or
    may: who said STOP to one is not written to by another."""

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = True,
        ambiguous: bool = False,
        retry_after: float | None = None,
        of_the_number: bool = False,
    ) -> None:
        super().__init__(
            reason, permanent=permanent, ambiguous=ambiguous, retry_after=retry_after
        )
        self.of_the_number = of_the_number


def a_number(text: str) -> str:
    """Return a number as E.164 has it, +4915112345678. Raises ValidationError."""
    number = WRITTEN_BETWEEN.sub("", text)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not E164.fullmatch(number):
        raise ValidationError(
            _("Give a number with its country code, such as +49 151 12345678.")
        )
    return number


def numbers(lines: list[str]) -> list[str]:
    """Return numbers as E.164 has them. Raises ValidationError."""
    return list(dict.fromkeys(a_number(line) for line in lines))


def a_sender(text: str) -> str:
    """Return what a text message can come from: a number, a short code, a name.

    Raises ValidationError.
    """
    text = text.strip()
    if SHORT_CODE.fullmatch(text) or SENDER_NAME.fullmatch(text):
        return text
    return a_number(text)


def can_be_answered(sender: str) -> bool:
    """Whether a reply reaches this sender: a name has no number."""
    return bool(E164.fullmatch(sender) or SHORT_CODE.fullmatch(sender))


def place(account: Mapping[str, Any]) -> str:
    """Return what a list shows: the numbers it reaches, else who it comes from."""
    to = [str(one) for one in account.get("to") or []]
    if to:
        more = "" if len(to) <= SHOWN_NUMBERS else " …"
        return ", ".join(to[:SHOWN_NUMBERS]) + more
    return str(account.get("from_number") or account.get("messaging_service_sid") or "")


NUMBERS = Setting(
    "to",
    gettext_lazy("Numbers"),
    gettext_lazy(
        "Telephone numbers with country code, one a line; none: the channel only "
        "carries what goes to members' own phones."
    ),
    kind="lines",
    check=numbers,
)
