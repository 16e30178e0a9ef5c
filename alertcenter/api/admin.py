"""Which pages does this room add to the admin? Django finds them by this module."""

from alertcenter.api import slack_admin

__all__ = ["slack_admin"]
