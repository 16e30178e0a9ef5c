"""Staging: production's rules on a host that may lack TLS of its own."""

from alertcenter.settings.production import *
