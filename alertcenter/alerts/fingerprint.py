"""How is an alert told from another, and named on the wire?

`dedup_key` is the identity; `fingerprint` is Prometheus' name for a label set
(common/model/signature.go): FNV-1a over 64 bits of the sorted labels, each name
and value followed by 0xFF.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

OFFSET = 14695981039346656037
PRIME = 1099511628211
MASK = (1 << 64) - 1
SEPARATOR = b"\xff"


def label_key(labels: Mapping[str, str]) -> str:
    """Return the dedup key of a label set: `l/` + blake2b-128 in hex."""
    text = "".join([f"{name}\0{labels[name]}\0" for name in sorted(labels)])
    return f"l/{digest(text)}"


def digest(text: str) -> str:
    """Return blake2b-128 of `text` in hex."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def named_key(scope: str, key: str) -> str:
    """Return the dedup key of a keyed source, unique within `scope`."""
    return f"k/{scope}/{key}"


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the Prometheus fingerprint as 16 lower-case hex digits."""
    return _fnv(tuple(sorted((k.encode(), v.encode()) for k, v in labels.items())))


@lru_cache(maxsize=20_000)
def _fnv(pairs: tuple[tuple[bytes, bytes], ...]) -> str:
    value = OFFSET
    for name, text in pairs:
        for byte in name + SEPARATOR + text + SEPARATOR:
            value = (value ^ byte) * PRIME & MASK
    return f"{value:016x}"
