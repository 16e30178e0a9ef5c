"""What does one delivery cost the database?"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import delivery
from notifications.claiming import claim
from tests.notifications.scene import Outbox

pytestmark = pytest.mark.django_db(transaction=True)

# Claiming is for many at once; this is what each of them adds: taking the lease anew,
# judging, reading, and settling, with what opens and closes two transactions.
MOST = 19


def statements(ops: Outbox) -> list[str]:
    """Return what the second page of a place costs, after all caches are warm."""
    for idem in ("1", "2"):
        ops.put(idem)
        ops.rest()
        (lease,) = claim(1)
        with CaptureQueriesContext(connection) as caught:
            delivery.work(lease)
    return [one["sql"] for one in caught.captured_queries]


def test_a_delivery_costs_few_statements(ops: Outbox, slack):
    found = statements(ops)
    assert len(found) <= MOST, "\n".join(found)
    assert len(slack.messages) == 2
