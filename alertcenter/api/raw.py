"""How is a raw request read without trusting it? Headers, credential, bounded body."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import zstandard
from django.utils.translation import gettext_lazy as _

from alertcenter.common.errors import Refused

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 1 << 20
JSON_TYPE = b"application/json"
# Alerts that resemble each other shrink to a fiftieth; what shrinks to less than this
# part is no list of alerts. Small bodies may grow to ALWAYS_BYTES in any case.
MOST_RATIO = 200
ALWAYS_BYTES = 64 * 1024
# A block of zstd unpacks to 128 KiB at most, however small it is: four bytes can be
# one. So few bytes are unpacked at a time that memory stays within some megabytes.
ZSTD_PIECE = 64
# Senders that stream use 8 MiB at most (RFC 8878, 3.1.1.1.2 asks for no less).
MOST_WINDOW = 8 << 20
# Bodies may be glued together; not from crumbs, as the rest is copied for each.
MOST_MEMBERS = 16


class Gone(Exception):
    """The client hung up before its body was complete."""


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers by lower-case name; of repeated ones the last."""
    return dict(scope["headers"])


def credential(authorization: str) -> str:
    """Return the key in an Authorization header: bearer, or password of basic
    authentication; "" when there is none."""
    kind, _space, rest = authorization.strip().partition(" ")
    rest = rest.strip()
    if kind.lower() == "bearer":
        return rest
    if kind.lower() != "basic":
        return ""
    try:
        text = base64.b64decode(rest, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]


def too_large(most: int = MOST_BYTES) -> Refused:
    """Return the refusal of a body that is too large."""
    message = _("The body is larger than %(most)s bytes.") % {"most": most}
    return Refused(413, "too_large", message)


async def read_body(
    headers: Mapping[bytes, bytes], receive: Receive, most: int = MOST_BYTES
) -> bytes:
    """Return the body. Raises Refused before it holds more than `most`, and Gone."""
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > most:
        raise too_large(most)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise too_large(most)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks) if len(chunks) > 1 else chunk


def unpacked(headers: Mapping[bytes, bytes], body: bytes) -> bytes:
    """Return the body as it was before its Content-Encoding. Raises Refused."""
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding in (b"identity", b""):
        return body
    unpack = UNPACKERS.get(encoding)
    if unpack is None:
        message = _("Content-Encoding may be gzip, zstd or identity.")
        raise Refused(415, "unsupported_encoding", message)
    most = min(MOST_BYTES, max(ALWAYS_BYTES, MOST_RATIO * len(body)))
    return unpack(body, most)


def gunzip(body: bytes, most: int) -> bytes:
    """Return the unpacked body (RFC 1952: one or more members), never more than
    `most` bytes. Raises Refused."""
    texts: list[bytes] = []
    room = most
    for _member in range(MOST_MEMBERS):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            text = unpacker.decompress(body, room + 1)
        except zlib.error as error:
            raise Refused(400, "bad_gzip", _("The body is not gzip.")) from error
        room -= len(text)
        if room < 0:
            raise too_large(most)
        if not unpacker.eof:
            raise Refused(400, "bad_gzip", _("The gzip body ends too early."))
        texts.append(text)
        body = unpacker.unused_data
        if not body:
            return b"".join(texts)
    raise Refused(400, "bad_gzip", _("The body has too many parts."))


def unzstd(body: bytes, most: int) -> bytes:
    """Return the unpacked body (RFC 8878: one or more frames), never more than `most`
    bytes, with a window no larger than a body may be. Raises Refused."""
    texts: list[bytes] = []
    room = most
    for _member in range(MOST_MEMBERS):
        unpacker = zstandard.ZstdDecompressor(max_window_size=MOST_WINDOW)
        stream = unpacker.decompressobj(read_across_frames=False)
        try:
            for start in range(0, len(body), ZSTD_PIECE):
                text = stream.decompress(body[start : start + ZSTD_PIECE])
                room -= len(text)
                texts.append(text)
                if room < 0:
                    raise too_large(most)
                if stream.eof:
                    break
        except zstandard.ZstdError as error:
            raise Refused(400, "bad_zstd", _("The body is not zstd.")) from error
        if not stream.eof:
            raise Refused(400, "bad_zstd", _("The zstd body ends too early."))
        body = stream.unused_data + body[start + ZSTD_PIECE :]
        if not body:
            return b"".join(texts)
    raise Refused(400, "bad_zstd", _("The body has too many parts."))


UNPACKERS = {b"gzip": gunzip, b"zstd": unzstd}


def is_json(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the sender says that the body is JSON."""
    return content_type(headers) == JSON_TYPE


def content_type(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the media type without its parameters; absent: octets (RFC 9110)."""
    value = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return value or b"application/octet-stream"


async def answer(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Send a whole response."""
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status}
    await send(start | {"headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def as_json(value: Any) -> bytes:
    """Return `value` in JSON, with a line's end as Alertmanager sends it."""
    return json.dumps(value, default=str).encode() + b"\n"


def bounded(application: Application, most: int = MOST_BYTES) -> Application:
    """Give `application` requests whose bodies have `most` bytes at most.

    Django would spool a body of any length to disk before a view sees it.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await read_body(headers_of(scope), receive, most)
        except Gone:
            return
        except Refused as refused:
            told = {"code": refused.code, "message": str(refused.message)}
            kind = (b"content-type", JSON_TYPE)
            await answer(send, refused.status, as_json(told), [kind])
            return
        await application(scope, replay(body, receive), send)

    return serve


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` first."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> dict[str, Any]:
        return waiting.pop() if waiting else await receive()

    return again
