"""A mail on its way in: what is read of it, in which time, and how much is taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from alertcenter.alerts.models import Alert
from alertcenter.api import mail
from alertcenter.api.mime import fields_of
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from tests.cast import Cast

# --- what is read ---


def test_a_mail_of_several_parts_is_read():
    sent = EmailMessage()
    sent["From"] = "Überwachung <nagios@db-1.example>"
    sent["To"] = "ops@example.org"
    sent["Subject"] = "Plattenplatz knapp: größer als 95 %, " + "bitte " * 20
    sent.set_content("Noch 512 MB übrig.\n")
    sent.add_alternative("<p>Noch <b>512 MB</b> übrig.</p>", subtype="html")
    sent.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="ä.png")
    found = fields_of(sent.as_bytes(), "bounce@example.org")
    assert found["from"] == "Überwachung <nagios@db-1.example>"
    assert found["subject"] == sent["Subject"].strip()
    assert found["text"] == "Noch 512 MB übrig."
    assert found["attachments"] == "ä.png"


def test_html_alone_raw_bytes_and_no_head_at_all_are_read():
    head = b"From: a@b\r\nSubject: gr\xc3\xbc\xc3\x9fe\r\nContent-Type: text/html\r\n"
    html = head + b"\r\n<b>x</b>"
    assert fields_of(html, "")["text"] == "x"
    assert fields_of(html, "")["subject"] == "grüße"
    assert fields_of(b"\r\nonly words", "a@b") == {"from": "a@b", "text": "only words"}
    assert fields_of(b"", "a@b") == {"from": "a@b"}


KIND = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
NESTED = b"".join(KIND % (n, n) for n in range(150))
SLOW = {
    "addresses": b"To: " + b"a@b.c, " * 140_000 + b"\n\nx",
    "brackets": b"From: " + b"<" * 900_000 + b"\n\nx",
    "comments": b"To: " + b"(" * 900_000 + b"\n\nx",
    "words": b"Subject: " + b"=?utf-8?q?x?= " * 60_000 + b"\n\nx",
    "parameters": b"Content-Type: text/plain; " + b"a=b; " * 190_000 + b"\n\nx",
    "nested": NESTED + b"\n" * (1_000_000 - len(NESTED)),
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 200_000,
    "mails": b"Content-Type: message/rfc822\n\n" * 30_000,
}


@pytest.mark.parametrize("content", SLOW.values(), ids=SLOW)
def test_a_mail_made_to_be_slow_is_read_at_once(content):
    began = time.monotonic()
    assert fields_of(content, "a@b")["from"]
    assert time.monotonic() - began < 1


# --- how much is taken ---


@pytest.fixture
def box(transactional_db, acme: Cast) -> str:
    """The name of acme's mailbox."""
    with in_tenant(acme.id):
        made = Integration.objects.create(
            tenant_id=acme.id, slug="mail", name="Mail", source="email"
        )
        return apikeys.mint(
            acme.id,
            "mail",
            ["ingest"],
            actor=THE_ENGINE,
            kind=Kind.URL,
            integration=made,
        )[1]


def talk(*lines: str) -> list[str]:
    """Say the lines one after another; return the answers."""

    async def run() -> list[str]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(mail.conversation, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = [(await reader.readline()).decode()]
        for line in lines:
            writer.write(line.encode() + b"\r\n")
            answers.append((await reader.readline()).decode())
        writer.close()
        server.close()
        return answers

    return asyncio.run(run())


def count(acme: Cast) -> int:
    with in_tenant(acme.id):
        return sum(Alert.objects.values_list("count", flat=True))


BEGIN = ("HELO x", "MAIL FROM:<a@b.c>")
LETTER = "Subject: disk full\r\n\r\n512 MB left\r\n."


@pytest.mark.django_db(transaction=True)
def test_one_mailbox_named_twice_gets_one_mail(acme, box):
    to = f"RCPT TO:<{box}@x>"
    other = f"RCPT TO:<ops+{box}@y>"
    answers = talk(*BEGIN, to, to, other, "DATA", LETTER)
    assert answers[-1].startswith("250"), answers
    assert count(acme) == 1


@pytest.mark.django_db(transaction=True)
def test_a_mail_has_so_many_recipients(box):
    to = f"RCPT TO:<{box}@x>"
    answers = talk(*BEGIN, *[to] * (mail.MOST_RECIPIENTS + 1))
    assert [one[:3] for one in answers[3:]] == ["250"] * mail.MOST_RECIPIENTS + ["452"]


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_ours_leaves_the_mail_with_its_sender(acme, box, monkeypatch):
    def broken(*_given: Any) -> Any:
        raise RuntimeError("secret words")

    monkeypatch.setattr(mail, "fields_of", broken)
    answers = talk(*BEGIN, f"RCPT TO:<{box}@x>", "DATA", LETTER)
    assert answers[-1].startswith("451")
    assert "secret" not in answers[-1]


@pytest.mark.parametrize("limit", ["MOST_OPEN", "MOST_OF_ONE"])
def test_conversations_at_once_are_limited(limit, monkeypatch):
    monkeypatch.setattr(mail, limit, 2)

    async def greetings() -> list[str]:
        loop = asyncio.get_running_loop()
        make: Callable[[], SMTP] = mail.conversation
        server = await loop.create_server(make, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        heard, open_ones = [], []
        for _number in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            heard.append((await reader.readline()).decode()[:3])
            open_ones.append(writer)
        for writer in open_ones:
            writer.close()
        await asyncio.sleep(0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        heard.append((await reader.readline()).decode()[:3])
        writer.close()
        await asyncio.sleep(0.1)
        server.close()
        return heard

    assert asyncio.run(greetings()) == ["220", "220", "421", "220"]
    assert not mail.Conversation.open_by
