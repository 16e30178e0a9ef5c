"""How is a plan told on a terminal?"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from alertcenter.alerts.am_parts import Remark
from alertcenter.alerts.am_yaml import Document, spelled
from escalation.am_import.actions import Plan


def lines_of(plan: Plan, document: Document | None) -> Iterator[str]:
    """Yield the lines of a report: actions, then what is to be known."""
    if plan.errors:
        yield _("Refused, nothing is changed:")
        yield from remarks(plan.errors, document)
        return
    for action in plan.actions:
        where = f"  ({action.where})" if action.where else ""
        yield f"{action.verdict:<7} {action.kind:<11} {action.name}{where}"
        yield from (f"          {change}" for change in action.changes)
    if plan.untold:
        yield _("Nobody is told:")
        yield from remarks(plan.untold, document)
    if plan.lost:
        yield _("Not carried over, or to be known:")
        yield from remarks(plan.lost, document)
    yield ", ".join(f"{verdict} {n}" for verdict, n in plan.counts.items())


def remarks(found: list[Remark], document: Document | None) -> Iterator[str]:
    """Yield a line for each remark, with path and line of the file."""
    for remark in found:
        place = spelled(remark.path)
        if document is not None and remark.path:
            place += _(" (line %(line)d)") % {"line": document.line(remark.path)}
        yield f"  {place}: {remark.text}" if place else f"  {remark.text}"
