"""Which days are holidays somewhere?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache


class HolidaysError(ValueError):
    """A country or region that the library `holidays` does not know: it says so by
    NotImplementedError."""


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


@lru_cache(maxsize=500)
def _named(country: str, subdivision: str, year: int, language: str) -> dict[date, str]:
    import holidays

    try:
        known = holidays.country_holidays(country, subdiv=subdivision or None)
        wanted = language.replace("-", "_")
        choices = [wanted, wanted.partition("_")[0], "en_US", "en"]
        spoken = next((c for c in choices if c in known.supported_languages), None)
        found = holidays.country_holidays(
            country, subdiv=subdivision or None, years=year, language=spoken
        )
    except NotImplementedError as error:
        raise HolidaysError(str(error)) from error
    return {day: str(name) for day, name in sorted(found.items())}


def named(country: str, subdivision: str, year: int, language: str) -> dict[date, str]:
    """Return the holidays of a year with their names: in this language where the
    library knows them in it, else in English, else in the country's own.

    Raises HolidaysError.
    """
    return dict(_named(country, subdivision, year, language)) if country else {}


@lru_cache(maxsize=1)
def regions() -> dict[str, tuple[str, ...]]:
    """Return the known countries (ISO 3166-1) with their regions' codes."""
    import holidays

    found = holidays.list_supported_countries(include_aliases=False)
    return {country: tuple(codes) for country, codes in sorted(found.items())}


def region(country: str, subdivision: str) -> tuple[str, str]:
    """Return a country and its region by their codes, in any case, as the library
    writes them; ("", "") for none. Raises HolidaysError."""
    if not country:
        if subdivision:
            raise HolidaysError(subdivision)
        return "", ""
    codes = regions().get(country.upper())
    if codes is None:
        raise HolidaysError(country)
    by_name = {code.casefold(): code for code in codes} | {"": ""}
    if subdivision.casefold() not in by_name:
        raise HolidaysError(subdivision)
    return country.upper(), by_name[subdivision.casefold()]


def countries(language: str) -> list[tuple[str, str]]:
    """Return (code, name) of the known countries, by their names in a language."""
    from babel import Locale, UnknownLocaleError

    try:
        names = Locale.parse(language.replace("-", "_")).territories
    except (UnknownLocaleError, ValueError):
        names = Locale("en").territories
    found = [(code, str(names.get(code, code))) for code in regions()]
    return sorted(found, key=lambda pair: pair[1].casefold())
