"""Are the translations compiled? Done in Python: the machine may lack gettext."""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalogues(locale: Path) -> list[Path]:
    """Write each `.mo` that is older than its `.po`; return those written.

    Raises OSError where the folder is read-only.
    """
    stale = [
        path for path in sorted(locale.glob("*/LC_MESSAGES/*.po")) if _is_stale(path)
    ]
    for source in stale:
        _compile(source)
    return [path.with_suffix(".mo") for path in stale]


def _is_stale(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime


def _compile(source: Path) -> None:
    """Replace in one step: a web process may be reading the old file."""
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parents[1].name)
    partial = source.with_suffix(".mo.partial")
    with partial.open("wb") as file:
        write_mo(file, catalogue)
    partial.replace(source.with_suffix(".mo"))
