"""Development: simulation on, readable errors, no TLS."""

from alertcenter.settings.base import *  # noqa: F403

DEBUG = env.flag("ALERTCENTER_DEBUG", False)  # noqa: F405
