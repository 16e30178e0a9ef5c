"""Settings by environment; `module()` names the one this process uses."""

from __future__ import annotations

from alertcenter.settings.env import read

MODULES = {
    "development": "alertcenter.settings.dev",
    "staging": "alertcenter.settings.staging",
    "production": "alertcenter.settings.production",
    "test": "alertcenter.settings.test",
}


def module() -> str:
    """Return the settings module of ALERTCENTER_ENV."""
    return MODULES[read().environment]
