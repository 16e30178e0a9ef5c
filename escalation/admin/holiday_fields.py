"""How does a person choose whose holidays count? By country, and by its region."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from escalation import holidays

MOST_SHOWN = 60


class HolidayChoices(forms.ModelForm):
    """Mix in: country and region are such as the library knows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "holiday_country" in self.fields:
            known = holidays.countries(get_language() or "en")
            self.fields["holiday_country"] = forms.ChoiceField(
                label=self.fields["holiday_country"].label,
                required=False,
                choices=[("", "–"), *known],
            )
        if "holiday_subdivision" in self.fields:
            self.fields["holiday_subdivision"].help_text = _(
                "The region's code, such as BY or CA; empty for holidays of the whole "
                "country."
            )

    def clean_holiday_subdivision(self) -> str:
        given: str = (self.cleaned_data.get("holiday_subdivision") or "").strip()
        country = self.cleaned_data.get("holiday_country") or ""
        if not given:
            return ""
        if not country:
            raise forms.ValidationError(_("Choose the country too."))
        known = holidays.regions().get(country, ())
        by_name = {code.casefold(): code for code in known}
        if given.casefold() in by_name:
            return by_name[given.casefold()]
        if not known:
            raise forms.ValidationError(_("No regions of this country are known."))
        raise forms.ValidationError(
            _("“%(region)s” is not known. Known are: %(known)s"),
            params={"region": given, "known": ", ".join(known[:MOST_SHOWN])},
        )
