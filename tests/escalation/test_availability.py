"""When is it a person's business time, also on days on which clocks change?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from escalation import availability, holidays
from escalation.availability import Working, is_business, next_business
from escalation.holidays import HolidaysError
from escalation.hours import Span, parse
from escalation.models import Absence, Availability
from tenants.models import Member
from tenants.rls import in_tenant

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = parse(
    [{"days": ["mon", "tue", "wed", "thu", "fri"], "begins": "09:00", "ends": "17:00"}]
)
NIGHTS = parse([{"begins": "22:00", "ends": "06:00"}])


def at(text: str) -> datetime:
    """Return a moment by the wall clock of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def test_hours_are_those_of_the_persons_clock():
    bob = Working(BERLIN, OFFICE)
    assert not is_business(bob, at("2026-11-20 08:59:59"))
    assert is_business(bob, at("2026-11-20 09:00"))
    assert is_business(bob, at("2026-11-20 16:59:59"))
    assert not is_business(bob, at("2026-11-20 17:00"))
    assert next_business(bob, at("2026-11-20 12:00")) == at("2026-11-20 12:00")
    assert next_business(bob, at("2026-11-20 17:00")) == at("2026-11-23 09:00")


def test_the_monday_after_a_change_of_clocks_begins_at_nine():
    bob = Working(BERLIN, OFFICE)
    for friday, monday, offset in (
        ("2026-10-23 18:00", "2026-10-26 09:00", 1),
        ("2027-03-26 18:00", "2027-03-29 09:00", 2),
    ):
        found = next_business(bob, at(friday))
        assert found == at(monday)
        assert found.astimezone(BERLIN).utcoffset() == timedelta(hours=offset)


def test_a_night_over_a_change_of_clocks_is_an_hour_longer_or_shorter():
    bob = Working(BERLIN, NIGHTS)
    for evening, length in (("2026-10-24", 9), ("2027-03-27", 7), ("2026-11-01", 8)):
        begin = at(f"{evening} 22:00")
        (span, *_rest) = availability.business_spans(
            bob, Span(begin, begin + timedelta(hours=12))
        )
        assert span.ends_at - span.starts_at == timedelta(hours=length)


def test_holidays_and_absences_are_no_business_time():
    days = holidays.of_year("DE", "BY", 2026) | holidays.of_year("DE", "BY", 2027)
    bob = Working(
        BERLIN,
        OFFICE,
        days,
        [Span(at("2027-01-04 00:00"), at("2027-01-05 10:00"))],
    )
    # Christmas and New Year are Fridays, he is away on Monday, Epiphany is a Wednesday.
    assert next_business(bob, at("2026-12-24 17:00")) == at("2026-12-28 09:00")
    assert next_business(bob, at("2026-12-31 17:00")) == at("2027-01-05 10:00")
    assert next_business(bob, at("2027-01-05 17:00")) == at("2027-01-07 09:00")


def test_who_wrote_no_hours_works_at_any_and_who_is_away_for_ever_never():
    assert is_business(Working(BERLIN), at("2026-11-22 03:00"))
    away = [Span(at("2026-01-01 00:00"), at("2030-01-01 00:00"))]
    assert (
        next_business(Working(BERLIN, OFFICE, (), away), at("2026-11-20 12:00")) is None
    )


@pytest.mark.django_db
def test_the_database_says_the_same(acme):
    with in_tenant(acme.id):
        Member.objects.filter(pk=acme.members["bob"].pk).update(
            time_zone="Europe/Berlin"
        )
        bob = Member.objects.get(pk=acme.members["bob"].pk)
        assert availability.is_business_time(bob, at("2026-11-22 03:00"))
        Availability.objects.create(
            tenant_id=acme.id,
            member=bob,
            hours=[{"days": ["mon", "fri"], "begins": "09:00", "ends": "17:00"}],
            holiday_country="DE",
        )
        Absence.objects.create(
            tenant_id=acme.id,
            member=bob,
            starts_at=at("2026-12-28 00:00"),
            ends_at=at("2026-12-28 12:00"),
        )
        assert availability.is_business_time(bob, at("2026-12-21 10:00"))
        assert not availability.is_business_time(bob, at("2026-12-25 10:00"))
        assert not availability.is_business_time(bob, at("2026-12-28 11:00"))
        found = availability.next_business_time(bob, at("2026-12-25 10:00"))
        assert found == at("2026-12-28 12:00")


# --- holidays ---


def test_holidays_have_names_in_the_readers_language_or_the_next_best():
    new_year = date(2026, 1, 1)
    assert holidays.named("DE", "", 2026, "de")[new_year] == "Neujahr"
    assert holidays.named("DE", "", 2026, "de-at")[new_year] == "Neujahr"
    assert holidays.named("DE", "", 2026, "sw")[new_year] == "New Year's Day"
    assert holidays.named("FR", "", 2026, "fr")[date(2026, 7, 14)] == "Fête nationale"
    assert date(2026, 1, 6) in holidays.named("DE", "BY", 2026, "en")
    assert date(2026, 1, 6) not in holidays.named("DE", "BE", 2026, "en")
    assert holidays.named("", "", 2026, "en") == {}
    for country, region in (("ZZ", ""), ("DE", "ZZ")):
        with pytest.raises(HolidaysError):
            holidays.named(country, region, 2026, "en")


def test_countries_are_named_in_the_readers_language():
    assert dict(holidays.countries("fr"))["DE"] == "Allemagne"
    assert dict(holidays.countries("zh-hans"))["DE"] == "德国"
    assert "BY" in holidays.regions()["DE"]
