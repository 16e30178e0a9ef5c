"""What does a calendar's address say today?"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.common import outbound
from alertcenter.common.outbound import Answer, OutboundError
from escalation.ical_in import MOST_BYTES, CalendarError

MOST_REDIRECTS = 5
SECONDS = 20.0
LONGEST_TAG = 300
REDIRECTS = (301, 302, 303, 307, 308)
# Calendars give their addresses by a scheme of their own, which means HTTP.
SCHEMES = {"webcal": "https", "webcals": "https"}


class Fetched(NamedTuple):
    """What came; `data` is None where nothing has changed."""

    data: bytes | None
    etag: str = ""
    last_modified: str = ""


def check_url(url: str) -> str:
    """Return the address by which a calendar is read. Raises OutboundError."""
    scheme, divider, rest = url.strip().partition("://")
    known = SCHEMES.get(scheme.lower(), scheme)
    return outbound.check_url(f"{known}{divider}{rest}")


def checked_url(url: str) -> str:
    """Return an address that can be called, or "". Raises ValidationError."""
    if not url:
        return ""
    try:
        check_url(url)
    except OutboundError as error:
        text = _("An address begins with https://, http:// or webcal://.")
        raise ValidationError(text) from error
    return url.strip()


def fetch(url: str, *, etag: str = "", last_modified: str = "") -> Fetched:
    """Ask for a calendar, or whether it has changed. Raises CalendarError."""
    headers = {"Accept": "text/calendar, */*;q=0.5", "User-Agent": "AlertCenter"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    try:
        answer = _followed(check_url(url), headers)
    except OutboundError as error:
        raise CalendarError("unreachable", error.reason) from error
    if answer.status == 304 and (etag or last_modified):
        return Fetched(None, etag, last_modified)
    if answer.status != 200:
        raise CalendarError("status", str(answer.status))
    if answer.cut:
        raise CalendarError("size", f"{MOST_BYTES // 1024 // 1024} MB")
    return Fetched(
        answer.raw,
        _tag(answer, "etag"),
        _tag(answer, "last-modified"),
    )


def _tag(answer: Answer, name: str) -> str:
    """Return a header that may be sent back."""
    value = answer.headers.get(name, "")
    fits = len(value) <= LONGEST_TAG and value.isascii() and value.isprintable()
    return value if fits else ""


def _followed(url: str, headers: dict[str, str]) -> Answer:
    """Call, and go where one is sent: each address is judged as the first was."""
    for _step in range(MOST_REDIRECTS + 1):
        answer = outbound.request(
            "GET",
            url,
            b"",
            headers,
            allowed=settings.OUTBOUND_ALLOW,
            seconds=SECONDS,
            most=MOST_BYTES,
        )
        if answer.status not in REDIRECTS:
            return answer
        try:
            leads_to = urljoin(url, answer.headers.get("location", ""))
        except ValueError as error:  # such as http://[
            raise OutboundError("It leads to no address.", refused=True) from error
        following = check_url(leads_to)
        if urlsplit(url).scheme == "https" != urlsplit(following).scheme:
            raise OutboundError("It leads away from https.", refused=True)
        url = following
    raise OutboundError("It leads on and on.", refused=True)
