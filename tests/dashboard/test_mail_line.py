"""From a page in a mailbox to an acknowledgement, and the mail that tells of it."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.test import Client

from alertcenter.alerts.models import Group
from escalation.messages import message_for
from notifications import outbox
from notifications.channels import letters
from notifications.models import Channel, Delivery
from tenants.rls import in_tenant
from tests.cast import Cast
from tests.dashboard.scene import make_group
from tests.fakes.smtp import FakeSmtp
from tests.notifications.conftest import nudged, ops, slack, smtp  # noqa: F401
from tests.notifications.scene import Outbox

pytestmark = pytest.mark.django_db(transaction=True)

TO = ["ops@acme.example", "bob@acme.example"]


def page_all(cast: Cast) -> UUID:
    """Promise a page about one group to each address of a channel of mail."""
    with in_tenant(cast.id):
        channel = Channel.objects.create(
            tenant_id=cast.id, kind="email", slug="mail", name="Mail",
            settings={"to": TO},
        )  # fmt: skip
        group = make_group(cast.id, title="Disks are full")
        message = message_for(group)
        outbox.put(
            cast.id,
            [
                outbox.Entry(
                    idem=f"page:{to}", message=message, channel_id=channel.pk,
                    channel_kind="email", address=to, group_id=group.pk,
                )
                for to in TO
            ],
        )  # fmt: skip
    return group.pk


def text_to(smtp: FakeSmtp, address: str) -> str:  # noqa: F811
    """The text of the one mail to an address; several leave at once, in any order."""
    (mail,) = (one for one in smtp.mails if one.recipients == [address])
    return letters.part(mail.message, "plain")


def link(text: str, label: str) -> str:
    found = re.search(rf"^{label}: https?://[^/]+(/\S+)\r?$", text, re.MULTILINE)
    assert found, text
    return found[1]


def test_each_reader_gets_a_mail_of_their_own_and_one_press_tells_all(
    ops: Outbox, acme: Cast, smtp: FakeSmtp  # noqa: F811
):  # fmt: skip
    group_id = page_all(acme)
    ops.deliver()
    assert len(smtp.mails) == len(TO)
    first, second = (link(text_to(smtp, to), "Acknowledge") for to in TO)
    assert first != second

    assert "<form" in Client().get(first).content.decode()
    assert 'data-state="done"' in Client().post(first).content.decode()
    with in_tenant(acme.id):
        group = Group.objects.get(pk=group_id)
        assert (group.state, group.acked_by) == ("acknowledged", TO[0])
    assert "ops@acme.example has acknowledged" in Client().get(second).content.decode()

    ops.deliver()
    told = smtp.mails[2:]
    assert {mail.recipients[0] for mail in told} == set(TO)
    for mail in told:
        assert mail.message["Subject"] == smtp.mails[0].message["Subject"]
        assert mail.message["References"] == smtp.mails[0].message["References"]
        assert "ops@acme.example acknowledged" in letters.part(mail.message, "plain")


def test_of_two_addresses_one_may_stop_and_the_other_is_still_told(
    ops: Outbox, acme: Cast, smtp: FakeSmtp  # noqa: F811
):  # fmt: skip
    page_all(acme)
    ops.deliver()
    path = link(text_to(smtp, TO[0]), "Stop mails to this address")
    Client().post(path, {"List-Unsubscribe": "One-Click"})
    acknowledge = link(text_to(smtp, TO[1]), "Acknowledge")
    Client().post(acknowledge)
    ops.deliver()
    assert [mail.recipients[0] for mail in smtp.mails[2:]] == [TO[1]]
    with in_tenant(acme.id):
        dead = Delivery.objects.get(state="dead")
    assert (dead.address, dead.error) == (
        TO[0],
        "This address has asked for no more mails.",
    )


def test_a_doubtful_mail_is_sent_again_under_the_same_id(
    ops: Outbox, acme: Cast, smtp: FakeSmtp  # noqa: F811
):  # fmt: skip
    page_all(acme)
    smtp.cut_after_data()
    smtp.cut_after_data()
    ops.deliver(rounds=4)
    by_id: dict[str, list[str]] = {}
    for mail in smtp.mails:
        by_id.setdefault(mail.message["Message-ID"], []).append(mail.recipients[0])
    assert sorted(by_id.values()) == sorted([[to] * 2 for to in TO])
