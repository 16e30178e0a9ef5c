"""Are the translations compiled? Done in Python: the machine may lack gettext."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

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
    """Replace in one step: a web process may be reading the old file.

    Several may compile at once, each into a file of its own; the last one stays.
    """
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parents[1].name)
    with NamedTemporaryFile(
        dir=source.parent, prefix=source.stem, suffix=".partial", delete=False
    ) as file:
        partial = Path(file.name)
    try:
        with partial.open("wb") as file:
            write_mo(file, catalogue)
        partial.chmod(source.stat().st_mode & 0o666 | 0o444)
        partial.replace(source.with_suffix(".mo"))
    finally:
        partial.unlink(missing_ok=True)
