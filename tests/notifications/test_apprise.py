"""What Apprise may call, and what becomes of what it says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from django.core.exceptions import ValidationError

from notifications.channels import apprise
from notifications.channels.base import DeliveryError
from tests.fakes.apprise import FakeJson
from tests.notifications.chats import LOOPBACK, a_chat_parcel, checked, huge, send
from tests.notifications.scene import a_message, acknowledged

LINK = "https://alerts.example/t/acme/groups/12"


@pytest.fixture
def fake(settings) -> Iterator[FakeJson]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    settings.APPRISE_SCHEMES = ["json"]
    with FakeJson() as running:
        yield running


def parcel(fake, of="page", **changes):
    return a_chat_parcel(fake, "apprise", of, **changes)


def failure(given) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        send(given)
    return caught.value


def test_a_page_says_title_severity_and_link(fake):
    send(parcel(fake))
    (said,) = fake.messages
    assert said["title"] == "🔴 Disks are full"
    assert said["type"] == "failure"
    assert "Critical" in said["message"]
    assert said["message"].endswith(f"Open: {LINK}")


def test_what_happened_is_told(fake):
    send(parcel(fake, "reply", message=acknowledged(a_message())))
    assert fake.messages[0]["message"] == "Alice acknowledged."
    assert send(parcel(fake, "update")).answer
    assert len(fake.requests) == 1


def test_however_long_it_is_it_stays_one_message(fake):
    message = huge(url=LINK, runbook="")
    send(parcel(fake, message=message, title=message.title, body="b" * 9_000))
    (said,) = fake.messages
    assert len(said["title"] + said["message"]) <= apprise.MESSAGE_CHARS
    assert LINK in said["message"]


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (503, False)])
def test_a_service_s_refusal_is_told_apart(fake, status, permanent):
    fake.status(status)
    error = failure(parcel(fake))
    assert (error.permanent, error.ambiguous) == (permanent, False)
    assert str(status) in error.reason


def test_no_answer_may_have_arrived(fake, monkeypatch):
    monkeypatch.setattr(apprise, "NETWORK_SECONDS", 0.3)
    fake.slow(0.9)
    assert failure(parcel(fake)).ambiguous


def test_a_redirect_is_not_followed(fake):
    fake.answers(type(fake.limited(1))(302, "", {"Location": f"{fake.url}/other"}))
    failure(parcel(fake))
    assert len(fake.requests) == 1


def test_a_host_inside_is_not_called_even_by_an_allowed_scheme(fake, settings):
    settings.OUTBOUND_ALLOW = []
    error = failure(parcel(fake))
    assert error.permanent
    assert not fake.requests


@pytest.mark.parametrize(
    "url",
    [
        "json://127.0.0.1/",
        "xml://10.0.0.1",
        "mailto://user:pass@gmail.com",
        "https://hooks.slack.com/services/a/b/c",
        "file:///etc/passwd",
        "syslog://",
        "zulip://bot@inside.example/token",
        "pover://user@token, json://127.0.0.1",
        "pover://user@token,json://127.0.0.1",
        "pover://user@token?template=/etc/passwd",
        "pover://user@token?%74emplate=http://inside",
        "pover://user@token?verify=no",
        "pover://user@token?redirect=yes",
        "pover://user@token?+X-Header=1",
        "pover://user@token?a?b",
        "pover://user@token#x",
        "pover",
    ],
)
def test_what_could_reach_any_host_or_file_is_refused(url, settings):
    settings.APPRISE_SCHEMES = []
    with pytest.raises(ValidationError):
        checked("apprise", "url", url)
    with pytest.raises(DeliveryError) as caught:
        apprise.refuse_inside(url)
    assert caught.value.permanent


def test_services_with_a_host_of_their_own_are_taken():
    url = "pover://user@token?priority=high"
    assert checked("apprise", "url", url) == url


def test_no_scheme_that_we_take_has_a_host_in_its_address():
    """Apprise itself says so, of every scheme in the list."""
    library = apprise.apprise()
    known = {
        scheme: service["details"]["templates"]
        for service in library.Apprise().details()["schemas"]
        for scheme in (service["protocols"] or ()) + (service["secure_protocols"] or ())
    }
    assert set(known) >= apprise.SCHEMES
    for scheme in apprise.SCHEMES:
        assert not any("{host" in str(one) for one in known[scheme]), scheme


@pytest.mark.parametrize("answer", [400, 500, 200])
def test_secrets_stand_in_no_error_and_no_log(fake, answer, caplog):
    caplog.set_level(logging.DEBUG)
    fake.status(answer, json.dumps(fake.secret()))
    try:
        said = send(parcel(fake)).answer
    except DeliveryError as error:
        said = error.reason
    assert fake.SECRET_TEXT not in said + caplog.text


def test_without_the_package_the_page_says_so(fake, monkeypatch, settings):
    monkeypatch.setattr(apprise, "installed", lambda: False)
    assert "requirements-extras.txt" in str(apprise.SPEC.about)
    assert "requirements-extras.txt" in str(apprise.needed({}, {})["url"])
    error = failure(parcel(fake))
    assert error.permanent
    assert "requirements-extras.txt" in error.reason
