"""Does one click stop the mails to an address, and can it be taken back?"""

from __future__ import annotations

import pytest
from django.test import Client

from alertcenter.common.buckets import Buckets
from alertcenter.dashboard import mailing, signed
from alertcenter.dashboard.mailing import PICTURE
from notifications import signing, stopping
from notifications.channels import email
from notifications.channels.base import DeliveryError, Parcel
from notifications.models import MailOpening
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.notifications.conftest import nudged, ops, slack, smtp  # noqa: F401
from tests.notifications.scene import a_parcel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_buckets(monkeypatch) -> None:
    monkeypatch.setattr(signed, "GUESSES", Buckets(rate=1 / 3, burst=60))
    monkeypatch.setattr(signed, "PRESSES", Buckets(rate=1 / 5, burst=20))


def to(address: str, cast: Cast, **changes) -> Parcel:
    return a_parcel(channel_kind="email", tenant_id=cast.id, address=address, **changes)


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def subscription(address: str, cast: Cast, **changes) -> str:
    return path_of(signing.subscription_url(to(address, cast, **changes)))


def is_stopped(address: str, cast: Cast) -> bool:
    with in_tenant(cast.id):
        return stopping.is_stopped(cast.id, address)


def audited(cast: Cast) -> list[tuple[str, str, str]]:
    with in_tenant(cast.id):
        rows = Audit.objects.filter(object_kind="address").order_by("id")
        return list(rows.values_list("action", "actor_label", "object_id"))


ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def test_one_click_stops_the_mails_to_this_address_of_this_tenant(
    acme, globex, smtp  # noqa: F811
):  # fmt: skip
    path = subscription("bob@acme.example", acme)
    assert Client(enforce_csrf_checks=True).post(path, ONE_CLICK).status_code == 200
    with pytest.raises(DeliveryError) as caught:
        email.send(to("Bob@acme.example", acme))
    assert caught.value.permanent
    assert caught.value.reason == stopping.STOPPED
    assert smtp.mails == []
    email.send(to("alice@acme.example", acme))
    email.send(to("bob@acme.example", globex))
    assert len(smtp.mails) == 2


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_look_stops_nothing(acme, method):
    path = subscription("bob@acme.example", acme)
    assert getattr(Client(), method)(path).status_code == 200
    assert not is_stopped("bob@acme.example", acme)
    assert audited(acme) == []


def test_an_empty_post_stops_nothing(acme):
    Client().post(subscription("bob@acme.example", acme), {"do": "nonsense"})
    assert not is_stopped("bob@acme.example", acme)


def test_it_can_be_taken_back_on_the_page_and_both_are_audited(acme):
    path = subscription("bob@acme.example", acme)
    client = Client()
    for _ in range(2):  # a replay says it again and writes nothing
        page = client.post(path, {"do": "stop"}).content.decode()
    assert "Send mails again" in page
    assert "bob@acme.example" in page
    for _ in range(2):
        page = client.post(path, {"do": "resume"}).content.decode()
    assert "Stop mails to this address" in page
    assert not is_stopped("bob@acme.example", acme)
    assert audited(acme) == [
        ("mail.stopped", "bob@acme.example", "bob@acme.example"),
        ("mail.resumed", "bob@acme.example", "bob@acme.example"),
    ]


def test_a_members_own_mail_is_stopped_in_their_name(acme):
    bob = acme.members["bob"].pk
    path = subscription("bob@acme.example", acme, member_id=bob)
    Client().post(path, ONE_CLICK)
    assert audited(acme)[0][:2] == ("mail.stopped", "Bob")


def test_a_forged_link_stops_nothing(acme):
    path = subscription("bob@acme.example", acme)
    assert Client().post(path[:-4] + "AAAA", ONE_CLICK).status_code == 404
    assert not is_stopped("bob@acme.example", acme)


def test_an_address_is_only_text_on_the_page(acme):
    page = Client().get(subscription("<b>x</b>@acme.example", acme)).content.decode()
    assert "<b>x" not in page


# --- opened ---


def openings(cast: Cast) -> list[int]:
    with in_tenant(cast.id):
        return list(MailOpening.objects.values_list("times", flat=True))


def test_the_picture_in_a_mail_writes_down_that_it_was_opened(ops, acme):  # noqa: F811
    pk = ops.put("a", channel_kind="email", address="bob@acme.example")
    parcel = to("bob@acme.example", acme, delivery_id=pk)
    path = path_of(signing.opened_url(parcel))
    for times in (1, 2):
        answer = Client().get(path)
        assert answer.content == PICTURE
        assert answer.headers["Content-Type"] == "image/gif"
        assert openings(acme) == [times]
    Client().head(path)
    assert openings(acme) == [2]


def test_who_asks_for_the_picture_without_end_writes_no_more(ops, acme, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mailing, "PRESSES", Buckets(rate=1 / 3600, burst=3))
    pk = ops.put("a", channel_kind="email", address="bob@acme.example")
    parcel = to("bob@acme.example", acme, delivery_id=pk)
    path = path_of(signing.opened_url(parcel))
    for _ in range(5):
        assert Client().get(path).content == PICTURE
    assert openings(acme) == [3]


def test_a_picture_of_no_delivery_writes_nothing(acme):
    path = path_of(signing.opened_url(to("bob@acme.example", acme)))
    assert Client().get(path).status_code == 200
    assert openings(acme) == []
    assert Client().get("/o/forged.gif").status_code == 404
