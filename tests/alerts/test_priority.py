"""How urgent is a group, and why? The pure decision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertcenter.alerts.priority import LARGE, Facts, decide


def level(severity, **facts):
    return decide(Facts(severity, **facts)).level


def codes(severity, **facts):
    return [(r.code, r.by) for r in decide(Facts(severity, **facts)).reasons]


@pytest.mark.parametrize(
    ("severity", "expected"), [(5, 2), (4, 3), (3, 4), (2, 5), (1, 5)]
)
def test_it_begins_with_the_severity(severity, expected):
    assert level(severity) == expected
    assert codes(severity) == [("severity", expected)]


def test_only_a_vital_service_or_a_minor_one_moves_it():
    assert [level(4, tier=tier) for tier in (1, 2, 3, 4)] == [2, 3, 3, 4]
    assert codes(5, tier=1) == [("severity", 2), ("tier", -1)]


def test_services_in_trouble_that_need_it_count_once_however_many():
    assert level(4, dependents=1) == level(4, dependents=40) == 2
    (_, why) = decide(Facts(4, dependents=40)).reasons
    assert (why.code, why.value) == ("dependents", 40)


def test_a_large_group_is_one_more_urgent():
    assert [level(3, firing=n) for n in (LARGE - 1, LARGE, 10_000)] == [4, 3, 3]
    assert decide(Facts(3, LARGE)) == decide(Facts(3, 10_000))  # one class of size


def test_a_storm_of_information_on_a_vital_service_stays_p4():
    found = decide(Facts(2, 10_000, tier=1, dependents=3))
    assert found.level == 4
    assert found.reasons[-1].code == "info"


@given(
    st.integers(1, 5),
    st.integers(0, 10**6),
    st.sampled_from([None, 1, 2, 3, 4]),
    st.integers(0, 500),
)
def test_the_level_is_the_sum_of_its_reasons_within_one_and_five(
    severity, firing, tier, dependents
):
    found = decide(Facts(severity, firing, tier, dependents))
    assert found.level == min(max(sum(r.by for r in found.reasons), 1), 5)
    assert all(set(one) == {"code", "value", "by"} for one in found.to_json())


@given(st.integers(1, 4), st.integers(0, 100), st.integers(0, 3))
def test_nothing_worse_makes_it_less_urgent(severity, firing, dependents):
    now = level(severity, firing=firing, dependents=dependents)
    assert level(severity + 1, firing=firing, dependents=dependents) <= now
    assert level(severity, firing=firing + 60, dependents=dependents) <= now
    assert level(severity, firing=firing, dependents=dependents + 1) <= now
