"""Does a page about a group still have to leave? The group is asked once more."""

from __future__ import annotations

from uuid import UUID

from alertcenter.alerts.models import Group
from escalation import holding
from escalation.messages import message_for
from notifications.digests import pages_of
from notifications.judging import Stay
from notifications.models import Delivery

ENDED = ("acknowledged", "snoozed", "resolved")


def judge(tenant_id: UUID, delivery: Delivery) -> Stay | None:
    """Keep back what says "firing" about a group that no longer does.

    The page of a later step is also put off while its group is silenced or the like,
    and tells what is known by now. Called by notifications.
    """
    if delivery.message.get("kind") == "digest":
        return judge_digest(tenant_id, delivery)
    if delivery.message.get("state") != "firing" or delivery.group_id is None:
        return None
    group = Group.objects.filter(tenant_id=tenant_id, pk=delivery.group_id).first()
    if group is None:
        return None
    if group.state in ENDED:
        return Stay(group.state)
    if not delivery.put_off:
        return None
    reason = holding.why_quiet(tenant_id, [group]).get(group.pk)
    if reason:
        seconds = holding.LOOK_AGAIN_SECONDS.get(reason, holding.LOOK_AGAIN_OTHERWISE)
        return Stay(reason, seconds)
    Delivery.objects.filter(pk=delivery.pk).update(
        message=message_for(group).to_json(), severity=group.severity
    )
    return None


def judge_digest(tenant_id: UUID, digest: Delivery) -> Stay | None:
    """Keep back a digest when somebody has every group that it lists in hand."""
    pages = pages_of(digest)
    if not pages or any(page.group_id is None for page in pages):
        return None
    about = {page.group_id for page in pages if page.group_id}
    ended = Group.objects.filter(tenant_id=tenant_id, pk__in=about, state__in=ENDED)
    return Stay("acknowledged") if ended.count() == len(about) else None
