"""Which metric is an alert about? Read from the address that its source sent with it.

Prometheus links each alert to its own expression browser (`generatorURL`), which shows
the rule's expression: https://prometheus.io/docs/alerting/latest/clients/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from notifications.message import AlertLine

LONGEST_EXPRESSION = 2_000
# What a rule ends with: a comparison with a number. It leaves only what is beyond.
BOUND = re.compile(
    r"\s*(?:==|!=|>=|<=|>|<)\s*(?:bool\s+)?[-+]?[0-9.]+(?:e[-+]?[0-9]+)?$"
)
SETS = re.compile(r"\b(?:and|or|unless)\b")
MOST_FIELDS = 50


def chart_of(lines: Sequence[AlertLine]) -> dict[str, str]:
    """Return what a chart of the worst alert's metric needs: its expression (PromQL),
    and the source that it is from; {} where no alert names one."""
    for line in lines:
        if expression := expression_of(line.link):
            source = urlsplit(line.link)
            return {
                "expr": unbounded(expression),
                "source": f"{source.scheme}://{source.netloc}",
            }
    return {}


def expression_of(link: str) -> str:
    """Return the expression that a link to Prometheus shows, "" for any other."""
    try:
        query = parse_qs(urlsplit(link).query, max_num_fields=MOST_FIELDS)
    except ValueError:
        return ""
    expression = query.get("g0.expr", [""])[0].strip()
    return expression if len(expression) <= LONGEST_EXPRESSION else ""


def unbounded(expression: str) -> str:
    """Return the metric without the bound at its end, so that the chart also shows the
    time before; unchanged where it is more than one comparison."""
    left = BOUND.sub("", expression)
    if SETS.search(left) or any(
        left.count(a) != left.count(b) for a, b in ("()", "{}")
    ):
        return expression
    return left or expression
