"""How does a channel call a vendor over HTTP, and what does a refusal mean?

All calls pass the guard (alertcenter.common.outbound). What a status means is the same
for all vendors unless they say otherwise: 408, 429 and 5xx may pass, with Retry-After
obeyed; other 4xx never will; a request that got no answer may have arrived.
"""

from __future__ import annotations

import email.utils
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.common import outbound, world_time
from alertcenter.common.http import Network
from alertcenter.common.outbound import Answer
from notifications.channels.base import NETWORK_SECONDS, DeliveryError

AGENT = "AlertCenter"
TOO_MANY, REQUEST_TIMEOUT, SERVER_ERRORS = 429, 408, 500
SUCCESS = range(200, 300)
LONGEST_WAIT = 3600.0
SHOWN_ANSWER = 300


def call(
    url: str,
    *,
    method: str = "POST",
    json_body: Any = None,
    form: Mapping[str, str] | None = None,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    seconds: float = NETWORK_SECONDS,
    allowed: Sequence[Network] | None = None,
    most: int = outbound.MOST_ANSWER,
) -> Answer:
    """Call once and return the answer, of whatever status. `allowed`: the networks
    inside that may be reached, where those of OUTBOUND_ALLOW are not meant. `most`:
    bytes of the answer that are read.

    Raises DeliveryError when there is none: permanent if the address may not be
    called, ambiguous if the request may have arrived.
    """
    sent = {"User-Agent": AGENT}
    if json_body is not None:
        body = json.dumps(json_body, ensure_ascii=False, separators=(",", ":")).encode()
        sent["Content-Type"] = "application/json"
    elif form is not None:
        body = urlencode(form).encode()
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        return outbound.request(
            method,
            url,
            body,
            sent | dict(headers or {}),
            allowed=settings.OUTBOUND_ALLOW if allowed is None else allowed,
            seconds=seconds,
            most=most,
        )
    except outbound.OutboundError as error:
        raise DeliveryError(
            error.reason, permanent=error.refused, ambiguous=error.begun
        ) from error


def need_success(answer: Answer, *, said: str = "") -> str:
    """Return what the vendor said in short. Raises DeliveryError unless it is a 2xx.

    `said`: the vendor's own words, where its body holds more than those.
    """
    words = f"{answer.status} {said or answer.body[:SHOWN_ANSWER]}".strip()
    if answer.status in SUCCESS:
        return words
    again = answer.status >= SERVER_ERRORS
    again = again or answer.status in (TOO_MANY, REQUEST_TIMEOUT)
    wait = retry_after(answer.headers.get("retry-after", ""))
    raise DeliveryError(words, permanent=not again, retry_after=wait if again else None)


def retry_after(value: str) -> float | None:
    """Return the seconds that the other side asks to wait, if it does.

    Seconds or an HTTP date (RFC 9110, 10.2.3).
    """
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = at.timestamp() - world_time.now()
    if seconds != seconds:  # "nan" is a float, too
        return None
    return min(LONGEST_WAIT, max(0.0, seconds))


def a_url(url: str) -> str:
    """Return an address that can be called. Raises ValidationError."""
    try:
        return outbound.check_url(url.strip())
    except outbound.OutboundError as error:
        raise ValidationError(
            _("Give an address that begins with http:// or https://.")
        ) from error


def read_json(answer: Answer) -> dict[str, Any]:
    """Return the answer's JSON object; {} where it is none."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
