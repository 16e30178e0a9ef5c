"""Do the admin's buttons and actions do what the API does, and leave a trace?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from alertcenter.alerts import lifecycle
from alertcenter.alerts.lifecycle import Change
from alertcenter.alerts.models import Alert, Group, Rule, Transition
from escalation.models import Policy, Step
from notifications.models import Channel, Delivery
from tenants.actors import THE_ENGINE
from tenants.fields import reveal
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.admin.conftest import CANARY
from tests.admin.test_rights import policy_data, route_data

GROUPS = "admin:alerts_group_changelist"


def selected(action: str, *rows: Any) -> dict[str, object]:
    return {"action": action, "_selected_action": [str(row.pk) for row in rows]}


def acts(cast) -> list[str]:
    with in_tenant(cast.id):
        return list(Audit.objects.order_by("id").values_list("action", flat=True))


def state_of(cast, group) -> str:
    with in_tenant(cast.id):
        return Group.objects.get(pk=group.pk).state


@pytest.mark.parametrize(
    ("button", "state"),
    [
        ("acknowledge", "acknowledged"),
        ("snooze", "snoozed"),
        ("resolve", "resolved"),
    ],
)
def test_a_responder_acts_with_one_click(bob, acme, filled, button, state):
    group = filled[Group]
    url = reverse(f"admin:alerts_group_{button}", args=[group.pk])
    assert bob.get(url).status_code == 405
    assert bob.post(url).status_code == 302
    assert state_of(acme, group) == state
    with in_tenant(acme.id):
        told = Transition.objects.filter(group_id=group.pk).latest("id")
    assert told.actor_label == "Bob"
    assert f"group.{state}" in acts(acme)


def test_a_viewer_sees_no_buttons_and_cannot_press_them(vera, acme, filled):
    group = filled[Group]
    page = vera.get(reverse("admin:alerts_group_change", args=[group.pk]))
    assert "/do/" not in page.content.decode()
    url = reverse("admin:alerts_group_acknowledge", args=[group.pk])
    assert vera.post(url).status_code == 403
    vera.post(reverse(GROUPS), selected("resolve_selected", group))
    assert state_of(acme, group) == "firing"


def test_many_groups_are_acknowledged_at_once(bob, acme, filled):
    given = selected("acknowledge_selected", filled[Group])
    response = bob.post(reverse(GROUPS), given, follow=True)
    assert "1 group changed." in response.content.decode()
    again = bob.post(reverse(GROUPS), given, follow=True)
    assert "was in that state already" in again.content.decode()


def test_selected_groups_lead_to_a_silence_of_what_their_alerts_share(bob, filled):
    given = selected("silence_selected", filled[Group])
    answer = bob.post(reverse(GROUPS), given)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:alerts_silence_add"))
    page = bob.get(answer["Location"]).content.decode()
    assert "alertname=&quot;" in page


def test_a_viewer_is_led_to_no_silence(vera, filled):
    given = selected("silence_selected", filled[Group])
    answer = vera.post(reverse(GROUPS), given)
    assert "silence" not in answer.get("Location", "")


def test_resolving_an_alert_resolves_its_group(bob, acme, filled):
    given = selected("resolve_alerts", filled[Alert])
    bob.post(reverse("admin:alerts_alert_changelist"), given)
    assert state_of(acme, filled[Group]) == "resolved"
    with in_tenant(acme.id):
        assert Alert.objects.get(pk=filled[Alert].pk).state == "resolved"


def test_a_posted_form_changes_no_group(alice, acme, filled):
    page = reverse("admin:alerts_group_change", args=[filled[Group].pk])
    assert alice.post(page, {"state": "resolved"}).status_code == 403
    assert state_of(acme, filled[Group]) == "firing"


def test_the_page_of_a_group_tells_its_story(alice, filled):
    page = reverse("admin:alerts_group_change", args=[filled[Group].pk])
    shown = alice.get(page).content.decode()
    link = "/t/acme/groups/1"
    for words in ("opened", "channel_not_found", filled[Alert].title, link):
        assert words in shown


def test_what_was_given_up_is_tried_again(bob, acme, filled):
    delivery = filled[Delivery]
    url = reverse("admin:notifications_delivery_retry", args=[delivery.pk])
    assert bob.post(url).status_code == 302
    with in_tenant(acme.id):
        after = Delivery.objects.get(pk=delivery.pk)
    assert (after.state, after.fence) == ("pending", delivery.fence + 1)
    assert "delivery.retry" in acts(acme)


def test_what_was_sent_is_not_sent_again(bob, acme, filled):
    delivery = filled[Delivery]
    with in_tenant(acme.id):
        Delivery.objects.filter(pk=delivery.pk).update(state="sent")
    bob.post(reverse("admin:notifications_delivery_retry", args=[delivery.pk]))
    with in_tenant(acme.id):
        assert Delivery.objects.get(pk=delivery.pk).state == "sent"


# --- configuration ---


def test_every_change_is_audited_by_name_and_never_by_value(alice, acme, filled):
    channel = filled[Channel]
    page = reverse("admin:notifications_channel_change", args=[channel.pk])
    given = {
        "name": "Renamed",
        "slug": "ops",
        "active": "on",
        "channel": "#ops",
        "bot_token": "xoxb-new-canary",
        "signing_secret": "",
    }
    assert alice.post(page, given).status_code == 302
    with in_tenant(acme.id):
        row = Audit.objects.filter(action="channel.change").get()
        after = Channel.objects.get(pk=channel.pk)
        secret = reveal(after, "secret")
    assert row.actor_label == "Alice"
    assert {"bot_token", "name"} <= set(row.data["fields"])
    assert "canary" not in str(row.data)
    assert "xoxb-new-canary" in secret
    assert CANARY in secret  # the signing secret that was left empty stays
    assert "canary" not in alice.get(page).content.decode()


def test_deleting_is_audited(alice, acme, filled):
    page = reverse("admin:alerts_rule_delete", args=[filled[Rule].pk])
    assert alice.post(page, {"post": "yes"}).status_code == 302
    with in_tenant(acme.id):
        row = Audit.objects.get(action="rule.delete")
    assert row.data["name"] == "quiet"


def test_a_channel_with_history_is_kept(alice, filled):
    page = reverse("admin:notifications_channel_delete", args=[filled[Channel].pk])
    assert alice.post(page, {"post": "yes"}).status_code == 403


def test_a_policy_that_ends_in_nobody_is_marked(alice, acme, filled):
    given = policy_data(kind="wait", wait_seconds="300")
    response = alice.post(reverse("admin:escalation_policy_add"), given, follow=True)
    shown = response.content.decode()
    assert "This policy ends in nobody." in shown
    assert 'class="pill bad">nobody' in shown


def test_a_policy_needs_a_step(alice, acme):
    given = {"name": "mine", "steps-TOTAL_FORMS": "0", "steps-INITIAL_FORMS": "0"}
    response = alice.post(reverse("admin:escalation_policy_add"), given)
    assert response.status_code == 200
    with in_tenant(acme.id):
        assert not Policy.objects.exists()


def test_steps_are_numbered_as_they_stand(alice, acme, filled):
    channel = str(filled[Channel].pk)
    given = policy_data(channel=channel) | {
        "steps-TOTAL_FORMS": "2",
        "steps-1-position": "1",
        "steps-1-kind": "wait",
        "steps-1-wait_seconds": "60",
    }
    assert alice.post(reverse("admin:escalation_policy_add"), given).status_code == 302
    with in_tenant(acme.id):
        steps = Step.objects.filter(policy__name="mine").order_by("position")
        assert [s.position for s in steps] == [1, 2]


@pytest.mark.parametrize("matchers", ["team", 'team=~"("', ""])
def test_an_unreadable_condition_is_refused_in_a_sentence(alice, acme, matchers):
    given = route_data() | {"matchers": matchers}
    response = alice.post(reverse("admin:alerts_route_add"), given)
    assert response.status_code == 200
    assert "matchers" in response.context["adminform"].form.errors


def test_a_rule_must_do_something(alice, acme):
    given = {"name": "idle", "position": "1", "matchers": 'env="dev"', "active": "on"}
    response = alice.post(reverse("admin:alerts_rule_add"), given)
    assert response.context["adminform"].form.non_field_errors()
    given |= {"set_labels": "team=dev\nold="}
    assert alice.post(reverse("admin:alerts_rule_add"), given).status_code == 302
    with in_tenant(acme.id):
        assert Rule.objects.get().set_labels == {"team": "dev", "old": ""}


# --- which route? ---


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "Lag", "labels": {"team": "db", "alertname": "Lag"}}',
        '{"team": "db", "alertname": "Lag"}',
        "team=db\nalertname=Lag",
        '{"version":"4","alerts":[{"status":"firing","labels":{"team":"db",'
        '"alertname":"Lag"},"annotations":{},"startsAt":"2026-11-20T10:00:00Z"}]}',
    ],
)
def test_the_tester_says_which_route_and_why(alice, filled, text):
    response = alice.post(reverse("admin:alerts_route_tester"), {"text": text})
    verdict = response.context["verdict"]
    (taker,) = verdict.takers
    assert taker.route.name == "acme route"
    assert taker.policy == "acme policy"
    assert taker.group_labels == {"alertname": "Lag"}
    assert verdict.trials[1].taken
    assert verdict.trials[1].conditions == [('team="db"', "db", True)]


def test_the_tester_takes_a_stored_alert_of_this_tenant_only(
    alice, charlie, globex, filled
):
    page = reverse("admin:alerts_route_tester") + f"?alert={filled[Alert].pk}"
    (taker,) = alice.get(page).context["verdict"].takers
    assert taker.route.name == "acme route"
    response = charlie.get(page)
    assert response.context["verdict"] is None
    assert "acme" not in response.content.decode()


@pytest.mark.parametrize("text", ["{", "[]", '{"labels": 5}', "nonsense"])
def test_the_tester_answers_nonsense_with_a_sentence(alice, filled, text):
    response = alice.post(reverse("admin:alerts_route_tester"), {"text": text})
    assert response.status_code == 200
    assert response.context["form"].errors


def test_a_double_click_escalates_once(bob, acme, filled):
    """Both clicks come from one page, which says as of when it was true."""
    group = filled[Group]
    with in_tenant(acme.id):
        opened = lifecycle.database_time() - timedelta(seconds=1)
    page = bob.get(reverse("admin:alerts_group_change", args=[group.pk]))
    as_of = page.context["as_of"]
    assert f'name="as_of" value="{as_of}"' in page.content.decode()
    assert opened.isoformat() < as_of
    with in_tenant(acme.id):
        lifecycle.tell(
            [Change(acme.id, "paged", group_id=group.pk)],
            actor=THE_ENGINE,
        )
    url = reverse("admin:alerts_group_escalate", args=[group.pk])
    answer = bob.post(url, {"as_of": opened.isoformat()}, follow=True)
    assert "changed meanwhile" in " ".join(map(str, answer.context["messages"]))
    for odd in ("", "x", "2026-99-99", "2026-01-01T00:00"):
        answer = bob.post(url, {"as_of": odd}, follow=True)
        assert answer.status_code == 200
        assert "meanwhile" not in " ".join(map(str, answer.context["messages"]))
