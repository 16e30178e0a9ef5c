"""Who may send a delivery now?"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Lease:
    """The right to send one delivery until `LEASE` has passed.

    `attempts` counts this one. `lost`: whoever had it before did not finish.
    """

    id: UUID
    tenant_id: UUID
    fence: int
    attempts: int
    doubts: int
    lost: bool
    kind: str
    channel_kind: str
    channel_id: UUID | None
    correlation_id: str
    destination: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether it may have arrived already."""
        return self.lost or self.doubts > 0
