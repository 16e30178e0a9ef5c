"""Bring the translation catalogues up to date and say what they lack."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from alertcenter import catalogues


class Command(BaseCommand):
    """`manage.py catalogues`: after changing a text, before translating it."""

    help = "Extract texts into locale/*/LC_MESSAGES/django.po (needs no gettext)."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for language, _ in settings.LANGUAGES:
            if language == "en":
                continue
            absent = catalogues.update(language)
            self.stdout.write(f"{language}: {len(absent)} texts to translate")
