"""Fixtures of this room."""

from tests.escalation.playing import play  # noqa: F401 - a fixture
from tests.escalation.scene import scene  # noqa: F401 - a fixture
