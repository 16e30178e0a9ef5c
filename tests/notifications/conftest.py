"""What do these tests have? A fake Slack, a fake mail server, an outbox; no broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notifications import nudging
from tests.cast import Cast
from tests.fakes.slack import FakeSlack
from tests.fakes.smtp import FakeSmtp
from tests.fakes.twilio import FakeTwilio
from tests.notifications.phones import LOOPBACK
from tests.notifications.scene import Outbox


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def smtp(settings) -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        settings.EMAIL_URL = fake.url
        settings.EMAIL_FROM = "AlertCenter <alerts@alerts.example>"
        yield fake


@pytest.fixture
def twilio(settings) -> Iterator[FakeTwilio]:
    settings.OUTBOUND_ALLOW = LOOPBACK
    with FakeTwilio() as fake:
        yield fake


@pytest.fixture
def nudged(monkeypatch) -> list[str]:
    """The ids that Celery would have been told."""
    told: list[str] = []
    monkeypatch.setattr(nudging, "nudge", told.extend)
    return told


@pytest.fixture
def ops(as_engine, acme: Cast, slack: FakeSlack, nudged: list[str]) -> Outbox:
    """Acme's outbox; the test is the engine, and sends what it wants sent."""
    return Outbox(acme.id, slack.url)
