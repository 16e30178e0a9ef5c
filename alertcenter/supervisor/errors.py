"""What does the operator read when a start cannot go on?"""

from __future__ import annotations


class StartError(Exception):
    """One clear sentence for the operator; `manage.py` exits 1 with it."""


class StopRequested(Exception):
    """Somebody asked to stop while the start was still under way."""
