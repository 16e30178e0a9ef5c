"""Which days are holidays somewhere?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache


class HolidaysError(ValueError):
    """A country or region that the library `holidays` does not know."""


@lru_cache(maxsize=500)
def of_year(country: str, subdivision: str, year: int) -> frozenset[date]:
    """Return the public holidays of a country (ISO 3166-1), or of its region.

    Raises HolidaysError.
    """
    # Takes 0.16 s to load, and most processes never ask.
    import holidays

    try:
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=year
        )
    except NotImplementedError as error:
        raise HolidaysError(str(error)) from error
    return frozenset(found)


def of_years(country: str, subdivision: str, years: Iterable[int]) -> frozenset[date]:
    """Return the holidays of several years; none without a country, and none where
    the library has ceased to know the country."""
    if not country:
        return frozenset()
    try:
        return frozenset().union(*(of_year(country, subdivision, y) for y in years))
    except HolidaysError:
        return frozenset()
