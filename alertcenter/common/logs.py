"""In which shape does every process log? One JSON object a line."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

from alertcenter.common import tracing

# Of the addresses of a heartbeat (api/heartbeats.py), of a calendar (api/calendar.py),
# of the page of who is on call, and of links in messages (notifications/signing.py),
# which Django names when it says no.
TOKEN = re.compile(
    r"(/h/)[0-9A-Fa-f]{8,}|(/[auo]/|/on-call/)[A-Za-z0-9_-]{20,}"
    r"|(/calendar/)[A-Za-z0-9_-]{8,}"
)
# Given by `extra={...}`; each appears only where it is known.
CONTEXT_KEYS = ("tenant", "group", "delivery", "job", "due_step", "error")
QUIET = {
    "celery.worker.strategy": logging.WARNING,  # one line a task received
    "celery.app.trace": logging.WARNING,  # one line a task done
    "httpx": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "django.channels.server": logging.WARNING,
    "asyncio": logging.WARNING,
}
# A key that stands in an address: Django writes the paths of what it refuses.
SECRET_IN_PATH = re.compile(
    r"(/victorops/integrations/generic/20131114/alert/|/in/[^/\s]+/)[^/\s]+"
)


class JsonFormatter(logging.Formatter):
    """Keys: time, level, event, logger, correlation_id, and CONTEXT_KEYS."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": without_tokens(record.getMessage()),
            "logger": record.name,
        }
        line |= _context(record)
        if record.exc_info:
            line["exception"] = without_tokens(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


def without_tokens(text: str) -> str:
    """Return `text` without what stands in addresses and is as good as a password."""
    return SECRET_IN_PATH.sub(r"\1…", TOKEN.sub(r"\1\2\3…", text))


def _context(record: logging.LogRecord) -> dict[str, str]:
    correlation_id = getattr(record, "correlation_id", "") or tracing.current()
    values = {"correlation_id": correlation_id}
    values |= {key: getattr(record, key, None) for key in CONTEXT_KEYS}
    return {key: str(value) for key, value in values.items() if value not in (None, "")}


class _StandardError(logging.StreamHandler[Any]):
    """Writes to whatever sys.stderr is now: Celery's pool replaces it."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(level: int = logging.INFO) -> None:
    """Send everything to standard error as JSON; safe to call twice."""
    handler = _StandardError()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    logging.captureWarnings(True)
