"""How does a person choose a time zone? From all IANA names, by typing a part."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

SKIPPED = ("Etc/", "SystemV/", "US/", "posix", "right/", "localtime", "Factory")


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """Return the names people know; UTC first."""
    names = [
        name
        for name in available_timezones()
        if "/" in name and not name.startswith(SKIPPED)
    ]
    return ("UTC", *sorted(names))


class ZoneInput(forms.TextInput):
    """A text box that offers the names; works without script."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"list": "zones", "class": "vTextField"} | (attrs or {}))

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        options = format_html_join(
            "", '<option value="{}">', ((name,) for name in zone_names())
        )
        box = super().render(*args, **kwargs)
        return format_html('{}<datalist id="zones">{}</datalist>', box, options)


class TimeZoneChoices(forms.ModelForm):
    """Mix in: the field `time_zone` offers the names of zones."""

    asked_by: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "time_zone" in self.fields:
            self.fields["time_zone"].widget = ZoneInput()
