"""Development: simulation on, readable errors, no TLS."""

from alertcenter.settings.base import *

DEBUG = env.flag("ALERTCENTER_DEBUG", False)
