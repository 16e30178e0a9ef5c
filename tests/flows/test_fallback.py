"""Slack refuses, or a worker dies: who is told instead, how soon, and how often?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSmtp
from tests.fakes.webhook import FakeWebhook
from tests.flows.world import World, build
from tests.stack import Stack, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

SOON = 5.0  # seconds from the alert to the fallback's door

FALLBACKS = """
from notifications.models import Channel
from tenants.rls import in_tenant
with in_tenant({tenant!r}):
    mail = Channel.objects.create(
        tenant_id={tenant!r}, kind="email", slug="mail", name="Mail",
        settings={{"to": ["boss@acme.example"]}})
    hook = Channel.objects.create(
        tenant_id={tenant!r}, kind="webhook", slug="hook", name="Hook", fallback=mail,
        settings={{"url": {hook!r}}})
    Channel.objects.filter(slug="ops").update(fallback=hook)
"""


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def smtp() -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        yield fake


@pytest.fixture
def hook() -> Iterator[FakeWebhook]:
    with FakeWebhook() as fake:
        yield fake


def settled(world: World, name: str) -> bool:
    """Whether nothing about this alert waits any more."""
    rows = world.rows(
        "SELECT count(*) FILTER (WHERE state IN ('pending', 'leased', 'ambiguous')), "
        "count(*) FROM delivery WHERE tenant_id = {t} AND kind = 'page' "
        f"AND message ->> 'title' LIKE '%{name}%'"
    )
    waiting, known = rows[0]
    return bool(known and not waiting)


def test_the_fallback_is_told_within_seconds_and_not_after_a_mere_death(
    slack: FakeSlack, smtp: FakeSmtp, hook: FakeWebhook, tmp_path: Path
) -> None:
    order = tmp_path / "failpoint"
    stack = Stack(
        ALERTCENTER_FAILPOINT=str(order),
        ALERTCENTER_EMAIL_URL=smtp.url,
        ALERTCENTER_OUTBOUND_ALLOW="127.0.0.1/32",
    )
    try:
        stack.start()
        world = build(stack, slack, "fallback")
        stack.manage(
            "shell", "-c", FALLBACKS.format(tenant=world.tenant, hook=hook.url)
        )
        refused_for_good(world, slack, hook)
        refused_by_the_fallback_too(world, slack, hook, smtp)
        killed_between_answer_and_commit(world, slack, hook, smtp, order)
        stack.stop()
    finally:
        stack.remove()


def refused_for_good(world: World, slack: FakeSlack, hook: FakeWebhook) -> None:
    slack.ok_false("channel_not_found")
    began = time.monotonic()
    assert world.fire("Refused") == 200
    until(lambda: hook.calls, 20)
    assert hook.calls[0].at - began < SOON
    until(lambda: settled(world, "Refused"), 10)
    assert len(hook.calls) == 1


def refused_by_the_fallback_too(
    world: World, slack: FakeSlack, hook: FakeWebhook, smtp: FakeSmtp
) -> None:
    slack.ok_false("channel_not_found")
    hook.answers.append(410)
    began = time.monotonic()
    assert world.fire("Twice") == 200
    until(lambda: smtp.mails, 20)
    assert time.monotonic() - began < 2 * SOON
    until(lambda: settled(world, "Twice"), 10)
    (mail,) = smtp.mails
    assert mail.recipients == ["boss@acme.example"]


def killed_between_answer_and_commit(
    world: World, slack: FakeSlack, hook: FakeWebhook, smtp: FakeSmtp, order: Path
) -> None:
    """It is sent once more at most, and its fallback has nothing to say."""
    before = len(hook.calls)
    order.write_text("send.after_http_before_commit")
    assert world.fire("Killed") == 200
    until(lambda: not order.exists(), 20)
    until(lambda: settled(world, "Killed"), 60)  # a lease runs for thirty seconds
    copies = [m for m in slack.messages if "Killed" in str(m)]
    assert 1 <= len(copies) <= 2
    assert (len(hook.calls), len(smtp.mails)) == (before, 1)
    outcomes = world.rows(
        "SELECT a.outcome FROM attempt a JOIN delivery d ON d.id = a.delivery_id "
        "WHERE d.tenant_id = {t} AND d.kind = 'page' "
        "AND d.message ->> 'title' LIKE '%Killed%' ORDER BY a.id"
    )
    assert outcomes == [("lost",), ("sent",)]
