"""Does an explanation know of flapping and of storms?"""

from __future__ import annotations

import pytest
from django.db import connection

from alertcenter.alerts.models import Group, Route
from escalation import storms
from escalation.explain import stored
from tenants.rls import in_tenant
from tests.alerts.test_intake import fire, over
from tests.conftest import login_as
from tests.escalation.test_explain import engine, outcome, said

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_group_that_a_storm_holds_names_the_one_that_speaks_for_it(scene, send):
    with in_tenant(scene.id):
        Route.objects.update(storm_per_minute=10, group_by=["n"])
    send.prometheus(scene.id, *[fire(0, n=str(n)) for n in range(40)])
    engine()
    with in_tenant(scene.id), connection.cursor() as cursor:
        cursor.execute("UPDATE storm SET look_at = now()")
    connection.close()
    with login_as("engine"):
        storms.sweep()
    engine()
    with in_tenant(scene.id):
        own = Group.objects.order_by("-number")[0]
        held = Group.objects.order_by("number")[0]
        trace, of_storm = stored.of_group(held), stored.of_group(own)
    assert outcome(trace) == ("nobody_storm", "storm_held")
    assert f"group #{own.number} speaks for all of them" in said(trace)
    assert [line.code for line in of_storm.of("crowd")] == ["storm_own"]
    assert of_storm.conclusion.code == "being_sent"


def test_what_flaps_says_since_when(scene, send):
    for number in range(7):
        send.prometheus(scene.id, over(number) if number % 2 else fire(number))
        engine()
    with in_tenant(scene.id):
        trace = stored.of_group(scene.group())
    assert [line.code for line in trace.of("crowd")] == ["flaps", "flap_began"]
