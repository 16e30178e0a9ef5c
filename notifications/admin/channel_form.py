"""Which fields does a kind of channel ask for? One for each setting of its SPEC.

Secrets are written and never read: empty, the stored one stays.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.channels.base import Setting, Spec
from notifications.channels.registry import channels
from notifications.models import Channel
from tenants.admin_forms import LinesField, TenantForm, WriteOnlyField
from tenants.fields import reveal

LONGEST_TEXT, LONGEST_TALE = 2_000, 20_000
HIGHEST_NUMBER = 1_000_000
KEPT = gettext_lazy("Empty: the stored one stays.")


class ChannelForm(TenantForm):
    """What all channels have; `form_of` adds the settings of one kind."""

    spec: ClassVar[Spec | None] = None

    class Meta:
        model = Channel
        fields = ("kind", "name", "slug", "language", "fallback", "active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("Empty: made from the name.")
        if "fallback" in self.fields:
            rows = Channel.objects.filter(tenant_id=self.instance.tenant_id)
            others = rows.exclude(pk=self.instance.pk)
            self.fields["fallback"].queryset = others  # type: ignore[attr-defined]
        for setting in self.asked():
            if not setting.secret and setting.name in self.instance.settings:
                value = self.instance.settings[setting.name]
                self.initial.setdefault(setting.name, value)

    def asked(self) -> tuple[Setting, ...]:
        return self.spec.settings if self.spec else ()

    def clean_slug(self) -> str:
        given: str = self.cleaned_data.get("slug") or ""
        return given or slugify(self.cleaned_data.get("name", ""))[:63]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.spec is None:
            return cleaned
        for setting in self.asked():
            if setting.name in cleaned:
                self.check_one(setting, cleaned)
        held = stored_secrets(self.instance)
        given = cleaned | {"stored": dict(self.instance.settings)}
        for name, sentence in self.spec.check(given, held).items():
            if name not in self.errors:
                self.add_error(name, sentence)
        self.check_fallback(cleaned)
        return cleaned

    def check_one(self, setting: Setting, cleaned: dict[str, Any]) -> None:
        value = cleaned[setting.name]
        if setting.check is None or value in ("", None, []):
            return
        try:
            cleaned[setting.name] = setting.check(value)
        except ValidationError as error:
            self.add_error(setting.name, error)

    def check_fallback(self, cleaned: dict[str, Any]) -> None:
        """What cannot be delivered must not go round in a circle."""
        following, seen = cleaned.get("fallback"), {self.instance.pk}
        while following is not None:
            if following.pk in seen:
                self.add_error("fallback", _("This leads back to the channel itself."))
                return
            seen.add(following.pk)
            following = following.fallback

    def save(self, commit: bool = True) -> Any:
        made_up: tuple[dict[str, Any], dict[str, str]] = ({}, {})
        if self.spec and settings.SIMULATION:
            made_up = self.spec.made_up(self.instance.pk)
        given = {
            s.name: self.cleaned_data[s.name] for s in self.asked() if not s.secret
        }
        known = self.instance.settings | given
        missing = {n: v for n, v in made_up[0].items() if not known.get(n)}
        self.instance.settings = known | missing
        held = stored_secrets(self.instance)
        told = {s.name: self.cleaned_data.get(s.name) for s in self.asked() if s.secret}
        wanted = made_up[1] | held | {n: v for n, v in told.items() if v}
        if wanted != held:
            self.instance.secret = json.dumps(wanted)
        return super().save(commit)


def form_of(kind: str) -> type[ChannelForm]:
    """Return the form of a kind; of an unknown one, that with nothing of its own."""
    module = channels().get(kind)
    if module is None:
        return ChannelForm
    fields: dict[str, Any] = {s.name: field_of(s) for s in module.SPEC.settings}
    made: type[ChannelForm] = type(
        "ChannelForm", (ChannelForm,), fields | {"spec": module.SPEC}
    )
    return made


def field_of(setting: Setting) -> forms.Field:
    """Return the form field of one setting."""
    common = {
        "label": setting.label,
        "help_text": setting.help,
        "required": setting.required,
        "initial": setting.default,
    }
    if setting.secret:
        known = format_lazy("{} {}", setting.help, KEPT) if setting.help else KEPT
        return WriteOnlyField(label=setting.label, help_text=known)
    if setting.kind == "flag":
        return forms.BooleanField(**common | {"required": False})
    if setting.kind == "lines":
        return LinesField(**common)
    if setting.kind == "number":
        return forms.IntegerField(**common, min_value=0, max_value=HIGHEST_NUMBER)
    if setting.kind == "choice":
        return forms.ChoiceField(**common, choices=setting.choices)
    if setting.kind == "long":
        area = forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField"})
        return forms.CharField(**common, max_length=LONGEST_TALE, widget=area)
    line = forms.TextInput(attrs={"class": "vTextField"})
    return forms.CharField(**common, max_length=LONGEST_TEXT, widget=line)


def stored_secrets(channel: Channel) -> dict[str, str]:
    """Return the secrets that the row holds (needs the tenant's context)."""
    if not channel.secret:
        return {}
    stored: dict[str, str] = json.loads(reveal(channel, "secret") or "{}")
    return stored
