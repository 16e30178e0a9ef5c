"""What does the list of routes say of each? What it inherits is grey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alertcenter.alerts import routing
from alertcenter.alerts.admin.route_tree import Node, Tree
from tenants.admin_forms import in_units


class RouteWords:
    """The cells of one row."""

    def __init__(
        self, node: Node, tree: Tree, channels: Mapping[UUID, str], *, flat: bool
    ) -> None:
        self.node, self.tree, self.names, self.flat = node, tree, channels, flat

    def name(self) -> SafeString:
        """The name in its place, and what is special about it."""
        node, row = self.node, self.node.row
        marks = [
            (css, word)
            for css, word, holds in (
                ("", _("default"), row.is_default),
                ("", _("goes on"), row.continue_matching),
                ("off", _("off"), not row.active),
                ("off", _("off above"), node.asleep and row.active),
                ("bad", _("never reached"), node.whole is None),
            )
            if holds
        ]
        if self.flat:
            place = format_html('<span class="inherited">{} › </span>', node.above)
            place = place if node.above else SafeString("")
        else:
            rails = SafeString('<i class="rail"></i>' * node.depth)
            place = format_html('<span class="rails">{}</span>', rails)
        pills = format_html_join(" ", '<span class="pill {}">{}</span>', marks)
        css = "asleep" if node.asleep else ""
        return format_html(
            '<span class="in-tree {}">{}<span>{} {}</span></span>',
            css,
            place,
            row.name,
            pills,
        )

    def conditions(self) -> SafeString | str:
        row = self.node.row
        if row.is_default:
            return _("everything else")
        items = format_html_join("", "<li>{}</li>", ((m,) for m in row.matchers))
        return format_html('<ul class="labels">{}</ul>', items)

    def groups(self) -> SafeString:
        row, whole = self.node.row, self.node.whole
        names = row.group_by if row.group_by is not None else None
        if names is None and whole is not None:
            names = list(whole.group_by)
        if names is None:
            return own("–")
        return own(grouped(names), inherited=row.group_by is None)

    def timers(self) -> SafeString:
        row, whole = self.node.row, self.node.whole
        if whole is None:
            return own("–")
        pairs = (
            (row.group_wait_seconds, whole.wait_seconds),
            (row.group_interval_seconds, whole.interval_seconds),
            (row.repeat_interval_seconds, whole.repeat_seconds),
        )
        return format_html_join(
            " · ",
            "{}",
            ((own(in_units(hold), inherited=said is None),) for said, hold in pairs),
        )

    def tells(self) -> SafeString:
        """Policy and channels; red where nobody is told."""
        row, whole = self.node.row, self.node.whole
        if whole is None:
            return own("–")
        said = bool(self.tree.channels.get(row.pk)) or self.node.speaks
        words = [self.names.get(pk, "?") for pk in whole.channels]
        if whole.policy_id:
            words.insert(0, self._policy(whole.policy_id))
        if not words:
            return format_html('<span class="nobody">{}</span>', _("tells nobody"))
        text = ", ".join(words)
        if row.receiver and row.receiver != row.name:
            text += f" ({row.receiver})"
        return own(text, inherited=not said)

    def _policy(self, pk: UUID) -> str:
        """Return the name of a policy, which a route above may name."""
        for node in self.tree.nodes.values():
            if node.row.policy_id == pk:
                return str(node.row.policy)
        return "?"

    def times(self) -> SafeString | str:
        row = self.node.row
        lines: list[Any] = []
        if row.mute_intervals:
            quiet = ", ".join(map(str, row.mute_intervals))
            lines.append((_("quiet: %(names)s") % {"names": quiet},))
        if row.active_intervals:
            heard = ", ".join(map(str, row.active_intervals))
            lines.append((_("only: %(names)s") % {"names": heard},))
        return format_html_join(SafeString("<br>"), "{}", lines) or "–"


def own(text: str, *, inherited: bool = False) -> SafeString:
    """Return text that a route says itself, or greyed what it has from above."""
    if not inherited:
        return format_html("{}", text)
    title = _("from the route above")
    return format_html('<span class="inherited" title="{}">{}</span>', title, text)


def grouped(names: list[str]) -> str:
    if routing.EVERY_LABEL in names:
        return _("every alert alone")
    return ", ".join(map(str, names)) or _("all in one group")
