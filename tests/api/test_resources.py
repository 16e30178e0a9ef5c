"""Do the documented resources list, page, filter and act, for one tenant only?"""

from __future__ import annotations

import base64
import json

import pytest
from django.core.management import call_command
from django.test import Client

from alertcenter.alerts.models import Alert, Group
from notifications.models import Delivery
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.api.client import bearer, get, post
from tests.api.test_slack import make_group
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"


@pytest.fixture
def three(key: str) -> str:
    """Three alerts of acme; returns the key."""
    answer = post(
        f"{API}/events",
        [
            {"title": "one", "severity": "critical", "labels": {"host": "a"}},
            {"title": "two", "severity": "warning", "labels": {"host": "b"}},
            {"title": "three", "labels": {"host": "c"}, "status": "resolved"},
        ],
        **bearer(key),
    )
    assert answer.status == 200
    return key


def titles(answer) -> set[str]:
    assert answer.status == 200, answer.body
    return {row["title"] for row in answer.json["results"]}


class TestAlerts:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", {"one", "two", "three"}),
            ("state=firing", {"one", "two"}),
            ("state=firing&state=resolved", {"one", "two", "three"}),
            ("severity=critical", {"one"}),
            ("label=host:b", {"two"}),
            ("label=host:b&state=resolved", set()),
            ("since=2099-01-01T00:00:00Z", set()),
            ("since=2020-01-01T00:00:00Z", {"one", "two", "three"}),
            ("since=2020-01-01T00:00:00+02:00", {"one", "two", "three"}),
        ],
    )
    def test_filters(self, query, expected, three):
        assert titles(get(f"{API}/alerts?{query}", **bearer(three))) == expected

    @pytest.mark.parametrize(
        "query",
        [
            "state=sad",
            "severity=9",
            "label=x",
            "label=:x",
            "label=a:%00",
            "since=yesterday",
            "since=2020-99-99T00:00:00Z",
        ],
    )
    def test_a_bad_filter_is_400_with_a_sentence(self, query, three):
        answer = get(f"{API}/alerts?{query}", **bearer(three))
        assert answer.status == 400
        assert " " in answer.sentence

    @pytest.mark.parametrize("inside", ["p=garbage", "p=%00", "o=-1", "o=x&p=1"])
    def test_a_cursor_that_was_made_up_is_404(self, inside, three):
        cursor = base64.b64encode(inside.encode()).decode()
        answer = get(f"{API}/alerts?cursor={cursor}", **bearer(three))
        assert answer.status in (200, 404), answer.body
        assert "p=" not in inside or answer.status == 404

    def test_the_page_for_people_opens_for_a_key_that_may_only_read(self, acme, mint):
        reader = bearer(mint(acme, "read"))
        answer = get(f"{API}/alerts?format=api", **reader)
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/html")

    def test_pages_follow_each_other(self, three):
        seen: list[str] = []
        url = f"{API}/alerts?page_size=1"
        while url:
            answer = get(url, **bearer(three))
            assert len(answer.json["results"]) == 1
            seen += titles(answer)
            following = answer.json["next"]
            url = following and following.removeprefix("http://127.0.0.1")
        assert sorted(seen) == ["one", "three", "two"]

    def test_the_fingerprint_is_computed_where_it_is_missing(self, key):
        post(f"{API}/events", {"labels": {"alertname": "Test"}}, **bearer(key))
        (row,) = get(f"{API}/alerts", **bearer(key)).json["results"]
        assert row["fingerprint"] == "e46aaa9fcf75dd34"


class TestGroups:
    def test_list_and_detail(self, acme, key):
        make_group(acme, 7)
        assert titles(get(f"{API}/groups", **bearer(key))) == {"Disk full"}
        assert titles(get(f"{API}/groups?state=resolved", **bearer(key))) == set()
        detail = get(f"{API}/groups/7", **bearer(key)).json
        assert (detail["number"], detail["severity"]) == (7, "critical")
        assert (detail["alerts"], detail["timeline"]) == ([], [])

    @pytest.mark.parametrize("number", ["8", "0", "9" * 19, "9" * 40])
    def test_no_such_group_is_404(self, number, acme, key):
        make_group(acme, 7)
        assert get(f"{API}/groups/{number}", **bearer(key)).status == 404

    def test_an_act_goes_through_the_one_door_and_is_audited(self, acme, key):
        group = make_group(acme, 7)
        wanted = {"act": "acknowledge", "groups": [str(group.pk)]}
        answer = post(f"{API}/acts", wanted, **bearer(key))
        assert answer.json["results"] == [
            {
                "group": str(group.pk),
                "number": 7,
                "done": True,
                "reason": "done",
                "state": "acknowledged",
            }
        ]
        again = post(f"{API}/acts", wanted, **bearer(key)).json["results"][0]
        assert (again["done"], again["reason"]) == (False, "already")
        with in_tenant(acme.id):
            audit = Audit.objects.get(action="group.acknowledged")
        assert (audit.actor_kind, audit.actor_label) == ("key", "test")

    @pytest.mark.parametrize(
        "wanted",
        [
            {},
            {"act": "acknowledge"},
            {"act": "explode", "groups": ["00000000-0000-7000-8000-000000000000"]},
            {"act": "acknowledge", "groups": []},
            {"act": "acknowledge", "groups": "all"},
            {"act": "acknowledge", "groups": ["1"]},
            {"act": "snooze", "groups": ["ID"], "seconds": 5},
            {"act": "snooze", "groups": ["ID"], "seconds": "long"},
            {"act": "assign", "groups": ["ID"]},
            {"act": "assign", "groups": ["ID"], "member": "ID"},
            {"act": "escalate", "groups": ["ID"], "versions": {"x": 1}},
            {"act": "escalate", "groups": ["ID"], "versions": [1]},
            [],
            "text",
            None,
        ],
    )
    def test_a_bad_act_is_400_with_a_sentence(self, wanted, acme, key):
        group = make_group(acme)
        body = json.dumps(wanted).replace('"ID"', f'"{group.pk}"').encode()
        answer = post(f"{API}/acts", body, **bearer(key))
        assert answer.status == 400, answer.body
        assert " " in answer.sentence

    @pytest.mark.parametrize("body", [b"", b"{", b"[" * 9000, b'{"act":"\\u0000"}'])
    def test_a_broken_body_is_400(self, body, acme, key):
        answer = post(f"{API}/acts", body, **bearer(key))
        assert answer.status == 400, answer.body
        assert " " in answer.sentence


class TestDeliveries:
    def test_list_and_detail(self, acme, key):
        with in_tenant(acme.id):
            row = Delivery.objects.create(
                tenant_id=acme.id,
                idem="1",
                lane="1",
                kind="page",
                channel_kind="slack",
                message={},
            )
        listed = get(f"{API}/deliveries?state=pending", **bearer(key)).json
        assert [item["id"] for item in listed["results"]] == [str(row.pk)]
        detail = get(f"{API}/deliveries/{row.pk}", **bearer(key)).json
        assert (detail["state"], detail["tries"]) == ("pending", [])
        assert get(f"{API}/deliveries?group=x", **bearer(key)).status == 400


class TestMembersInABrowser:
    def as_member(self, name: str) -> Client:
        client = Client()
        assert client.login(username=name, password=PASSWORD)
        return client

    def test_a_member_browses_the_api(self, acme, three):
        page = self.as_member("vera").get(f"{API}/alerts", HTTP_ACCEPT="text/html")
        assert page.status_code == 200
        assert b"host" in page.content
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy

    def test_the_role_decides_what_a_member_may(self, acme):
        group = make_group(acme)
        wanted = {"act": "acknowledge", "groups": [str(group.pk)]}
        for name, status in (("vera", 403), ("bob", 200)):
            answer = self.as_member(name).post(
                f"{API}/acts", json.dumps(wanted), content_type="application/json"
            )
            assert answer.status_code == status, answer.content
        with in_tenant(acme.id):
            assert Group.objects.get().acked_by == "Bob"

    def test_a_member_may_send_an_event(self, acme):
        answer = self.as_member("bob").post(
            f"{API}/alerts", '{"title": "by hand"}', content_type="application/json"
        )
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
        with in_tenant(acme.id):
            assert Alert.objects.get().title == "by hand"

    def test_acting_by_session_needs_the_csrf_token(self, acme):
        client = Client(enforce_csrf_checks=True)
        assert client.login(username="bob", password=PASSWORD)
        answer = client.post(f"{API}/acts", "{}", content_type="application/json")
        assert answer.status_code == 403

    def test_an_outsider_finds_nothing(self, acme, globex):
        for path in ("alerts", "groups", "deliveries", "groups/1"):
            answer = self.as_member("charlie").get(f"{API}/{path}")
            assert answer.status_code == 404


class TestAlertmanagersList:
    def list(self, key: str, query: str = ""):
        answer = get(f"/t/acme/api/v2/alerts?{query}", **bearer(key))
        assert answer.status == 200, answer.body
        return answer.json

    def names(self, key: str, query: str) -> set[str]:
        return {alert["labels"]["host"] for alert in self.list(key, query)}

    def test_firing_alerts_in_its_shape_sorted_by_fingerprint(self, three):
        found = self.list(three)
        assert [a["fingerprint"] for a in found] == sorted(
            a["fingerprint"] for a in found
        )
        assert {a["labels"]["host"] for a in found} == {"a", "b"}
        for alert in found:
            assert set(alert) == {
                "annotations",
                "endsAt",
                "fingerprint",
                "receivers",
                "startsAt",
                "status",
                "updatedAt",
                "labels",
            }
            assert alert["startsAt"].endswith("Z")
            assert alert["status"]["silencedBy"] == []

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("filter=host%3D%22a%22", {"a"}),
            ("filter=host%3Da", {"a"}),
            ("filter=host!%3Da", {"b"}),
            ("filter=host%3D~%22a|b%22", {"a", "b"}),
            ("filter=host%3D~%22a|b%22&filter=host!~%22b%22", {"a"}),
            ("filter=missing%3D%22%22", {"a", "b"}),
            ("active=false", set()),
            ("active=maybe", set()),
            ("silenced=false", {"a", "b"}),
            ("receiver=nobody", set()),
        ],
    )
    def test_its_parameters(self, query, expected, three):
        assert self.names(three, query) == expected

    @pytest.mark.parametrize(
        "query", ["filter=a%22", "filter=a%3D~%22(%22", "receiver=("]
    )
    def test_a_bad_parameter_is_400_with_a_json_string(self, query, three):
        answer = get(f"/t/acme/api/v2/alerts?{query}", **bearer(three))
        assert answer.status == 400
        assert isinstance(answer.json, str)

    def test_no_key_is_401_in_go_openapis_shape(self, acme):
        answer = get("/t/acme/api/v2/alerts")
        assert answer.status == 401
        assert answer.json["code"] == 401


class TestDescribed:
    def test_the_document_is_valid_and_complete(self, tmp_path):
        file = tmp_path / "schema.yml"
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
        text = file.read_text()
        for path in ("alerts", "groups", "acts", "deliveries"):
            assert f"/t/{{slug}}/api/v1/{path}:" in text

    def test_everybody_may_read_it_without_foreign_scripts(self, db):
        assert get("/api/schema/").status == 200
        page = get("/api/docs/")
        assert page.status == 200
        assert b"http://" not in page.body
        assert b"https://" not in page.body
        assert "script-src 'self';" in page.headers["content-security-policy"]
        assert b"<script>" not in page.body
