"""Did Amazon SNS really send this? Signatures, and the confirming of subscriptions.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
Nothing is fetched but from `sns.<region>.amazonaws.com`. Where Amazon cannot be reached
at all, a notification is taken on the strength of its key alone, because an alert must
not be lost to a firewall; a subscription is never confirmed unverified.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import http.client
import logging
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.utils.translation import gettext_lazy as _

from alertcenter.api import raw
from alertcenter.api.protocols import JSON, Reply
from alertcenter.common.errors import Refused

log = logging.getLogger(__name__)

HOST = re.compile(r"sns\.[a-z0-9-]{1,30}\.amazonaws\.com(\.cn)?")
# Nothing else at Amazon's address is a certificate: its API answers there as well, with
# words that others chose.
CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")
FETCH_SECONDS = 5.0
LARGEST = 64 * 1024
MOST_REMEMBERED = 32
FRESH_SECONDS = 24 * 3600.0
AWAY_SECONDS = 60.0

SIGNED = {
    "Notification": (
        "Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type",
    ),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn",
        "Type",
    ),
}  # fmt: skip
SIGNED["UnsubscribeConfirmation"] = SIGNED["SubscriptionConfirmation"]


_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sns")


class Unreachable(Exception):
    """Amazon did not answer at all."""


def is_envelope(data: Any) -> bool:
    """Whether this is what SNS itself wraps around a message."""
    return (
        isinstance(data, dict)
        and isinstance(data.get("Type"), str)
        and data["Type"] in SIGNED
        and "TopicArn" in data
        and "MessageId" in data
    )


async def received(envelope: Mapping[str, Any]) -> Reply | None:
    """Return the answer to a message about a subscription; None for a notification,
    which is then read by its adapter. Raises Refused for what SNS did not sign."""
    # Threads of its own: who makes us wait for Amazon keeps nobody else from theirs.
    return await asyncio.get_running_loop().run_in_executor(_threads, judge, envelope)


def judge(envelope: Mapping[str, Any]) -> Reply | None:
    """As `received`, for threads."""
    kind = str(envelope["Type"])
    try:
        verify(envelope)
    except Unreachable as error:
        if kind != "Notification":
            raise not_confirmed() from error
        log.warning("sns_not_verified", extra={"error": str(error)[:200]})
    if kind == "Notification":
        return None
    if kind == "SubscriptionConfirmation":
        confirm(str(envelope.get("SubscribeURL", "")))
    return 200, raw.as_json({"confirmed": kind == "SubscriptionConfirmation"}), JSON


def verify(envelope: Mapping[str, Any]) -> None:
    """Raise Refused for a wrong signature, Unreachable if that cannot be known."""
    address = str(envelope.get("SigningCertURL") or envelope.get("SigningCertUrl", ""))
    if not is_certificates(address):
        raise forged()
    try:
        signature = base64.b64decode(str(envelope.get("Signature", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise forged() from error
    version = str(envelope.get("SignatureVersion", "1"))
    # Version 1 is SHA-1, which SNS still signs with unless the topic says otherwise.
    method = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303
    try:
        CERTIFICATES.key(address).verify(
            signature, signed_text(envelope), padding.PKCS1v15(), method
        )
    except InvalidSignature as error:
        raise forged() from error


def signed_text(envelope: Mapping[str, Any]) -> bytes:
    """Return what SNS signs: the names and values of some fields, one a line."""
    names = SIGNED[str(envelope["Type"])]
    return "".join(
        f"{name}\n{envelope[name]}\n"
        for name in names
        if envelope.get(name) is not None
    ).encode(errors="replace")


def confirm(address: str) -> None:
    """Follow the link that ends a subscription's set-up. Raises Refused."""
    if not is_amazons(address):
        raise forged()
    try:
        fetch(address)
    except Unreachable as error:
        raise not_confirmed() from error
    log.info("sns_subscription_confirmed")


def is_amazons(address: str) -> bool:
    """Whether the address is of SNS itself, over TLS, on the usual port."""
    try:
        parts = urlsplit(address)
        return (
            parts.scheme == "https"
            and parts.port in (None, 443)
            and parts.username is None
            and HOST.fullmatch(parts.hostname or "") is not None
        )
    except ValueError:
        return False


def is_certificates(address: str) -> bool:
    """Whether it is where SNS keeps the certificates that it signs with."""
    if not is_amazons(address):
        return False
    parts = urlsplit(address)
    return not parts.query and CERTIFICATE.fullmatch(parts.path) is not None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """SNS redirects nowhere, so nobody else may."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def fetch(address: str) -> bytes:
    """Return what is at an address of Amazon's. Raises Unreachable, Refused."""
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(address, timeout=FETCH_SECONDS) as answer:
            found: bytes = answer.read(LARGEST)
            return found
    except (urllib.error.HTTPError, http.client.InvalidURL, ValueError) as error:
        raise forged() from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(str(error)) from error


class Certificates:
    """Public keys by address; what was not reachable is not asked for at once."""

    def __init__(self, get: Callable[[str], bytes]) -> None:
        self._get = get
        self._known: dict[str, tuple[float, rsa.RSAPublicKey | None]] = {}
        self._lock = threading.Lock()

    def key(self, address: str) -> rsa.RSAPublicKey:
        """Return the certificate's key. Raises Unreachable, Refused."""
        now = time.monotonic()
        until, key = self._known.get(address, (0.0, None))
        if now < until:
            if key is None:
                raise Unreachable("it was away a moment ago")
            return key
        try:
            found = public_key(self._get(address))
        except Unreachable:
            self._remember(address, now + AWAY_SECONDS, None)
            raise
        self._remember(address, now + FRESH_SECONDS, found)
        return found

    def _remember(
        self, address: str, until: float, key: rsa.RSAPublicKey | None
    ) -> None:
        with self._lock:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[address] = (until, key)


def public_key(certificate: bytes) -> rsa.RSAPublicKey:
    """Return the key in a certificate. Raises Refused for what is none."""
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
    except ValueError as error:
        raise forged() from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise forged()
    return key


def forged() -> Refused:
    return Refused(403, "bad_signature", _("Amazon SNS did not sign this."))


def not_confirmed() -> Refused:
    message = _("Amazon cannot be reached, so the subscription is not confirmed.")
    return Refused(502, "not_confirmed", message)


CERTIFICATES = Certificates(lambda address: fetch(address))
