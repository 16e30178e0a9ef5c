"""Which templates are allowed at all? Decided on the parsed tree, before it runs.

Whatever is not listed is refused. What is allowed but can cost much is wrapped in a
filter that pays for it.
"""

from __future__ import annotations

from typing import cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from notifications.sandbox.filters import FILTERS, METHODS, TESTS
from notifications.sandbox.meter import CHARACTERS_A_UNIT, Refused

DEEPEST = 60
MOST_NODES = 3_000

ALLOWED = frozenset(
    {
        nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const,
        nodes.For, nodes.If, nodes.Assign, nodes.CondExpr, nodes.Not, nodes.And,
        nodes.Or, nodes.Compare, nodes.Operand, nodes.Getattr, nodes.Getitem,
        nodes.Slice, nodes.Filter, nodes.Test, nodes.Call, nodes.Keyword, nodes.List,
        nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Concat, nodes.Add, nodes.Sub,
        nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos,
    }
)  # fmt: skip


def check(tree: nodes.Template) -> nodes.Template:
    """Return the tree with its meters built in. Raises Refused."""
    count = 0
    waiting: list[tuple[nodes.Node, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise Refused("too_deep", line=node.lineno or 0)
        if count > MOST_NODES:
            raise Refused("too_big")
        _check_node(node)
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]
    return cast(nodes.Template, Metering().visit(tree))


def _check_node(node: nodes.Node) -> None:
    line = node.lineno or 0
    if type(node) not in ALLOWED:
        raise Refused("not_allowed", type(node).__name__.lower(), line)
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise Refused("unknown_filter", node.name, line)
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        raise Refused("unknown_test", node.name, line)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise Refused("private", node.attr, line)
    if isinstance(node, nodes.For) and node.recursive:
        raise Refused("not_allowed", "recursive", line)
    if isinstance(node, nodes.Compare) and len(node.ops) > 1:
        raise Refused("chained", line=line)
    _check_call(node, line)


def _check_call(node: nodes.Node, line: int) -> None:
    """Only listed methods are called, and arguments are written out."""
    if isinstance(node, nodes.Call):
        if not isinstance(node.node, nodes.Getattr):
            raise Refused("no_functions", line=line)
        if node.node.attr not in METHODS:
            raise Refused("unknown_method", node.node.attr, line)
    if isinstance(node, nodes.Call | nodes.Filter | nodes.Test) and (
        node.dyn_args or node.dyn_kwargs
    ):
        raise Refused("not_allowed", "*", line)


class Metering(NodeTransformer):
    """Wraps what can cost much; methods become filters."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        weight = 1 + sum(map(_weight, [*node.body, *node.else_]))
        if node.test:
            weight += _weight(node.test)
        self.generic_visit(node)
        node.iter = _wrap(node.iter, "inner.each", nodes.Const(weight))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _wrap(nodes.List(node.nodes, lineno=node.lineno), "inner.concat")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _wrap(node.expr, "inner.compared")
        for operand in node.ops:
            inside = operand.op in ("in", "notin")
            name = "inner.searched" if inside else "inner.compared"
            operand.expr = _wrap(operand.expr, name)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            node.node = _wrap(node.node, "inner.cut")
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        method = cast(nodes.Getattr, node.node)
        return nodes.Filter(
            method.node,
            f"method.{method.attr}",
            node.args,
            node.kwargs,
            None,
            None,
            lineno=node.lineno,
        )


def _wrap(value: nodes.Expr, name: str, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(
        value, name, list(arguments), [], None, None, lineno=value.lineno
    )


def _weight(node: nodes.Node) -> int:
    """Return the fuel that one turn over these nodes costs at the least."""
    own = 0
    if isinstance(node, nodes.TemplateData):
        own = len(node.data) // CHARACTERS_A_UNIT
    return 1 + own + sum(map(_weight, node.iter_child_nodes()))
