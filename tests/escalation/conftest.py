"""Fixtures of this room."""

from tests.escalation.scene import scene  # noqa: F401 - a fixture
