"""Does the interface speak French and German completely?"""

from __future__ import annotations

import re
import shutil
from gettext import GNUTranslations
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from django.conf import settings

from alertcenter import catalogues
from alertcenter.settings.env import ROOT
from alertcenter.supervisor.catalogues import compile_catalogues

LANGUAGES = ("fr", "de")
# %(name)s and %s, {name} and {}, and the tags that texts of ours may hold.
PLACEHOLDER = re.compile(
    r"%\(\w+\)[a-z]|%[a-z%]|\{\w*\}|</?(?:a|b|br|code|em|i|p|strong)\b[^>]*>"
)


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def catalogue(language: str) -> Catalog:
    return catalogues.read_catalogue(language)


def test_nothing_is_missing(language: str):
    assert catalogues.missing(language) == []


def test_nothing_is_doubtful(catalogue: Catalog):
    assert not [message.id for message in texts(catalogue) if message.fuzzy]
    assert not catalogue.obsolete


def test_placeholders_are_those_of_the_source(catalogue: Catalog):
    wrong = {
        (message.id, string)
        for message in texts(catalogue)
        for string in strings(message)
        if string
        and not any(
            placeholders(string) == placeholders(source) for source in sources(message)
        )
    }
    assert not wrong


def test_edges_and_line_breaks_are_those_of_the_source(catalogue: Catalog):
    wrong = [
        (message.id, string)
        for message in texts(catalogue)
        for source, string in zip(sources(message), strings(message), strict=True)
        if edges(source) != edges(string) or source.count("\n") != string.count("\n")
    ]
    assert not wrong


def test_every_plural_form_is_there(catalogue: Catalog):
    plurals = [message for message in texts(catalogue) if message.pluralizable]
    assert plurals
    for message in plurals:
        assert len(strings(message)) == catalogue.num_plurals == 2
        assert all(strings(message)), message.id


def test_catalogues_compile(tmp_path: Path, language: str, catalogue: Catalog):
    folder = tmp_path / language / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(catalogues.path_of(language), folder)
    assert compile_catalogues(tmp_path) == [folder / "django.mo"]
    with (folder / "django.mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in texts(catalogue):
        if isinstance(message.id, str) and message.context is None:
            assert compiled.gettext(message.id) == (message.string or message.id)


def test_every_language_of_the_interface_has_a_catalogue():
    found = {path.parents[1].name for path in ROOT.glob("locale/*/LC_MESSAGES/*.po")}
    assert found == set(LANGUAGES)
    assert {"en", *found} == set(dict(settings.LANGUAGES))


def texts(catalogue: Catalog) -> list[Message]:
    """Return the messages without the header."""
    return [message for message in catalogue if message.id]


def sources(message: Message) -> tuple[str, ...]:
    """Return the source text, or its singular and its plural."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def strings(message: Message) -> tuple[str, ...]:
    """Return the translation, or one for each plural form."""
    found = message.string
    return (found,) if isinstance(found, str) else tuple(found or ())


def placeholders(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def edges(text: str) -> tuple[str, str]:
    """Return the blanks before and after a text."""
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
