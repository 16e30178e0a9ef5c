"""Can a request be found in the log by the id that its sender gave it?"""

from __future__ import annotations

import json
import logging

import pytest

from alertcenter.common.logs import JsonFormatter
from tests.api.client import bearer, post

pytestmark = pytest.mark.django_db(transaction=True)


class Lines(logging.Handler):
    """What the process would have written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, str]] = []
        self.setFormatter(JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(json.loads(self.format(record)))


@pytest.mark.parametrize("path", ["events", "alerts"])
def test_events_leave_a_line_with_their_correlation_id(path, key, acme):
    lines = Lines()
    log = logging.getLogger("alertcenter.api.ingest")
    level = log.level
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        body = {"title": "A"}
        named = {"X-Correlation-Id": "walk-7"}
        post(f"/t/acme/api/v1/{path}", body, **bearer(key), **named)
    finally:
        log.removeHandler(lines)
        log.setLevel(level)
    (line,) = lines.written
    assert line["correlation_id"] == "walk-7"
    assert line["tenant"] == str(acme.id)
    assert "1 accepted" in line["event"]
