"""Is this installation safe to start?"""

from __future__ import annotations
