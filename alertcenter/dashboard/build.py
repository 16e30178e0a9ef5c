"""Which build is this? A hash of the screen's own files, so that old tabs reload."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

STATIC = Path(__file__).resolve().parents[1] / "static" / "dashboard"


@lru_cache(maxsize=1)
def build_hash() -> str:
    """Return twelve hex digits that change with any of the screen's files."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
