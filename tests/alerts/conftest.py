"""What do the tests of the heart share?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.alerts.old_rows import superuser
from tests.conftest import login_as


@pytest.fixture
def months(servers) -> Iterator[list[str]]:
    """Partitions of transition for two months of long ago."""
    made = {
        "transition_2020_01": ("2020-01-01", "2020-02-01"),
        "transition_2020_02": ("2020-02-01", "2020-03-01"),
    }
    with login_as("owner"), connection.cursor() as cursor:
        for name, (first, after) in made.items():
            bounds = f"FOR VALUES FROM ('{first} 00:00+00') TO ('{after} 00:00+00')"
            cursor.execute(
                "SELECT ac_create_partition('transition', %s, %s)", [name, bounds]
            )
    yield list(made)
    with superuser(servers) as cursor:
        for name in made:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")
