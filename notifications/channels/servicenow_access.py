"""Who are we to ServiceNow? A user with a password, or a client with a token.

https://www.servicenow.com/docs/ ("Client credentials grant workflow"): the token is
asked for at /oauth_token.do, and used until it is about to end.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.common.outbound import Answer, OutboundError, check_url
from notifications.channels import http, tooling
from notifications.channels.base import DeliveryError, Parcel

UNAUTHORIZED = 401
MARGIN_SECONDS = 60
USUAL_SECONDS = 1_800
MOST_TOKENS = 1_000
SHORTEST_SECRET = 20

# Up to five calls, together shorter than a lease (notifications.claiming.LEASE).
LONGEST_DELIVERY, SHORTEST_CALL = 24.0, 0.1

_ends: ContextVar[float] = ContextVar("servicenow_ends", default=float("inf"))
_tokens: dict[str, tuple[str, float]] = {}
_lock = threading.Lock()


def begin() -> None:
    """Let the time for all calls of one delivery begin: a delivery that takes longer
    than its lease is sent by another sender as well."""
    _ends.set(time.monotonic() + LONGEST_DELIVERY)


def seconds() -> float:
    """Return how long the next call may take. Raises DeliveryError for no time."""
    left = _ends.get() - time.monotonic()
    if left < SHORTEST_CALL:
        raise DeliveryError(_("ServiceNow answers too slowly."))
    return min(tooling.SECONDS, left)


def ask(parcel: Parcel, url: str, **how: Any) -> Answer:
    """Call as the channel's user. Raises DeliveryError when there is no answer."""
    password = parcel.secret.get("password", "")
    if not password:
        raise DeliveryError(_("The channel has no password."), permanent=True)
    if parcel.settings.get("auth") != "oauth":
        pair = f"{parcel.settings.get('user', '')}:{password}".encode()
        proof = f"Basic {base64.b64encode(pair).decode()}"
        return called(parcel, url, proof, **how)
    known = name_of(parcel)
    answer = called(parcel, url, f"Bearer {token(parcel)}", **how)
    if answer.status != UNAUTHORIZED:
        return answer
    with _lock:  # taken back before its time
        _tokens.pop(known, None)
    return called(parcel, url, f"Bearer {token(parcel)}", **how)


def called(parcel: Parcel, url: str, proof: str, **how: Any) -> Answer:
    headers = {"Accept": "application/json", "Authorization": proof}
    answer = tooling.ask(parcel, url, headers=headers, seconds=seconds(), **how)
    # Whatever repeats the header tells no more than its kind.
    body = answer.body.replace(proof.partition(" ")[2], tooling.STRUCK)
    return Answer(answer.status, body, answer.headers)


def token(parcel: Parcel) -> str:
    """Return a token that still holds. Raises DeliveryError."""
    name, now = name_of(parcel), time.monotonic()
    with _lock:
        held, ends = _tokens.get(name, ("", 0.0))
    if held and now < ends:
        return held
    form = {
        "grant_type": "client_credentials",
        "client_id": str(parcel.settings.get("user") or ""),
        "client_secret": parcel.secret.get("password", ""),
    }
    try:
        url = f"{address_of(parcel)}/oauth_token.do"
        answer = tooling.ask(parcel, url, form=form, seconds=seconds())
    except DeliveryError as error:
        error.ambiguous = False  # no record is made by asking who we are
        raise
    said = http.read_json(answer)
    words = str(said.get("error_description") or said.get("error") or "")
    http.need_success(answer, said=words or f"{answer.status}")
    found = said.get("access_token")
    if not isinstance(found, str) or not found.isascii() or not found.isprintable():
        raise DeliveryError(_("ServiceNow's answer holds no token."))
    lasts = said.get("expires_in")
    valid = lasts if isinstance(lasts, int) and lasts > 0 else USUAL_SECONDS
    with _lock:
        if len(_tokens) >= MOST_TOKENS:
            _tokens.clear()
        _tokens[name] = found, now + valid - MARGIN_SECONDS
    return found


def name_of(parcel: Parcel) -> str:
    """Return what a token is kept under: another password has another one."""
    parts = (
        str(parcel.tenant_id),
        address_of(parcel),
        str(parcel.settings.get("user") or ""),
        parcel.secret.get("password", ""),
    )
    return hashlib.blake2b("\0".join(parts).encode()).hexdigest()


def address_of(parcel: Parcel) -> str:
    given = parcel.settings.get("api_url") or parcel.settings.get("url") or ""
    return str(given).rstrip("/")


# --- what its page accepts ---


def an_instance(url: str) -> str:
    """Return the address of an instance. Raises ValidationError."""
    try:
        parts = urlsplit(check_url(url.strip().rstrip("/")))
    except OutboundError as error:
        raise ValidationError(
            _("Give an address that begins with http:// or https://.")
        ) from error
    if parts.path or parts.query or parts.fragment or parts.username:
        raise ValidationError(_("Give the instance's address alone, without a path."))
    return f"{parts.scheme}://{parts.netloc}"


def a_long_secret(secret: str) -> str:
    """Return a secret that nobody guesses. Raises ValidationError."""
    if (
        len(secret) < SHORTEST_SECRET
        or not secret.isascii()
        or not secret.isprintable()
    ):
        words = _("A secret has %(n)d or more printable ASCII characters.")
        raise ValidationError(words % {"n": SHORTEST_SECRET})
    return secret


def check(given: Mapping[str, Any], held: Mapping[str, str]) -> dict[str, Any]:
    """A password is needed, and the stored one is shown to no other server."""
    before = str(given["stored"].get("url") or "")
    moved = before and before.casefold() != str(given.get("url") or "").casefold()
    if moved and held.get("password") and not given.get("password"):
        text = _("The address is another server's: give the password again.")
        return {"password": text}
    return tooling.needs("password")(given, held)
