"""Which server takes a mail, how is it trusted, and what does each failure mean?"""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from notifications.channels import email, email_server, letters
from notifications.channels.base import DeliveryError, Parcel
from notifications.channels.email_server import of_installation, problems
from notifications.models import Channel
from tenants.rls import in_tenant
from tests.fakes.certificates import contexts
from tests.fakes.smtp import FakeSmtp
from tests.notifications.scene import a_parcel

pytestmark = pytest.mark.django_db

USERS = {"alerts": "p@ss word"}
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


def own(server: FakeSmtp, security: str, **changes: Any) -> Parcel:
    """A mail of a channel that has a server of its own."""
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": security,
        "sender": "Acme alerts <ops@acme.example>",
    }
    given: dict[str, Any] = {
        "channel_kind": "email",
        "address": "bob@acme.example",
        "settings": settings | changes.pop("settings", {}),
        "secret": {},
    }
    return a_parcel(**given | changes)


def failure(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        email.send(parcel)
    return caught.value


@pytest.fixture
def certificate(tmp_path, monkeypatch, settings) -> ssl.SSLContext:
    """What a fake shows; this process believes it, and may call loopback."""
    settings.OUTBOUND_ALLOW = LOOPBACK
    server, client = contexts(tmp_path)
    monkeypatch.setattr(email_server, "tls_context", lambda: client)
    return server


@pytest.fixture
def plain(settings) -> Iterator[FakeSmtp]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    settings.EMAIL_URL = ""
    with FakeSmtp() as fake:
        yield fake


# --- a channel's own server ---


def test_a_channels_own_server_takes_its_mails_with_its_own_sender(plain):
    receipt = email.send(own(plain, "none"))
    (mail,) = plain.mails
    assert mail.sender == "ops@acme.example"
    assert mail.message["From"] == "Acme alerts <ops@acme.example>"
    # The ids stay in the installation's domain, whatever a channel says.
    assert receipt.provider_id.endswith("@localhost>")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_tls_from_the_first_byte_or_by_upgrade_with_a_login(certificate, security):
    with FakeSmtp(users=USERS, **{security: certificate}) as fake:
        secret = {"smtp_password": USERS["alerts"]}
        email.send(own(fake, security, settings={"smtp_user": "alerts"}, secret=secret))
        assert (len(fake.mails), fake.logins) == (1, ["alerts"])


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_gets_no_mail(
    certificate, monkeypatch, security
):
    monkeypatch.setattr(email_server, "tls_context", ssl.create_default_context)
    with FakeSmtp(**{security: certificate}) as fake:
        error = failure(own(fake, security))
        assert "CERTIFICATE_VERIFY_FAILED" in error.reason
        assert (error.permanent, error.ambiguous) == (False, False)
        assert fake.mails == []


def test_a_server_without_starttls_gets_no_mail(plain):
    error = failure(own(plain, "starttls"))
    assert "STARTTLS" in error.reason
    assert not error.ambiguous
    assert plain.mails == []


def test_a_wrong_password_is_said_and_not_shown(certificate):
    with FakeSmtp(users=USERS, tls=certificate) as fake:
        parcel = own(
            fake,
            "tls",
            settings={"smtp_user": "alerts"},
            secret={"smtp_password": "canary-7391"},
        )
        error = failure(parcel)
        assert "535" in error.reason
        assert not error.permanent
        assert "canary" not in error.reason + repr(
            email_server.server_for(parcel.settings, parcel.secret)
        )


def test_a_server_inside_is_not_called_unless_the_operator_allows(plain, settings):
    settings.OUTBOUND_ALLOW = []
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "2130706433", "0"):
        error = failure(own(plain, "none", settings={"smtp_host": host}))
        assert error.permanent, host
    assert plain.mails == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"smtp_host": "mail server"}, "smtp_host"),
        ({"smtp_host": "evil@host"}, "smtp_host"),
        ({"smtp_host": "host:25"}, "smtp_host"),
        ({"smtp_host": "h\r\nMAIL FROM"}, "smtp_host"),
        ({"smtp_host": "h\r\nQUIT"}, "smtp_host"),
        ({"smtp_host": "mаil.example"}, "smtp_host"),  # a Cyrillic a
        ({"smtp_port": 0}, "smtp_port"),
        ({"smtp_port": 70000}, "smtp_port"),
        ({"smtp_port": "x"}, "smtp_port"),
        ({"smtp_security": "ssl2"}, "smtp_security"),
        ({"smtp_security": "none", "smtp_user": "u"}, "smtp_security"),
        ({"smtp_user": "u"}, "smtp_password"),
        ({"sender": "nobody"}, "sender"),
        ({"sender": "a@b.example, c@d.example\r\nBcc: e@f.example"}, ""),
    ],
)
def test_what_cannot_work_is_refused_by_its_field(changes, field):
    given = {"smtp_host": "mail.example", "smtp_security": "starttls"} | changes
    found = problems(given, {})
    assert field in found or (not field and not found)


def test_good_settings_have_no_problems():
    given = {"smtp_host": "mail.example", "smtp_port": "587", "smtp_user": "u",
             "sender": "Acme <ops@acme.example>"}  # fmt: skip
    assert problems(given, {"smtp_password": "p"}) == {}
    assert problems({}, {}) == {}


def test_a_line_break_in_the_sender_begins_no_header(plain):
    nasty = "Acme\r\nBcc: eve@evil.example <ops@acme.example>"
    email.send(own(plain, "none", settings={"sender": nasty}))
    assert plain.mails[0].message["Bcc"] is None
    assert plain.mails[0].recipients == ["bob@acme.example"]


def test_members_own_mail_leaves_by_the_channel_that_carries_it(acme, plain):
    settings = own(plain, "none").settings | {"for_members": True}
    with in_tenant(acme.id):
        Channel.objects.create(
            tenant_id=acme.id, kind="email", slug="mail", name="Mail",
            settings=settings, secret=json.dumps({}),
        )  # fmt: skip
    parcel = a_parcel(
        channel_kind="email", channel_id=None, tenant_id=acme.id,
        member_id=acme.members["bob"].pk, address="bob@acme.example", settings={},
    )  # fmt: skip
    email.send(parcel)
    assert plain.mails[0].sender == "ops@acme.example"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", (25, "none")),
        ("smtp://mail.example:587", (587, "starttls")),
        ("smtp+starttls://mail.example:2525", (2525, "starttls")),
        ("smtp+starttls://mail.example", (587, "starttls")),
        ("smtps://u:p%40@mail.example", (465, "tls")),
    ],
)
def test_the_installations_server_is_read_from_its_address(settings, url, expected):
    settings.EMAIL_URL = url
    server = of_installation()
    assert (server.port, server.security) == expected
    assert not server.guarded


# --- what each failure means ---


def test_a_server_that_hangs_up_after_the_mail_leaves_doubt(plain):
    plain.cut_after_data()
    error = failure(own(plain, "none"))
    assert (error.ambiguous, error.permanent) == (True, False)
    assert len(plain.mails) == 1


def test_a_server_that_refuses_before_the_mail_leaves_none(plain):
    plain.refuse_recipient("421 4.3.2 closing")
    error = failure(own(plain, "none"))
    assert (error.ambiguous, error.permanent) == (False, False)
    assert plain.mails == []


def test_a_line_with_a_dot_does_not_end_the_mail(plain):
    email.send(own(plain, "none", body="one\n.\n..\n.two\nRCPT TO:<eve@evil.example>"))
    (mail,) = plain.mails
    text = letters.part(mail.message, "plain")
    assert "one\n.\n..\n.two\nRCPT TO" in text.replace("\r\n", "\n")
    assert mail.recipients == ["bob@acme.example"]


def test_an_address_in_other_letters_is_sent_to_in_ascii(plain):
    email.send(own(plain, "none", address="bob@bücher.example"))
    assert plain.mails[0].recipients == ["bob@xn--bcher-kva.example"]
