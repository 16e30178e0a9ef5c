"""Is this list of conditions readable?"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from alertcenter.alerts.matchers import MatcherError, parse

# Each is tried for each alert; a silence has fewer.
MOST_CONDITIONS = 100


def validate_matchers(value: object) -> None:
    """Raise ValidationError unless `value` is a list of conditions."""
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of conditions."))
    if len(value) > MOST_CONDITIONS:
        raise ValidationError(
            _("At most %(most)s conditions."), params={"most": MOST_CONDITIONS}
        )
    for item in value:
        try:
            parse(str(item))
        except MatcherError as error:
            raise ValidationError(
                explained(error), params={"condition": str(item)}
            ) from error


def explained(error: MatcherError) -> str:
    """Return in the reader's language what is wrong with `%(condition)s`."""
    if error.code == "too_long":
        return _("%(condition)s: the pattern is too long.")
    if error.code == "too_large":
        return _("%(condition)s: the pattern repeats too much.")
    if error.code == "pattern":
        return _(
            "%(condition)s: this pattern cannot be read. Look-around and "
            "back-references are not supported (RE2)."
        )
    return _('%(condition)s is not a condition such as severity="critical".')
