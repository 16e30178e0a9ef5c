"""A person asks whether a channel works and is told at once, in plain words."""

from __future__ import annotations

import pytest

from notifications.models import Channel, Delivery
from notifications.testing import send_test
from tenants.rls import in_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_slack_channel_that_works_says_so(ops, slack):
    result = send_test(ops.channel)
    assert (result.ok, result.answer) == (True, "ok")
    assert result.milliseconds >= 0
    assert len(slack.messages) == 1
    with in_tenant(ops.tenant_id):
        assert not Delivery.objects.exists()


def test_a_slack_channel_that_fails_says_why(ops, slack):
    slack.ok_false("not_in_channel")
    result = send_test(ops.channel)
    assert (result.ok, result.answer) == (False, "not_in_channel")


def test_every_mailbox_behind_a_channel_is_tried(ops, smtp):
    with in_tenant(ops.tenant_id):
        mails = Channel.objects.create(
            tenant_id=ops.tenant_id,
            kind="email",
            slug="mails",
            name="Mails",
            settings={"to": ["a@acme.example", "b@acme.example"]},
        )
    smtp.refuse_recipient("550 no such user")
    result = send_test(mails)
    assert not result.ok
    assert "no such user" in result.answer
    assert [mail.recipients for mail in smtp.mails] == [["b@acme.example"]]


def test_a_channel_without_an_address_says_so(ops):
    with in_tenant(ops.tenant_id):
        empty = Channel.objects.create(
            tenant_id=ops.tenant_id, kind="email", slug="empty", name="Empty"
        )
    assert not send_test(empty).ok
