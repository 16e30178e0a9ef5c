"""Is this list of conditions readable?"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.alerts.matchers import MatcherError, parse


def validate_matchers(value: object) -> None:
    """Raise ValidationError unless `value` is a list of conditions."""
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of conditions."))
    for item in value:
        try:
            parse(str(item))
        except MatcherError as error:
            raise ValidationError(
                _("%(condition)s: %(error)s"),
                params={"condition": str(item), "error": str(error)},
            ) from error
