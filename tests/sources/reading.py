"""What does an adapter make of a payload? For the tests of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alertcenter.alerts.events import Event
from alertcenter.alerts.sources.adapter import Incoming
from alertcenter.alerts.sources.registry import adapters

PAYLOADS = Path(__file__).parents[1] / "payloads"


def payload(source: str, case: str) -> Any:
    """Return tests/payloads/<source>/<case>.json."""
    return json.loads((PAYLOADS / source / f"{case}.json").read_text())


def events(source: str, data: Any, **headers: str) -> list[Event]:
    """Return the events of `data`; `x_git_event="a"` is the header x-git-event."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return list(adapters()[source].read(Incoming(data, named)))


def event(source: str, data: Any, **headers: str) -> Event:
    """Return the only event of `data`."""
    (found,) = events(source, data, **headers)
    return found


def read(source: str, case: str, **headers: str) -> Event:
    """Return the only event of tests/payloads/<source>/<case>.json."""
    return event(source, payload(source, case), **headers)
