"""How often may somebody try a password? A few times; then he waits.

Counted by account and address together, and by address alone: whoever guesses does not
lock the owner of the account out, who sits elsewhere. Each process counts for itself.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from alertcenter.common.buckets import Buckets
from alertcenter.common.http import client_address

TRIES = Buckets(rate=1 / 30, burst=8)  # of one account from one address
TRIES_OF_ADDRESS = Buckets(rate=1 / 3, burst=60)  # an office may share one


class Patience(AuthenticationForm):
    """Refuses to look at a password when too many were wrong just now."""

    def clean(self) -> Any:
        address = self._address()
        account = (address, str(self.cleaned_data.get("username", "")).casefold())
        wait = max(TRIES.wait(account), TRIES_OF_ADDRESS.wait(address))
        if wait:
            raise too_often(int(wait) + 1)
        try:
            return super().clean()
        except ValidationError:
            TRIES.take(account)
            TRIES_OF_ADDRESS.take(address)
            raise

    def _address(self) -> str:
        given = self.request.META if self.request else {}
        return client_address(
            given.get("REMOTE_ADDR", ""),
            [given.get("HTTP_X_FORWARDED_FOR", "")],
            settings.TRUSTED_PROXIES,
        )


class AdminPatience(Patience, AdminAuthenticationForm):
    """The same at the admin's door."""


def too_often(seconds: int) -> ValidationError:
    """Return what the person is told."""
    return ValidationError(
        ngettext(
            "Too many wrong attempts. Please try again in %(seconds)s second.",
            "Too many wrong attempts. Please try again in %(seconds)s seconds.",
            seconds,
        ),
        code="too_often",
        params={"seconds": seconds},
    )
