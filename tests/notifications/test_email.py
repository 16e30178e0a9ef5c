"""What arrives in a mailbox, and what every failure of a mail server means."""

from __future__ import annotations

import smtplib
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import signing
from notifications.channels import email, email_server, letters
from notifications.channels.base import DeliveryError, Parcel
from notifications.models import SimulatedMessage
from tenants.rls import in_tenant
from tests.fakes.smtp import FakeSmtp
from tests.notifications.scene import a_message, a_parcel, acknowledged

pytestmark = pytest.mark.django_db


def to_bob(kind: str = "page", **changes: Any) -> Parcel:
    given = {"channel_kind": "email", "address": "bob@acme.example"} | changes
    return a_parcel(kind, **given)


def failure(parcel: Parcel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        email.send(parcel)
    return caught.value


# --- what arrives ---


def test_a_page_arrives_as_text_and_html(smtp: FakeSmtp):
    parcel = to_bob()
    receipt = email.send(parcel)
    (mail,) = smtp.mails
    assert mail.sender == "alerts@alerts.example"
    assert mail.recipients == ["bob@acme.example"]
    message = mail.message
    assert message["Subject"] == "[#12] Disks are full"
    assert message["To"] == "bob@acme.example"
    assert message["Auto-Submitted"] == "auto-generated"
    for subtype in ("plain", "html"):
        said = letters.part(message, subtype)
        assert "Critical" in said
        assert "db-1 is full" in said
        assert parcel.message.url in said
    assert receipt.provider_id == message["Message-ID"]
    assert receipt.answer.startswith("250")


def test_one_delivery_is_one_message_id_however_often_it_is_tried(smtp):
    parcel = to_bob()
    email.send(parcel)
    email.send(parcel)
    first, second = (mail.message for mail in smtp.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert str(parcel.delivery_id) in first["Message-ID"]


def test_mails_of_one_group_belong_together(smtp):
    page = to_bob()
    email.send(page)
    email.send(to_bob("reply", message=acknowledged(page.message)))
    first, second = (mail.message for mail in smtp.mails)
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert first["Message-ID"] != second["Message-ID"]
    assert "Alice acknowledged." in letters.part(second, "plain")


def test_one_group_has_one_subject_whatever_its_mails_say(smtp):
    page = to_bob(title="Critical: disks")
    email.send(page)
    email.send(
        to_bob("reply", message=acknowledged(page.message), title="Acknowledged: disks")
    )
    first, second = (mail.message for mail in smtp.mails)
    assert first["Subject"] == second["Subject"] == "[#12] Disks are full"
    assert "Acknowledged: disks" in letters.part(second, "plain")


def test_no_mail_has_the_id_that_the_threads_mails_refer_to(smtp):
    page = to_bob()
    email.send(page)
    (mail,) = smtp.mails
    assert mail.message["References"] != mail.message["Message-ID"]
    assert page.message.group_id in mail.message["References"]


def test_a_mailbox_can_stop_the_mails_by_one_post(smtp, settings):
    settings.BASE_URL = "https://alerts.example"
    parcel = to_bob(address="a-rather-long-name.of.somebody@mail.acme.example")
    email.send(parcel)
    (mail,) = smtp.mails
    # As it came over the wire: on one line, not as an encoded word.
    (line,) = (
        one for one in mail.raw.split(b"\r\n") if one.startswith(b"List-Unsubscribe:")
    )
    url = line.decode().removeprefix("List-Unsubscribe: ").strip("<>")
    assert url.startswith("https://alerts.example/u/")
    found = signing.read_subscription(url.rpartition("/")[2])
    assert (found.tenant_id, found.address) == (parcel.tenant_id, parcel.address)
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in letters.part(mail.message, "plain")


def test_no_machine_is_asked_to_answer_and_the_worst_is_marked(smtp):
    email.send(to_bob())
    email.send(to_bob(message=a_message(severity=3)))
    worst, other = (mail.message for mail in smtp.mails)
    for message in (worst, other):
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"
    assert (worst["Importance"], other["Importance"]) == ("high", None)


def test_the_html_brings_its_style_and_nothing_from_elsewhere(smtp):
    email.send(to_bob())
    html = letters.part(smtp.mails[0].message, "html")
    assert '<body style="' in html
    assert "prefers-color-scheme: dark" in html
    for foreign in ("<script", "<img", "<link", "url("):
        assert foreign not in html


def test_text_from_outside_is_only_text_in_the_html(smtp):
    nasty = "<script>alert(1)</script>"
    message = a_message(next_who=nasty, tenant=nasty)
    email.send(to_bob(message=message, title=nasty, body=nasty))
    html = letters.part(smtp.mails[0].message, "html")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_test_mail_is_short(smtp):
    email.send(to_bob("test", message=a_message(kind="test", number=0)))
    message = smtp.mails[0].message
    assert "messages arrive here" in letters.part(message, "plain")
    assert message["References"] is None


def test_an_arabic_mail_runs_from_right_to_left(smtp):
    email.send(to_bob(language="ar"))
    assert 'dir="rtl"' in letters.part(smtp.mails[0].message, "html")


def test_a_mailbox_is_not_redrawn(smtp):
    assert "nothing" in email.send(to_bob("update")).answer
    assert smtp.mails == []


def test_a_name_beyond_ascii_is_no_obstacle(smtp):
    email.send(to_bob(message=a_message(title="Größe überschritten 🔥")))
    assert smtp.mails[0].message["Subject"] == "[#12] Größe überschritten 🔥"


# --- nothing from outside becomes a header ---


def test_a_line_break_in_a_title_begins_no_header(smtp):
    title = "Full\r\nBcc: eve@evil.example\r\n\r\nHello"
    email.send(to_bob(message=a_message(title=title), title=title))
    (mail,) = smtp.mails
    assert mail.recipients == ["bob@acme.example"]
    assert mail.message["Bcc"] is None
    assert mail.message["Subject"] == "[#12] Full Bcc: eve@evil.example Hello"


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b.example, eve@evil.example", "a@b.example\r\nBcc: e@e.example",
     "a@b.example> RCPT TO:<e@e.example"],
)  # fmt: skip
def test_what_is_no_address_is_not_sent_to(smtp, address):
    assert failure(to_bob(address=address)).permanent
    assert smtp.mails == []


@given(title=st.text(max_size=400), key=st.text(max_size=60))
def test_no_title_can_add_a_header_or_break_the_mail(title, key):
    plain = letters.write(to_bob())
    message = a_message(thread_key=key or "k", title=title)
    letter = letters.write(to_bob(message=message, title=title))
    found = message_from_bytes(
        letters.as_bytes(letter, utf8=False), policy=policy.default
    )
    assert set(found.keys()) <= set(plain.keys())
    assert not found.defects
    assert len(found.keys()) == len(set(found.keys()))
    assert found["To"] == "bob@acme.example"


# --- what every failure means ---


def test_a_refused_recipient_is_permanent(smtp):
    smtp.refuse_recipient("550 5.1.1 no such user")
    error = failure(to_bob())
    assert error.permanent
    assert "no such user" in error.reason


def test_a_full_mailbox_is_tried_again(smtp):
    smtp.refuse_recipient("452 4.2.2 mailbox full")
    error = failure(to_bob())
    assert not error.permanent
    assert not error.ambiguous


@pytest.mark.parametrize(
    ("reply", "permanent"), [("451 4.3.0 later", False), ("554 5.7.1 spam", True)]
)
def test_a_refused_mail_is_known_not_to_have_arrived(smtp, reply, permanent):
    smtp.refuse_data(reply)
    error = failure(to_bob())
    assert (error.permanent, error.ambiguous) == (permanent, False)


def test_silence_after_the_mail_leaves_doubt(smtp, monkeypatch):
    monkeypatch.setattr(email_server, "NETWORK_SECONDS", 0.2)
    monkeypatch.setattr(email_server, "LEAST_SECONDS", 0.1)
    smtp.silent_after_data(1.0)
    assert failure(to_bob()).ambiguous


def test_nobody_listening_is_tried_again(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    error = failure(to_bob())
    assert not error.permanent
    assert not error.ambiguous


def test_a_wrong_password_is_tried_again(settings, smtp, monkeypatch):
    settings.EMAIL_URL = smtp.url.replace("//", "//alerts:p%40ss@")
    seen = []

    def login(_self, user, password):
        seen.append((user, password))
        raise smtplib.SMTPAuthenticationError(535, b"no")

    monkeypatch.setattr(smtplib.SMTP, "login", login)
    error = failure(to_bob())
    assert seen == [("alerts", "p@ss")]
    assert not error.permanent
    assert "p@ss" not in error.reason


@pytest.mark.parametrize("url", ["", "http://mail.example", "smtp://"])
def test_without_a_server_nothing_is_sent(settings, url):
    settings.EMAIL_URL = url
    assert failure(to_bob()).permanent


def test_on_the_submission_port_a_server_without_tls_gets_no_mail(
    settings, monkeypatch
):
    class NoTls(smtplib.SMTP):
        def __init__(self, *_args, **_kwargs):
            self.sock = None

        def starttls(self, **_kwargs):  # type: ignore[override]
            raise smtplib.SMTPNotSupportedError("STARTTLS is not supported")

        def close(self):
            pass

    monkeypatch.setattr(smtplib, "SMTP", NoTls)
    settings.EMAIL_URL = "smtp://mail.example:587"
    assert "STARTTLS" in failure(to_bob()).reason


# --- the simulation ---


def test_in_simulation_the_mail_is_kept_and_not_sent(acme, globex, settings, smtp):
    settings.SIMULATION = True
    email.send(to_bob(tenant_id=acme.id, channel_id=uuid4()))
    assert smtp.mails == []
    with in_tenant(acme.id):
        payload = SimulatedMessage.objects.get(kind="email").payload
    assert payload["subject"] == "[#12] Disks are full"
    assert payload["to"] == "bob@acme.example"
    assert "<html" in payload["html"]
    assert "Disks are full" in payload["text"]
    assert payload["headers"]["Auto-Submitted"] == "auto-generated"
    with in_tenant(globex.id):
        assert not SimulatedMessage.objects.exists()
