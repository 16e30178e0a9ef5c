"""What does a mail say, how large may it become, and what does it do to nasty text?"""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import signing
from notifications.channels import letters
from notifications.channels.base import Parcel
from notifications.channels.letters_text import mail_address, one_line, web_address
from notifications.message import AlertLine
from tests.notifications.scene import a_message, a_parcel, acknowledged

GMAIL_CLIPS_AT = 102 * 1024
SERVICE = {
    "service": "Checkout",
    "service_owner": "Payments",
    "runbook": "https://wiki.example/checkout",
    "priority": 1,
}


def to_bob(kind: str = "page", **changes: Any) -> Parcel:
    given = {"channel_kind": "email", "address": "bob@acme.example"}
    return a_parcel(kind, **given | {"member_id": uuid4()} | changes)


def both(parcel: Parcel) -> tuple[str, str]:
    """Return the text and the HTML, as a mailbox reads the mail's bytes."""
    raw = letters.as_bytes(letters.write(parcel), utf8=False)
    found = message_from_bytes(raw, policy=policy.default)
    return letters.part(found, "plain"), letters.part(found, "html")


class Reader(HTMLParser):
    """What a browser would make of the mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag == "a":
            self._inside = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.links.append((data.strip(), self._inside))
            self._inside = ""


# --- what it says ---


def test_it_says_title_severity_priority_service_alerts_runbook_and_where_to_click():
    parcel = to_bob(message=a_message(**SERVICE))
    for said in both(parcel):
        for wanted in (
            "Disks are full", "Critical", "Firing", "P1", "#12", "Checkout (Payments)",
            "db-1 is full", "db-2 is full", "Disk of db-1 is full",
            "https://wiki.example/checkout", parcel.message.url, "Bob",
        ):  # fmt: skip
            assert wanted in said


def test_each_act_is_a_button_that_leads_to_its_own_link():
    parcel = to_bob()
    text, html = both(parcel)
    links = dict(Reader(html).links)
    for act, label in (("acknowledge", "Acknowledge"), ("resolve", "Resolve")):
        link = signing.read_act(links[label].rpartition("/")[2])
        assert (link.act, link.member_id) == (act, parcel.member_id)
        assert f"{label}: {links[label]}" in text
    assert links["Open"] == parcel.message.url


def test_what_is_over_has_no_buttons_but_the_way_to_its_page():
    message = a_message(kind="resolved", state="resolved", actions=())
    _text, html = both(to_bob(message=message))
    assert [label for label, _url in Reader(html).links] == [
        "Open",
        "Stop mails to this address",
    ]


def test_who_took_it_is_said():
    message = acknowledged(a_message())
    text, html = both(to_bob("reply", message=message))
    for said in (text, html):
        assert "Alice acknowledged." in said
        assert "Acknowledged" in said


def test_a_single_alert_is_not_listed_below_itself():
    message = a_message(alert_count=1, alerts=a_message().alerts[:1])
    _text, html = both(to_bob(message=message))
    assert 'class="alerts"' not in html


def test_a_first_line_that_repeats_the_title_is_left_out():
    text, _html = both(to_bob(body="Disks are full\n\nCall the vendor."))
    assert text.count("Disks are full") == 1
    assert "Call the vendor." in text


def test_the_dark_and_the_narrow_are_thought_of():
    _text, html = both(to_bob())
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert "max-width: 480px" in html
    # Readers that drop style sheets still get the look, element by element.
    assert re.search(r'<h1 dir="auto" style="[^"]*font-size', html)
    assert re.search(r'class="button first"[^>]* style="[^"]*background', html)


# --- nasty text ---

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "{{ secret }}{% debug %}",
    "</style><script>x</script>",
    "<!channel>",
    "\x00\x07\x1b[31mred",
    "a\r\nBcc: eve@evil.example\r\n\r\n<b>x</b>",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "\ud83d",
    "=?utf-8?q?=0ABcc:_eve?=",
    "--\r\n.\r\nQUIT",
)


def everywhere(text: str) -> Parcel:
    """A mail that has `text` wherever somebody outside can put something."""
    line = AlertLine(text, 5, "firing", {text: text}, text, text, text)
    message = a_message(
        title=text, tenant=text, next_who=text, service=text, service_owner=text,
        runbook=text, url=text, labels={text: text}, alerts=(line, line),
        thread_key=text, actor=text, note=acknowledged(a_message()).note,
    )  # fmt: skip
    note = replace(message.note, actor=text) if message.note else None
    message = replace(message, note=note)
    return to_bob("reply", message=message, title=text, body=text)


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_stays_text(text):
    harmless = both(to_bob("reply", message=acknowledged(a_message(**SERVICE))))
    plain, html = both(everywhere(text))
    found, usual = Reader(html), Reader(harmless[1])
    assert found.tags <= usual.tags
    assert found.attributes <= usual.attributes | {"rel"}
    for _label, url in found.links:
        assert url.startswith(("http://", "https://", "mailto:")), url
    for said in (plain, html):
        assert not re.search("[\x00\x07\x1b\u202a-\u202e\u2066-\u2069]", said)


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_adds_no_header(text):
    usual = set(letters.write(to_bob("reply")).keys())
    raw = letters.as_bytes(letters.write(everywhere(text)), utf8=False)
    found = message_from_bytes(raw, policy=policy.default)
    assert set(found.keys()) <= usual | {"Content-Type", "MIME-Version"}
    assert len(found.keys()) == len(set(found.keys()))
    assert found["To"] == "bob@acme.example"
    assert not found.defects


@given(st.text(max_size=300))
def test_whatever_is_written_the_mail_can_be_read(text):
    plain, html = both(everywhere(text))
    assert one_line(text, 50) in one_line(plain) or len(text) > 40
    assert "<script" not in html


def test_a_title_of_100_kb_makes_no_large_mail():
    flood = "<'&\"😀" * 20_000
    lines = tuple(AlertLine(flood, 5, "firing", summary=flood) for _ in range(10))
    message = a_message(
        title=flood, tenant=flood, service=flood, service_owner=flood,
        next_who=flood, alerts=lines, alert_count=5000,
    )  # fmt: skip
    letter = letters.write(to_bob(message=message, title=flood, body=flood))
    assert len(letters.part(letter, "html").encode()) < GMAIL_CLIPS_AT
    assert len(letter["Subject"]) <= letters.SUBJECT_CHARS
    assert "#12" in letter["Subject"]
    for line in letters.as_bytes(letter, utf8=False).splitlines():
        assert len(line) <= 998  # RFC 5322 2.1.1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://wiki.example/a?b=c#d", "https://wiki.example/a?b=c#d"),
        ("http://10.0.0.1:3000/d", "http://10.0.0.1:3000/d"),
        ("http://[::1]:3000/d", "http://[::1]:3000/d"),
        ("https://wikі.example/", "https://xn--wik-lhd.example/"),  # a Cyrillic i
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,<script>", ""),
        ("file:///etc/passwd", ""),
        ("//evil.example", ""),
        ("https://good.example@evil.example/", ""),
        ("https://good.example/ evil", ""),
        ("https://good.example/\u202egnp", ""),
        ("https://" + "a" * 3000, ""),
        ("https://[bad", ""),
        ("https://host:99999/", ""),
    ],
)
def test_only_web_pages_are_linked(url, shown):
    assert web_address(url) == shown


def test_a_look_alike_of_an_address_is_seen():
    assert mail_address("bob@acme.example") == "bob@acme.example"
    assert mail_address("bob@аcme.example") == "bob@xn--cme-5cd.example"
    letter = letters.write(to_bob(address="bob@bücher.example"))
    assert letter["To"] == "bob@xn--bcher-kva.example"
