"""What do the children write, how is it kept small, and what must be seen now?"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROTATE_AT_START = 10 * 1024 * 1024
CAP = 100 * 1024 * 1024
SHOWN_AT_ONCE = 20
LOUD = ("warning", "error", "critical")


def rotate(path: Path, limit: int = ROTATE_AT_START) -> None:
    """Keep one older generation; called before the child opens its log."""
    if path.exists() and path.stat().st_size > limit:
        path.replace(path.with_name(path.name + ".1"))


@dataclass
class Tail:
    """Follows one log and shows its warnings on standard error."""

    name: str
    path: Path
    offset: int = field(init=False)

    def __post_init__(self) -> None:
        self.offset = self.path.stat().st_size if self.path.exists() else 0

    def show(self) -> None:
        """Print warnings written since the last call, at most 20 of them."""
        loud = [line for line in self._fresh_lines() if is_loud(line)]
        for line in loud[:SHOWN_AT_ONCE]:
            print(f"{self.name}: {line}", file=sys.stderr)
        if len(loud) > SHOWN_AT_ONCE:
            more = len(loud) - SHOWN_AT_ONCE
            print(f"{self.name}: {more} more, see {self.path}", file=sys.stderr)
        self._keep_small()

    def _fresh_lines(self) -> list[str]:
        if not self.path.exists():
            return []
        if self.path.stat().st_size < self.offset:
            self.offset = 0
        with self.path.open("rb") as log:
            log.seek(self.offset)
            data = log.read(1024 * 1024)
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.decode(errors="replace").splitlines()

    def _keep_small(self) -> None:
        """Children append, so a copy followed by truncation loses them nothing more
        than the lines of that instant."""
        if self.path.exists() and self.path.stat().st_size > CAP:
            shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
            with self.path.open("r+b") as log:
                log.truncate(0)
            self.offset = 0


def is_loud(line: str) -> bool:
    """Tell whether a JSON log line is a warning or worse."""
    return str(parse(line).get("level", "")).lower() in LOUD


def last_words(path: Path) -> str:
    """Return what the last line of a log says, for an error sentence."""
    if not path.exists():
        return "no output"
    lines = path.read_text(errors="replace").strip().splitlines() or ["no output"]
    words = str(parse(lines[-1]).get("event") or lines[-1])
    return words[:300].rstrip(".")


def parse(line: str) -> dict[str, object]:
    """Return a JSON log line's keys; none for a line of any other kind."""
    try:
        found = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
