"""How is a local time written so that it is one moment, also where it comes twice?

Django's "T" and "e" are empty in such an hour, where nothing else tells the two apart.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format

MOMENT = "D j M, H:i"


def with_zone(local: datetime, pattern: str = MOMENT) -> str:
    """Return "Sun 25 Oct, 02:30 CEST"."""
    return f"{date_format(local, pattern)} {local.tzname()}"
