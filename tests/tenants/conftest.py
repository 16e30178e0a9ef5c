"""Outsiders knock at the API too: its keys and threads."""

from tests.api.conftest import (  # noqa: F401 - fixtures
    _nothing_remembered,
    _threads,
    foreign_key,
    mint,
)
