"""What becomes of a digest reaches its groups, and the other way round."""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Group, Transition
from notifications import delivery, digests
from notifications.models import Destination
from tenants.rls import in_tenant
from tests.dashboard.scene import make_group
from tests.notifications.scene import Outbox, a_message

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 15


@pytest.fixture
def crowd(ops: Outbox) -> list[Group]:
    """Fifteen groups, most of whose pages to #ops are in one digest."""
    with in_tenant(ops.tenant_id):
        groups = [make_group(ops.tenant_id) for _ in range(MANY)]
        key = ops.entry("x", a_message()).destination
        Destination.objects.create(tenant_id=ops.tenant_id, key=key)
    for group in groups:
        ops.put(str(group.pk), a_message(group_id=str(group.pk)))
    ops.change(
        f"created_at = now() - interval '{digests.PATIENCE_SECONDS + 1} seconds'"
    )
    assert digests.sweep() == MANY - digests.STAY
    return groups


def lines(ops: Outbox, kind: str) -> set:
    with in_tenant(ops.tenant_id):
        rows = Transition.objects.filter(kind=kind, group_id__isnull=False)
        return set(rows.values_list("group_id", flat=True))


def test_that_a_digest_arrived_is_told_of_each_group(ops, slack, crowd):
    delivery.deliver_due(20)
    assert lines(ops, "delivered") == {group.pk for group in crowd}


def test_that_a_digest_was_given_up_is_told_of_each_group(ops, slack, crowd):
    slack.ok_false("channel_not_found", times=MANY)
    delivery.deliver_due(20)
    assert lines(ops, "failed") == {group.pk for group in crowd}


def test_a_digest_leaves_while_one_of_its_groups_still_fires(ops, slack, crowd):
    with in_tenant(ops.tenant_id):
        Group.objects.exclude(pk=crowd[-1].pk).update(state="acknowledged")
    delivery.deliver_due(20)
    assert len(slack.messages) == 1


def test_a_digest_of_what_is_all_in_hand_does_not_leave(ops, slack, crowd):
    with in_tenant(ops.tenant_id):
        Group.objects.update(state="acknowledged")
    delivery.deliver_due(20)
    assert slack.messages == []
