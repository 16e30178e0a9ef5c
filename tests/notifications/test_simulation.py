"""In simulation a page, its redraw and its line go to our own Slack, over HTTP."""

from __future__ import annotations

import json

import pytest

from notifications import delivery
from notifications.models import Channel, SimulatedMessage
from tenants.rls import in_tenant
from tests.notifications.scene import Outbox, a_message, acknowledged

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def simulated(ops: Outbox, live_server, settings) -> Outbox:
    """Acme's outbox with a channel that has no Slack but ours."""
    settings.SIMULATION = True
    settings.PORT = live_server.thread.port
    with in_tenant(ops.tenant_id):
        channel = Channel.objects.get(pk=ops.channel.pk)
        channel.settings = {"channel": "#ops", "team_id": "T1"}
        channel.secret = json.dumps({"bot_token": f"xoxb-sim-{channel.pk}"})
        channel.save()
    return ops


def test_a_conversation_happens_in_the_built_in_slack(simulated):
    message = a_message()
    simulated.put("a", message)
    delivery.deliver_due()
    simulated.refresh(acknowledged(message), version=2)
    simulated.deliver(rounds=2)
    assert set(simulated.states()) == {"sent"}
    with in_tenant(simulated.tenant_id):
        root = SimulatedMessage.objects.get(thread_ts="")
        (line,) = SimulatedMessage.objects.filter(thread_ts=root.ts)
    assert root.address == "#ops"
    assert root.edited_at is not None
    assert "Acknowledged by Alice" in json.dumps(root.payload)
    assert line.payload["text"] == "Alice acknowledged."
