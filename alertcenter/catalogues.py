"""Which texts are translated, and which are not yet? Extraction without gettext.

Python and templates of this project are read with Babel; Django's own `templatize`
turns templates into something Babel can read. Catalogues lie in
locale/<language>/LC_MESSAGES/django.po; `.mo` files are compiled at start.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from django.utils.translation.template import templatize

from alertcenter.settings.env import ROOT

ROOMS = ("alertcenter", "tenants", "notifications", "escalation", "templates")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
OPTIONS: Any = {"encoding": "utf-8"}


def extract() -> Catalog:
    """Return every text of ours that asks for a translation, with its places."""
    catalog = Catalog(project="AlertCenter", charset="utf-8")
    for path in sources():
        for line, function, messages in _extracted(path):
            spec = KEYWORDS[function]
            texts = messages if isinstance(messages, tuple) else (messages,)
            context = None
            if spec and isinstance(spec[0], tuple):
                context, texts = texts[0], texts[1:]
            plural = spec is not None and len(texts) >= 2 and "n" in function
            ident = (texts[0], texts[1]) if plural else texts[0]
            if texts[0]:
                place = (path.relative_to(ROOT).as_posix(), line)
                catalog.add(ident, context=context, locations=[place])
    return catalog


def sources() -> Iterator[Path]:
    """Yield the Python files and templates of the rooms."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            ours = path.suffix == ".py" and "migrations" not in path.parts
            page = path.suffix in (".html", ".txt") and "templates" in path.parts
            if ours or page:
                yield path


def _extracted(path: Path) -> Iterator[tuple[int, str, object]]:
    text = path.read_text()
    if path.suffix != ".py":
        if "{% " not in text:
            return
        text = templatize(text, origin=str(path))
    data = io.BytesIO(text.encode())
    for line, function, messages, _ in extract_python(data, KEYWORDS, (), OPTIONS):
        if function in KEYWORDS:
            yield line, function, messages


def path_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read_catalogue(language: str) -> Catalog:
    """Return the catalogue of `language`, empty when there is none."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="AlertCenter", charset="utf-8")
    with path.open("rb") as file:
        return pofile.read_po(file, locale=language)


def update(language: str) -> list[str]:
    """Bring the catalogue up to date with the sources; return what is missing."""
    catalog = read_catalogue(language)
    created = catalog.creation_date  # else every run would change the file
    catalog.update(extract(), no_fuzzy_matching=True, keep_user_comments=True)
    catalog.creation_date = created
    catalog.obsolete.clear()
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        pofile.write_po(file, catalog, width=88, sort_output=True, no_location=True)
    return missing(language)


def missing(language: str) -> list[str]:
    """Return the texts of the sources that `language` lacks."""
    known = read_catalogue(language)
    absent = []
    for message in extract():
        if not message.id:
            continue
        found = known.get(message.id, context=message.context)
        strings = found.string if found else ""
        complete = all(strings) if isinstance(strings, tuple | list) else bool(strings)
        if not complete or (found is not None and found.fuzzy):
            ident = message.id if isinstance(message.id, str) else message.id[0]
            absent.append(ident)
    return absent
