"""Which notices of a route reach which kind of channel?"""

from __future__ import annotations

import pytest

from alertcenter.alerts import notices
from escalation import said

CONVERSATIONS = {notices.FIRST, notices.REPEAT}


@pytest.mark.parametrize("kind", ["slack", "pagerduty"])
def test_who_is_told_of_each_state_hears_of_no_end_by_a_notice(kind):
    assert said.worth_saying(kind) == CONVERSATIONS


def test_a_mailbox_hears_of_new_alerts_by_a_mail_of_their_own():
    assert said.worth_saying("email") == CONVERSATIONS | {notices.NEW_ALERTS}


def test_a_webhook_hears_of_everything():
    assert said.worth_saying("webhook") == said.EVERYTHING
