"""Can programs preview, make, change and expire silences and maintenance?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from alertcenter.alerts.models import Silence
from tenants.models import Audit
from tenants.rls import in_tenant
from tests.alerts.hush import alert, fire, moment, quiet, routed
from tests.api.client import Answer, bearer, call, get, post

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1/silences"
DISK = {"matchers": ['alertname="DiskFull"'], "lasts_seconds": 3600}


def make(key: str, **values: Any) -> dict[str, Any]:
    answer = post(API, DISK | values, **bearer(key))
    assert answer.status == 201, answer.body
    return dict(answer.json)


def change(key: str, pk: str, **values: Any) -> Answer:
    headers = bearer(key) | {"Content-Type": "application/json"}
    return call("PATCH", f"{API}/{pk}", json.dumps(values).encode(), headers)


def listed(key: str, query: str = "") -> list[str]:
    answer = get(API + query, **bearer(key))
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.json["results"]]


def test_a_silence_is_made_read_changed_and_expired(acme, key, send):
    routed(acme)
    fire(acme, send, alert(), alert("Other"))
    made = make(key, comment="new disks")
    assert (made["state"], made["kind"], made["created_by"]) == (
        "active",
        "silence",
        "test",
    )
    assert quiet(acme) == ["DiskFull"]
    longer = change(key, made["id"], lasts_seconds=7200, comment="more disks")
    assert longer.status == 200
    assert longer.json["id"] == made["id"]
    assert longer.json["ends_at"] > made["ends_at"]
    read = get(f"{API}/{made['id']}", **bearer(key)).json
    assert read["comment"] == "more disks"
    assert len(read["coming"]) == 1
    assert call("DELETE", f"{API}/{made['id']}", b"", bearer(key)).status == 204
    assert quiet(acme) == []
    assert listed(key, "?state=expired") == [made["id"]]
    with in_tenant(acme.id):
        told = Audit.objects.filter(object_kind="silence").order_by("id")
        verbs = list(told.values_list("action", flat=True))
    assert verbs == ["silence.create", "silence.change", "silence.expire"]


def test_other_conditions_make_another_one(acme, key):
    made = make(key, title="Disks")
    other = change(key, made["id"], matchers=['alertname="Other"'])
    assert other.status == 200
    assert other.json["id"] != made["id"]
    assert other.json["title"] == "Disks"
    assert listed(key, "?state=active") == [other.json["id"]]


def test_maintenance_by_calendar_says_its_next_occurrences(acme, key):
    made = make(
        key,
        kind="maintenance",
        title="Nightly",
        recurrence="FREQ=DAILY",
        time_zone="Europe/Paris",
        duration_seconds=3600,
        starts_at=moment(60).isoformat(),
        ends_at=moment(10**5).isoformat(),
    )
    assert (made["state"], made["recurrence"]) == ("pending", "FREQ=DAILY")
    assert len(get(f"{API}/{made['id']}", **bearer(key)).json["coming"]) == 5
    plain = make(key)
    assert listed(key, "?kind=maintenance") == [made["id"]]
    assert listed(key, "?state=pending") == [made["id"]]
    assert listed(key, "?state=active&state=pending") == [made["id"], plain["id"]]
    assert get(API + "?kind=x", **bearer(key)).status == 400
    assert get(API + "?state=x", **bearer(key)).status == 400


def test_a_preview_counts_and_keeps_nothing(acme, key, mint, send):
    routed(acme)
    fire(acme, send, *[alert(instance=str(n)) for n in range(6)], alert("Other"))
    reader = mint(acme, "read")
    answer = post(API + "/preview", DISK, **bearer(reader))
    assert answer.status == 200, answer.body
    found = answer.json
    assert (found["now"], found["open"], found["week"]) == (6, 7, 6)
    assert (found["at_least"], found["needs_confirm"]) == (False, True)
    assert found["share"] == pytest.approx(6 / 7, abs=0.001)
    assert len(found["examples"]) == 6
    assert len(found["coming"]) == 1
    with in_tenant(acme.id):
        assert not Silence.objects.exists()
    bad = post(API + "/preview", DISK | {"matchers": ['a=~"("']}, **bearer(reader))
    assert (bad.status, bad.json["code"]) == (400, "silence_matcher")


def test_a_broad_one_is_409_until_it_is_confirmed(acme, key, send):
    routed(acme)
    fire(acme, send, *[alert(instance=str(n)) for n in range(6)])
    answer = post(API, DISK, **bearer(key))
    assert (answer.status, answer.json["code"]) == (409, "silence_broad")
    assert "6 of 6" in answer.json["message"]
    assert quiet(acme) == []
    make(key, confirm=True)
    assert len(quiet(acme)) == 6


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"matchers": []}, "invalid"),
        ({"matchers": ["a"]}, "silence_matcher"),
        ({"matchers": ['a=~"(?=b)"']}, "silence_matcher"),
        ({"matchers": ['a=~".*"']}, "silence_empty"),
        ({"lasts_seconds": 0}, "invalid"),
        ({"lasts_seconds": 10**12}, "invalid"),
        ({"starts_at": "9999-12-31T00:00:00Z"}, "silence_order"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "silence_order"),
        (
            {"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"},
            "silence_past",
        ),
        ({"recurrence": "FREQ=DAILY", "duration_seconds": 60}, "silence_recurrence"),
        ({"route": "11111111-1111-4111-8111-111111111111"}, "silence_scope"),
        ({"owner": "11111111-1111-4111-8111-111111111111"}, "silence_owner"),
        ({"kind": "sleep"}, "invalid"),
        ({"comment": "a\0b"}, "invalid"),
        ({"annotations": {"a": 1, "b": {}}}, "invalid"),
    ],
)
def test_what_is_refused_is_refused_with_a_sentence(acme, key, values, code):
    answer = post(API, DISK | values, **bearer(key))
    assert (answer.status, answer.json["code"]) == (400, code), answer.body
    assert answer.json["message"]


def test_it_needs_an_end(acme, key):
    answer = post(API, {"matchers": ['a="b"']}, **bearer(key))
    assert (answer.status, answer.json["code"]) == (400, "silence_end")


def test_a_recurrence_of_long_ago_is_refused_or_understood(acme, key):
    common = {
        "recurrence": "FREQ=WEEKLY",
        "time_zone": "America/New_York",
        "duration_seconds": 60,
        "ends_at": moment(10**5).isoformat(),
    }
    answer = post(
        API, DISK | common | {"starts_at": "0001-01-01T00:00:00Z"}, **bearer(key)
    )
    assert (answer.status, answer.json["code"]) == (400, "silence_recurrence")
    make(key, **common | {"starts_at": "1999-01-01T00:00:00Z"})


def test_scopes_and_outsiders(acme, globex, mint, key, foreign_key):
    made = make(key)
    reader = mint(acme, "read")
    assert get(API, **bearer(reader)).status == 200
    assert post(API, DISK, **bearer(reader)).status == 403
    assert change(reader, made["id"], comment="x").status == 403
    path = f"{API}/{made['id']}"
    assert call("DELETE", path, b"", bearer(reader)).status == 403
    for method in ("GET", "DELETE"):
        assert call(method, path, b"", bearer(foreign_key)).status == 404
        theirs = path.replace("acme", "globex")
        assert call(method, theirs, b"", bearer(foreign_key)).status == 404
    theirs = API.replace("acme", "globex")
    assert get(theirs, **bearer(foreign_key)).json["results"] == []
