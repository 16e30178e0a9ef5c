"""Does the documented API explain, to keys that may read, of one tenant only?"""

from __future__ import annotations

import pytest

from alertcenter.alerts.models import Alert
from alertcenter.common.ids import uuid7
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire
from tests.api.client import bearer, get, post
from tests.escalation.scene import Scene, make_scene
from tests.escalation.test_explain import engine, silence

pytestmark = pytest.mark.django_db(transaction=True)

API = "/t/acme/api/v1"
DISK = {"alertname": "DiskFull"}


@pytest.fixture
def scene(acme) -> Scene:
    return make_scene(acme)


@pytest.fixture
def silenced(scene: Scene, send) -> Scene:
    """A group with one alert, silenced by Ann."""
    silence(scene, "alertname=DiskFull")
    send.prometheus(scene.id, fire(0))
    engine()
    return scene


def alert_of(scene: Scene) -> str:
    with in_tenant(scene.id):
        return str(Alert.objects.get().pk)


def test_a_group_and_an_alert_are_explained(silenced, key):
    for path in ("groups/1", f"alerts/{alert_of(silenced)}"):
        answer = get(f"{API}/{path}/explain", **bearer(key))
        assert answer.status == 200, answer.body
        said = answer.json
        assert said["conclusion"]["code"] == "nobody_silenced"
        assert "silence “New disks” by Ann" in said["conclusion"]["text"]
        (decides,) = [line for line in said["lines"] if line["decides"]]
        assert (decides["step"], decides["verdict"]) == ("silence", "no")
        assert decides["conditions"] == [
            {"condition": 'alertname="DiskFull"', "seen": "DiskFull", "holds": True}
        ]


def test_a_pasted_alert_is_explained_as_text_and_as_json(silenced, key):
    for given in (
        {"text": "alertname=DiskFull"},
        {"alert": {"labels": DISK}},
        {"alert": {"alerts": [{"status": "firing", "labels": DISK}]}},
    ):
        answer = post(f"{API}/explain", given, **bearer(key))
        assert answer.status == 200, answer.body
        assert answer.json["conclusion"]["code"] == "would_silence"
    at = {"text": "alertname=DiskFull", "at": "2027-01-07T03:00:00+01:00"}
    answer = post(f"{API}/explain", at, **bearer(key))
    assert answer.json["conclusion"]["code"] == "would_first"
    assert answer.json["at"] == "2027-01-07T02:00:00Z"


@pytest.mark.parametrize(
    "given",
    [
        {},
        [],
        {"text": " "},
        {"text": "{"},
        {"alert": 5},
        {"alert": []},
        {"alert": {"alerts": []}},
        {"text": "a=b", "at": "soon"},
        {"text": "a=b", "at": "9999-01-01T00:00:00Z"},
        {"text": "a=b", "at": "0001-01-01T00:00:00Z"},
    ],
)
def test_nonsense_is_400_with_a_sentence(scene, key, given):
    answer = post(f"{API}/explain", given, **bearer(key))
    assert answer.status == 400, answer.body


def test_others_keys_and_unknown_ids_are_404(silenced, globex, key, foreign_key):
    own, alert = bearer(key), alert_of(silenced)
    for path in ("groups/1", f"alerts/{alert}"):
        assert get(f"{API}/{path}/explain", **bearer(foreign_key)).status == 404
        assert (
            get(f"/t/globex/api/v1/{path}/explain", **bearer(foreign_key)).status == 404
        )
    answer = post(f"{API}/explain", {"text": "a=b"}, **bearer(foreign_key))
    assert answer.status == 404
    assert get(f"{API}/groups/99/explain", **own).status == 404
    assert get(f"{API}/alerts/{uuid7()}/explain", **own).status == 404


def test_a_key_that_may_only_send_may_not_read(silenced, acme, mint):
    ingest_key = mint(acme, "ingest")
    for answer in (
        get(f"{API}/groups/1/explain", **bearer(ingest_key)),
        post(f"{API}/explain", {"text": "a=b"}, **bearer(ingest_key)),
    ):
        assert answer.status == 403
