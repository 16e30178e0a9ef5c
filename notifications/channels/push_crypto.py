"""How is a push message sealed for one browser, and how do we prove who we are?

The message: RFC 8291 over RFC 8188's aes128gcm, one record. Who sends: RFC 8292, VAPID,
a JWT signed with ES256 by the installation's own key.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import struct
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from alertcenter.common import world_time

# RFC 8291, 4: a body of 4096 bytes is all that a push service must take; its header
# has 86 bytes, the padding's mark one, the tag 16.
MOST_PLAINTEXT = 3993
RECORD = 4096
SALT_BYTES, AUTH_BYTES, POINT_BYTES = 16, 16, 65
# RFC 8292, 2: a token may live for 24 hours at most.
TOKEN_SECONDS = 12 * 3600
CURVE = ec.SECP256R1()


class BadKeys(ValueError):
    """These are no keys of a subscription."""


def new_private_key() -> str:
    """Return a new key of ours, as PEM."""
    return (
        ec.generate_private_key(CURVE)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def load(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def public_key(pem: str) -> str:
    """Return what a browser is given as applicationServerKey."""
    return to_text(_point(load(pem).public_key()))


def check_keys(p256dh: str, auth: str) -> None:
    """Raise BadKeys unless a message can be sealed with them."""
    _receiver(p256dh)
    if len(from_text(auth)) != AUTH_BYTES:
        raise BadKeys("the secret has not 16 bytes")


def seal(plaintext: bytes, p256dh: str, auth: str) -> bytes:
    """Return the body that only this browser can read. Raises BadKeys."""
    if len(plaintext) > MOST_PLAINTEXT:
        raise ValueError("too long for a push service")
    theirs, ours = _receiver(p256dh), ec.generate_private_key(CURVE)
    their_point, our_point = _point(theirs), _point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\x00" + their_point + our_point
    secret = _derive(shared, salt=from_text(auth), info=info, length=32)
    salt = os.urandom(SALT_BYTES)
    key = _derive(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derive(secret, salt, b"Content-Encoding: nonce\x00", 12)
    sealed = AESGCM(key).encrypt(nonce, plaintext + b"\x02", None)
    head = salt + struct.pack("!IB", RECORD, len(our_point)) + our_point
    return head + sealed


def authorization(pem: str, endpoint: str, subject: str) -> str:
    """Return the header that says who sends; `subject` is a mailto: or https: URL."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(world_time.now()) + TOKEN_SECONDS,
        "sub": subject,
    }
    signed = ".".join(
        to_text(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"typ": "JWT", "alg": "ES256"}, claims)
    )
    der = load(pem).sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(der)
    signature = to_text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature},k={public_key(pem)}"


def _receiver(p256dh: str) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_text(p256dh))
    except ValueError as error:
        raise BadKeys("this is no point of the curve") from error


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def to_text(raw: bytes) -> str:
    """Return base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Raises BadKeys."""
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded, b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeys("this is no base64url") from error
