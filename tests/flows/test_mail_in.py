"""A mail to an integration's address becomes an alert, by a real conversation."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import psycopg2
import pytest

from tests.fakes.slack import FakeSlack
from tests.flows.world import World, build
from tests.stack import Stack, free_port, until

pytestmark = pytest.mark.flow

URL_KEY = """
from tenants import apikeys
from tenants.actors import Actor
from tenants.models import Integration
from tenants.models.apikey import Kind
from tenants.rls import in_tenant
from uuid import UUID
pk = UUID({tenant!r})
with in_tenant(pk):
    made = Integration.objects.create(
        tenant_id=pk, slug="mail", name="Mail", source="email")
    key = apikeys.mint(pk, "mail", ["ingest"], actor=Actor("operator", "", "test"),
                       kind=Kind.URL, integration=made)[1]
print("KEY " + key)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[World, int, str]]:
    """A stack that listens for mail: the world, the port, and a key."""
    port = free_port()
    stack = Stack(ALERTCENTER_SMTP_PORT=str(port))
    try:
        stack.start()
        with FakeSlack() as fake:
            world = build(stack, fake, slug="mail")
            said = stack.manage("shell", "-c", URL_KEY.format(tenant=world.tenant))
            yield world, port, said.partition("KEY ")[2].split()[0]
        stack.stop()
    finally:
        stack.remove()


def mail(subject: str, to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Monit <monit@db-1.example>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content("512 MB left. See https://wiki.example/disk")
    return message


def alerts(world: World) -> list[tuple]:
    return world.rows(
        "SELECT title, state, severity, link FROM alert WHERE tenant_id = {t}"
    )


def test_a_mail_opens_and_closes_and_is_kept_when_it_is_answered(place):
    world, port, key = place
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        server.send_message(mail("CRITICAL: disk of db-1 is full", f"{key}@alerts"))
    assert alerts(world) == [
        (
            "CRITICAL: disk of db-1 is full",
            "firing",
            5,
            "https://wiki.example/disk",
        )
    ]
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        server.send_message(mail("RESOLVED: disk of db-1 is full", f"ops+{key}@alerts"))
    assert [row[1] for row in alerts(world)] == ["resolved"]


def test_nobody_elses_mail_is_taken(place):
    _world, port, _key = place
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        for address in ("someone@example.com", f"{'0' * 32}@alerts"):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as error:
                server.send_message(mail("hello", address))
            ((code, _words),) = error.value.recipients.values()
            assert code == 550


def test_what_is_too_large_is_refused(place):
    _world, port, key = place
    large = mail("large", f"{key}@alerts")
    large.set_content("x" * 70 + "\n" + ("y" * 70 + "\n") * 20_000)
    with (
        smtplib.SMTP("127.0.0.1", port, timeout=20) as server,
        pytest.raises(smtplib.SMTPResponseException) as error,
    ):
        server.send_message(large)
    assert error.value.smtp_code == 552


def test_while_the_database_is_away_the_sender_keeps_the_mail(place):
    world, port, key = place
    before = len(alerts(world))
    with smtplib.SMTP("127.0.0.1", port, timeout=40) as server:
        server.ehlo()
        server.mail("monit@db-1.example")
        assert server.rcpt(f"{key}@alerts")[0] == 250
        world.stack.kill("postgres")
        code, _words = server.data(mail("while away", f"{key}@alerts").as_bytes())
    assert code in (250, 451)
    until(lambda: len(alerts_or_none(world)) == before + (code == 250), 40)


def alerts_or_none(world: World) -> list[tuple]:
    """Return the alerts, nothing while the database is away."""
    try:
        return alerts(world)
    except (psycopg2.Error, AssertionError):
        return []
