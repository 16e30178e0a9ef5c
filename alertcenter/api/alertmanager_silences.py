"""How do Alertmanager's clients list, make, change and expire silences?

Shapes, order and refusals are those of api/v2/openapi.yaml and of a running 0.25
(reference/wire-protocols.md 3.1). One thing is ours: a silence that would mute over
half of what is open is refused, unless the key has the scope `admin` or the comment
holds `[confirm]`, for amtool cannot be asked back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from alertcenter.alerts import lifecycle, silences
from alertcenter.alerts.matchers import Matcher, MatcherError, parse
from alertcenter.alerts.models import Silence
from alertcenter.alerts.silences import Draft, SilenceError, draft_of
from alertcenter.alerts.sources.adapter import storable
from alertcenter.api.alertmanager import (
    AlertmanagerView,
    flag,
    handle,
    matchers_of,
)
from alertcenter.api.alertmanager_more import go_time
from alertcenter.common.errors import Refused
from tenants.models.apikey import Scope

CONFIRM = "[confirm]"
SHAPE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# go-openapi's codes: of the wrong type, missing, too few.
TYPE, REQUIRED, FEW = 601, 602, 612
FIELDS = ("comment", "createdBy", "endsAt", "matchers", "startsAt")
OF_MATCHER = {"isRegex": bool, "name": str, "value": str}
OPERATORS = {
    (True, False): "=",
    (False, False): "!=",
    (True, True): "=~",
    (False, True): "!~",
}
# In the words of Alertmanager, by our code.
WORDS = {
    "not_found": "silence not found",
    "matchers": "silence invalid: at least one matcher required",
    "empty": "silence invalid: at least one matcher must not match the empty string",
    "order": "Failed to create silence: start time must be before end time",
    "past": "Failed to create silence: end time can't be in the past",
}


class Unfit(Refused):
    """A body that does not have the shape; told as an object, whatever the status."""

    def __init__(self, status: int, number: int, message: str) -> None:
        super().__init__(status, str(number), message)
        self.number = number


class SilenceView(AlertmanagerView):
    """A view that refuses in Alertmanager's words."""

    def get_exception_handler(self) -> Callable[[Exception, Any], Response | None]:
        return refuse


@extend_schema(exclude=True)
class AlertmanagerSilencesView(SilenceView):
    """GET and POST /api/v2/silences."""

    def get(self, request: Request, **_kwargs: Any) -> HttpResponse:
        tenant_id = self.standing(request).tenant_id
        wanted = [written(one) for one in matchers_of(request)]
        shown = {
            silences.ACTIVE: flag(request, "active"),
            silences.PENDING: flag(request, "pending"),
            silences.EXPIRED: flag(request, "expired"),
        }
        now = lifecycle.database_time()
        rows = Silence.objects.filter(tenant_id=tenant_id)
        if not shown[silences.EXPIRED]:
            rows = rows.filter(ends_at__gt=now)
        found = []
        for row in rows:
            state = silences.state_of(row, now)
            if not shown[state]:
                continue
            matchers = read(row)
            if all(one in map(written, matchers) for one in wanted):
                found.append((place(row, state), as_gettable(row, state, matchers)))
        found.sort(key=lambda pair: pair[0])
        body = msgspec.json.encode([one for _place, one in found])
        return HttpResponse(body + b"\n", content_type="application/json")

    def post(self, request: Request, **_kwargs: Any) -> Response:
        standing = self.standing(request)
        given = body_of(request)
        pk = asked_id(given)
        row = silences.save(
            standing.tenant_id,
            draft_from(standing.tenant_id, given, pk),
            actor=standing.actor,
            silence_id=pk,
            confirm=Scope.ADMIN in standing.scopes or CONFIRM in given["comment"],
        )
        return Response({"silenceID": str(row.pk)})


@extend_schema(exclude=True)
class AlertmanagerSilenceView(SilenceView):
    """GET and DELETE /api/v2/silence/<id>."""

    def get(self, request: Request, silence: str, **_kwargs: Any) -> HttpResponse:
        pk = path_id(silence)
        tenant_id = self.standing(request).tenant_id
        row = Silence.objects.filter(tenant_id=tenant_id, pk=pk).first()
        if row is None:
            return HttpResponse(status=404)
        state = silences.state_of(row, lifecycle.database_time())
        return Response(as_gettable(row, state, read(row)))

    def delete(self, request: Request, silence: str, **_kwargs: Any) -> HttpResponse:
        pk = path_id(silence)
        standing = self.standing(request)
        try:
            silences.expire(standing.tenant_id, pk, actor=standing.actor)
        except SilenceError:
            return HttpResponse(status=404)
        return HttpResponse(status=200)


def refuse(error: Exception, context: dict[str, Any]) -> Response | None:
    """Say no as Alertmanager does."""
    if isinstance(error, Unfit):
        told = {"code": error.number, "message": storable(str(error.message))}
        return Response(told, status=error.status)
    if isinstance(error, SilenceError):
        status = 404 if error.code == "not_found" else 400
        return Response(storable(words_of(error)), status=status)
    if isinstance(error, ParseError):
        return refuse(parsing(str(error.detail)), context)
    return handle(error, context)


def words_of(error: SilenceError) -> str:
    """Return one string, as Alertmanager's 400 is."""
    if error.code == "matcher":
        return f"silence invalid: invalid label matcher {error.place}: {error.message}"
    if error.code == "broad":
        return (
            f"silence refused: {error.message} (A comment with {CONFIRM} confirms it, "
            "and so does a key of scope admin.)"
        )
    return WORDS.get(error.code, f"silence invalid: {error.message}")


# --- out ---


def read(row: Silence) -> list[Matcher]:
    """Return a stored silence's conditions."""
    found = []
    for text in row.matchers:
        try:
            found.append(parse(str(text)))
        except MatcherError:  # refused where it is written
            continue
    return found


def written(matcher: Matcher) -> tuple[str, str, str]:
    """Return what makes two conditions the same: a filter is compared as text."""
    return matcher.name, matcher.operator, matcher.value


def place(row: Silence, state: str) -> tuple[int, float, str]:
    """Return what the list is sorted by: what ends next, what begins next, what ended
    last."""
    if state == silences.ACTIVE:
        return 0, row.ends_at.timestamp(), str(row.pk)
    if state == silences.PENDING:
        return 1, row.starts_at.timestamp(), str(row.pk)
    return 2, -row.ends_at.timestamp(), str(row.pk)


def as_gettable(row: Silence, state: str, matchers: Sequence[Matcher]) -> Any:
    """Return one gettableSilence."""
    return {
        "id": str(row.pk),
        "status": {"state": state},
        "updatedAt": go_time(row.updated_at),
        "comment": row.comment,
        "createdBy": row.created_by,
        "endsAt": go_time(row.ends_at),
        "matchers": [
            {
                "isEqual": one.operator in ("=", "=~"),
                "isRegex": one.operator in ("=~", "!~"),
                "name": one.name,
                "value": one.value,
            }
            for one in matchers
        ],
        "startsAt": go_time(row.starts_at),
        "annotations": row.annotations,
    }


# --- in ---


def path_id(text: str) -> UUID:
    """Return the id in a path. Raises Unfit."""
    if not SHAPE.fullmatch(text):
        message = f'silenceID in path must be of type uuid: "{text}"'
        raise Unfit(422, TYPE, message)
    return UUID(text)


def asked_id(given: Mapping[str, Any]) -> UUID | None:
    """Return the id of the silence that is changed. Raises SilenceError."""
    text = given.get("id") or ""
    if not text:
        return None
    if not isinstance(text, str) or not SHAPE.fullmatch(text):
        raise silences.not_found()
    return UUID(text)


def body_of(request: Request) -> Mapping[str, Any]:
    """Return a postableSilence that has the right shape. Raises Unfit."""
    given = request.data
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise parsing("json: cannot unmarshal into a silence")
    for name in FIELDS:
        if given.get(name) is None:
            raise Unfit(422, REQUIRED, f"{name} in body is required")
        kind = list if name == "matchers" else str
        if not isinstance(given[name], kind):
            raise parsing(f"json: cannot unmarshal {name}")
    if not given["matchers"]:
        raise Unfit(422, FEW, "matchers in body should have at least 1 items")
    for place_, one in enumerate(given["matchers"]):
        _check_matcher(place_, one)
    notes = given.get("annotations") or {}
    if not isinstance(notes, dict) or not all(
        isinstance(value, str) for value in notes.values()
    ):
        raise parsing("json: cannot unmarshal annotations")
    return given


def _check_matcher(number: int, one: Any) -> None:
    if one is not None and not isinstance(one, dict):
        raise parsing("json: cannot unmarshal a matcher")
    for name, kind in OF_MATCHER.items():
        value = (one or {}).get(name)
        if value is None:
            message = f"matchers.{number}.{name} in body is required"
            raise Unfit(422, REQUIRED, message)
        if not isinstance(value, kind):
            raise parsing(f"json: cannot unmarshal matchers.{name}")
    if not isinstance((one or {}).get("isEqual", True), bool | None):
        raise parsing("json: cannot unmarshal matchers.isEqual")


def parsing(why: str) -> Unfit:
    return Unfit(400, 400, f'parsing silence body from "" failed, because {why}')


def moment(text: str) -> datetime:
    """Return a time as go-openapi reads it; empty: long ago. Raises Unfit."""
    if not text:
        return datetime(1, 1, 1, tzinfo=UTC)
    try:
        if len(text) < len("2006-01-02T15:04"):
            raise ValueError(text)  # a day alone is no time
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            return found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise parsing(f'parsing time "{text[:100]}"') from error


def draft_from(tenant_id: UUID, given: Mapping[str, Any], pk: UUID | None) -> Draft:
    """Return what is asked for; what Alertmanager does not know (recurrence, a route)
    stays as it is in the silence that is changed. Raises SilenceError, Unfit."""
    draft = Draft(
        [as_text(number, one) for number, one in enumerate(given["matchers"])],
        ends_at=moment(given["endsAt"]),
    )
    known = Silence.objects.filter(tenant_id=tenant_id, pk=pk).first() if pk else None
    if known is not None:
        draft = replace(draft_of(known), matchers=draft.matchers, ends_at=draft.ends_at)
    return replace(
        draft,
        starts_at=moment(given["startsAt"]),
        comment=given["comment"],
        created_by=given["createdBy"],
        annotations=given.get("annotations") or {},
    )


def as_text(number: int, one: Mapping[str, Any]) -> str:
    """Return one condition in our notation. Raises SilenceError."""
    equal = one.get("isEqual") is not False
    name, value = one["name"], one["value"]
    operator = OPERATORS[equal, one["isRegex"]]
    text = str(Matcher(name, operator, value, bool))
    try:
        found = parse(text)
    except MatcherError as error:
        message = str(error)
        if error.code == "notation":
            message = f'invalid label name "{name[:100]}"'
        raise SilenceError("matcher", message, place=number) from error
    if written(found) != (name, operator, value):
        message = f'invalid label name "{name[:100]}"'
        raise SilenceError("matcher", message, place=number)
    return text
