"""What may stand in a template? What is not on a list here is refused."""

from __future__ import annotations

from django.utils.translation import gettext as _
from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from alertcenter.common.sandbox.filters import FILTERS
from alertcenter.common.sandbox.meter import Broken

MOST_NODES = 4_000
DEEPEST = 40
DEEPEST_LOOPS = 4
ALLOWED_TESTS = frozenset(
    [
        "defined",
        "undefined",
        "none",
        "string",
        "number",
        "mapping",
        "sequence",
        "iterable",
        "even",
        "odd",
        "divisibleby",
        "equalto",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "in",
        "true",
        "false",
        "lower",
        "upper",
    ]
)
ALLOWED_NODES: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If,
    nodes.Assign, nodes.With, nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple,
    nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter,
    nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Concat, nodes.Compare,
    nodes.Operand, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv,
    nodes.Mod, nodes.Neg, nodes.Pos, nodes.Not, nodes.And, nodes.Or,
)  # fmt: skip


class Inspector:
    """Refuses what is not on the lists."""

    def __init__(self) -> None:
        self.nodes = 0

    def inspect(self, node: nodes.Node, depth: int = 0, loops: int = 0) -> None:
        """Raise Broken at the first thing that is not allowed."""
        self.nodes += 1
        if self.nodes > MOST_NODES or depth > DEEPEST:
            raise Broken(_("The template is too complicated."))
        self.check(node)
        loops += isinstance(node, nodes.For)
        if loops > DEEPEST_LOOPS:
            raise Broken(_("Loops may be nested %(n)d deep.") % {"n": DEEPEST_LOOPS})
        for child in node.iter_child_nodes():
            self.inspect(child, depth + 1, loops)

    def check(self, node: nodes.Node) -> None:
        words = {"line": getattr(node, "lineno", 1)}
        if type(node) not in ALLOWED_NODES or getattr(node, "recursive", False):
            words["what"] = type(node).__name__.lower()
            raise Broken(
                _("Line %(line)d: “%(what)s” is not available in templates.") % words
            )
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            words["what"] = node.name
            raise Broken(_("Line %(line)d: there is no filter “%(what)s”.") % words)
        if isinstance(node, nodes.Test) and node.name not in ALLOWED_TESTS:
            words["what"] = node.name
            raise Broken(_("Line %(line)d: there is no test “%(what)s”.") % words)
        name = getattr(node, "attr", getattr(node, "name", ""))
        if isinstance(name, str) and name.startswith("_"):
            words["what"] = name
            raise Broken(_("Line %(line)d: “%(what)s” cannot be used.") % words)


class Metering(NodeTransformer):
    """Makes loops and joinings pay."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - jinja2's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_each")
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_flat")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        # `for key, value in …` is a tuple as well, one that is written to.
        return _filtered(node, "_flat") if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_flat")

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "_joined")


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
