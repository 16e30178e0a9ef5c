"""Which forms and fields do the tenant-scoped admins use?"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from tenants.access import Membership

DIVIDER = "="
UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
DURATION = re.compile(r"\s*(?:(\d{1,9})\s*([wdhms]?)\s*)+")
PART = re.compile(r"(\d+)\s*([wdhms]?)")


class TenantForm(forms.ModelForm):
    """A form whose row belongs to the current tenant before it is validated.

    So uniqueness inside the tenant is checked here and not met as a database error.
    """

    membership: ClassVar[Membership]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.instance.tenant_id = self.membership.tenant_id

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"tenant"}

    def _update_errors(self, errors: ValidationError) -> None:
        """Show "exists already" at the field that a person can change."""
        if hasattr(errors, "error_dict"):
            place_unique_errors(errors.error_dict, set(self.fields))
        super()._update_errors(errors)  # type: ignore[misc]


def place_unique_errors(errors: dict[str, list[Any]], fields: set[str]) -> None:
    """Move the errors of "tenant and x" from the form to its field x."""
    kept = []
    for error in errors.pop(NON_FIELD_ERRORS, []):
        checked = (error.params or {}).get("unique_check", ())
        names = [name for name in checked if name in fields]
        if error.code == "unique_together" and names:
            taken = ValidationError(_("This one exists already."), code="unique")
            errors.setdefault(names[-1], []).append(taken)
        else:
            kept.append(error)
    if kept:
        errors[NON_FIELD_ERRORS] = kept


def without_nulls(text: str) -> str:
    """Return `text`. Raises ValidationError for what PostgreSQL cannot store.

    Django's own look at null characters sees the list or mapping that was read, in
    whose words they are escaped.
    """
    ProhibitNullCharactersValidator()(text)
    return text


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4, "class": "lines"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = without_nulls(super().to_python(value) or "")
        return [line.strip() for line in text.splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class PairsField(forms.CharField):
    """A mapping of text to text, one `name=value` a line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": 4, "class": "lines"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{name}{DIVIDER}{text}" for name, text in value.items())

    def to_python(self, value: Any) -> Any:
        pairs = {}
        for line in without_nulls(super().to_python(value) or "").splitlines():
            if not line.strip():
                continue
            name, divider, text = line.partition(DIVIDER)
            if not divider or not name.strip():
                raise ValidationError(
                    _("%(line)s: write name=value."), params={"line": line.strip()}
                )
            pairs[name.strip()] = text.strip()
        return pairs

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.to_python(data))
        except ValidationError:
            return True


class SecondsField(forms.CharField):
    """A number of seconds, written as people write durations: 90, 30s, 1h30m, 2d."""

    def __init__(self, *, least: int = 0, most: int = 366 * 86_400, **kwargs: Any):
        self.least, self.most = least, most
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "vDuration"}))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return in_units(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        if not DURATION.fullmatch(text):
            raise ValidationError(
                _("%(text)s is no duration such as 30s, 5m or 1h30m."),
                params={"text": text},
            )
        seconds = sum(int(n) * UNITS[unit or "s"] for n, unit in PART.findall(text))
        if not self.least <= seconds <= self.most:
            raise ValidationError(
                _("Give a duration between %(least)s and %(most)s."),
                params={"least": in_units(self.least), "most": in_units(self.most)},
            )
        return seconds

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(initial != self.to_python(data))
        except ValidationError:
            return True


def in_units(seconds: int) -> str:
    """Return 5400 as "1h30m", 0 as "0s"."""
    parts = []
    for unit, size in UNITS.items():
        if unit == "w" and seconds % size:
            continue  # ten days, not one week and three days
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return "".join(parts) or "0s"


class WriteOnlyField(forms.CharField):
    """A secret: never shown; left empty it stays as it is."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs["widget"] = forms.PasswordInput(
            render_value=False,
            attrs={"autocomplete": "new-password", "class": "vTextField"},
        )
        super().__init__(**kwargs)
