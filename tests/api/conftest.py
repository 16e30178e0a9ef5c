"""Who calls the API? Keys of acme and globex, committed for all threads to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from alertcenter.alerts import intake
from alertcenter.api import keys
from tenants import apikeys
from tenants.actors import THE_ENGINE
from tenants.rls import in_tenant
from tests.cast import Cast

Mint = Callable[..., str]


@pytest.fixture(scope="session")
def _threads(django_db_setup) -> Iterator[None]:
    """The writer and the lookups of a web process."""
    yield
    intake.stop()
    keys.stop()


@pytest.fixture(autouse=True)
def _nothing_remembered(_threads) -> Iterator[None]:
    keys.CACHE.clear()
    yield
    keys.CACHE.clear()


@pytest.fixture
def mint(transactional_db) -> Mint:
    """Return a function that makes a key and returns its plaintext."""

    def make(
        cast: Cast, *scopes: str, expires_at: datetime | None = None, name: str = "test"
    ) -> str:
        with in_tenant(cast.id):
            _row, plaintext = apikeys.mint(
                cast.id, name, scopes, actor=THE_ENGINE, expires_at=expires_at
            )
        return plaintext

    return make


@pytest.fixture
def key(mint: Mint, acme: Cast) -> str:
    """A key of acme that may send, read and act."""
    return mint(acme, "ingest", "read", "act")


@pytest.fixture
def foreign_key(mint: Mint, globex: Cast) -> str:
    """A key of globex with every scope."""
    return mint(globex, "ingest", "read", "act", "admin")
