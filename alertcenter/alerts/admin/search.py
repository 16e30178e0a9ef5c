"""How does a search box find alerts and groups among very many?

`name=value` asks the labels' index, `#12` the number, anything else the titles.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

LABEL = re.compile(r"^([A-Za-z_][\w.:/-]*)=(.+)$")
NUMBER = re.compile(r"^#?(\d{1,18})$")
MOST_WORDS = 6


def by_words(rows: QuerySet[Any], text: str, *, number: str = "") -> QuerySet[Any]:
    """Return the rows that every word of `text` finds.

    `number` is the column that `#12` asks; "" where there is none.
    """
    for word in text.split()[:MOST_WORDS]:
        rows = rows.filter(_condition(word, number))
    return rows


def _condition(word: str, number: str) -> Q:
    label = LABEL.match(word)
    if label:
        return Q(labels__contains={label[1]: label[2].strip('"')})
    found = NUMBER.match(word)
    if found and number:
        return Q(**{number: int(found[1])}) | Q(title__icontains=word)
    identity = as_uuid(word)
    if identity is not None:
        return Q(pk=identity)
    return Q(title__icontains=word)


def as_uuid(word: str) -> UUID | None:
    """Return the id that `word` writes, or None."""
    try:
        return UUID(word) if len(word) in (32, 36) else None
    except ValueError:
        return None
