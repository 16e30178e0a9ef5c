"""What may a step be told, and how is it read?

A field is read the same wherever it comes from (admin, API, an import): the values of
`params` are plain JSON. Kinds choose from the fields below, so that one name means one
thing in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from alertcenter.alerts import severity
from escalation import hours
from escalation.hours import DAY_NAMES, HoursError
from tenants.timezones import validate_time_zone

# These are columns of a step; all others are in its params.
COLUMNS = ("channel", "member", "schedule", "wait_seconds")
MOST_MEMBERS = 50
MOST_ROUNDS = 10
LONGEST_WAIT = 30 * 24 * 3600
GO_ON, WAIT_FOR = "go on", "wait"
WAIT, SKIP, STOP = "wait", "skip", "stop"


@dataclass(frozen=True)
class Field:
    """One thing a step may be told.

    `kind`: column | members | team | policy | severity | choice | number | text |
    days | clock | zone.
    """

    name: str
    label: Any
    kind: str
    required: bool = True
    default: Any = None
    least: int = 0
    most: int = 0
    choices: tuple[tuple[str, Any], ...] = ()
    help: Any = ""

    def read(self, value: Any) -> Any:
        """Return the value as it is stored. Raises ValidationError."""
        return READERS[self.kind](self, value)


CHANNEL = Field("channel", _("channel"), "column")
MEMBER = Field("member", _("member"), "column")
SCHEDULE = Field("schedule", _("schedule"), "column")
SECONDS = Field("wait_seconds", _("wait (seconds)"), "column")
MEMBERS = Field("members", _("members"), "members")
TEAM = Field("team", _("team"), "team")
POLICY = Field("policy", _("policy"), "policy")
LABEL = Field(
    "label",
    _("label that names the skill"),
    "text",
    default="skill",
    most=100,
    help=_("The label's value is one skill, or several with commas."),
)
SEVERITY = Field("severity", _("severity"), "severity")
COUNT = Field("count", _("at least"), "number", least=1, most=1_000_000)
MINUTES = Field(
    "minutes", _("in the last minutes"), "number", default=5, least=1, most=1440
)
TIMES = Field("times", _("times"), "number", default=1, least=1, most=MOST_ROUNDS)
AGAIN = Field(
    "again_seconds",
    _("again after (seconds)"),
    "number",
    default=300,
    least=60,
    most=LONGEST_WAIT,
)
NOBODY = Field(
    "nobody",
    _("if nobody is on call"),
    "choice",
    default=GO_ON,
    choices=(
        (GO_ON, _("go on at once")),
        (WAIT_FOR, _("wait until somebody is")),
    ),
)
OTHERWISE = Field(
    "otherwise",
    _("otherwise"),
    "choice",
    default=SKIP,
    choices=(
        (SKIP, _("skip the next step")),
        (WAIT, _("wait until it does")),
        (STOP, _("end here")),
    ),
)
DAYS = Field("days", _("days"), "days", default=list(DAY_NAMES))
BEGINS = Field("begins", _("from"), "clock", default="09:00")
ENDS = Field("ends", _("until"), "clock", default="17:00")
ZONE = Field("time_zone", _("time zone"), "zone", default="UTC")
HOOK = Field("hook", _("what runs"), "text", default="webhook", most=50)
SETTLE = Field(
    "settle_seconds",
    _("time to work (seconds)"),
    "number",
    default=60,
    least=1,
    most=LONGEST_WAIT,
)


def optional(field: Field) -> Field:
    """Return the field as one that may be left out."""
    return replace(field, required=False)


def wrong(name: str, message: Any) -> ValidationError:
    """Return the error for one field."""
    return ValidationError({name: message})


def _fail(message: Any, **params: Any) -> ValidationError:
    return ValidationError(message, params=params)


def _uuid(value: Any) -> str:
    try:
        return str(UUID(str(getattr(value, "pk", value))))
    except ValueError as error:
        raise _fail(_("This is no id.")) from error


def _members(field: Field, value: Any) -> list[str]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise _fail(_("Give a list of members."))
    found = list(dict.fromkeys(_uuid(one) for one in value))
    if field.required and not found:
        raise _fail(_("Choose at least one member."))
    if len(found) > MOST_MEMBERS:
        raise _fail(_("No more than %(n)s members."), n=MOST_MEMBERS)
    return found


def _severity(_field: Field, value: Any) -> int:
    if isinstance(value, str) and value.lower() in severity.WORDS:
        return severity.parse(value)
    try:
        found = int(value)
    except (TypeError, ValueError):
        found = 0
    if found not in severity.NAMES:
        raise _fail(_("This is no severity."))
    return found


def _choice(field: Field, value: Any) -> str:
    choices = [name for name, _label in field.choices]
    if choices and value not in choices:
        raise _fail(_("Choose one of: %(names)s."), names=", ".join(choices))
    return str(value)


def _number(field: Field, value: Any) -> int:
    try:
        if isinstance(value, bool | float):
            raise ValueError
        found = int(value)
    except (TypeError, ValueError) as error:
        raise _fail(_("Write a whole number.")) from error
    if not field.least <= found <= field.most:
        raise _fail(
            _("Between %(least)s and %(most)s."), least=field.least, most=field.most
        )
    return found


def _text(field: Field, value: Any) -> str:
    text = str(value).strip()
    if not text or len(text) > field.most or not text.isprintable():
        raise _fail(_("Write a short text."))
    return text


def _days(_field: Field, value: Any) -> list[str]:
    days = list(value) if isinstance(value, Sequence | set) else []
    known = all(day in DAY_NAMES for day in days)
    if isinstance(value, str) or not days or not known:
        raise _fail(_("Choose at least one day."))
    return [day for day in DAY_NAMES if day in days]


def _clock(_field: Field, value: Any) -> str:
    text = value.strftime("%H:%M") if hasattr(value, "strftime") else str(value)
    try:
        (one,) = hours.parse([{"begins": text}])
    except HoursError as error:
        raise _fail(_("Write a time such as 09:00.")) from error
    return one.begins.strftime("%H:%M")


def _zone(_field: Field, value: Any) -> str:
    validate_time_zone(str(value))
    return str(value)


READERS: Mapping[str, Any] = {
    "members": _members,
    "team": lambda _f, v: _uuid(v),
    "policy": lambda _f, v: _uuid(v),
    "severity": _severity,
    "choice": _choice,
    "number": _number,
    "text": _text,
    "days": _days,
    "clock": _clock,
    "zone": _zone,
}


def read(fields: Sequence[Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return params as they are stored, defaults filled in.

    Raises ValidationError by the names of what is wrong.
    """
    own = {field.name: field for field in fields if field.kind != "column"}
    bad: dict[str, Any] = {
        name: _fail(_("This kind of step does not know it."))
        for name in given
        if name not in own
    }
    found = {}
    for name, field in own.items():
        value = given.get(name)
        if value in (None, "", []):
            value = field.default
        if value in (None, "", []):
            if field.required:
                bad[name] = _fail(_("This kind of step needs a value here."))
            continue
        try:
            found[name] = field.read(value)
        except ValidationError as error:
            bad[name] = error
    if bad:
        raise ValidationError(bad)
    return found
