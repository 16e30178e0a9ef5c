"""How is a run told, in Markdown?"""

from __future__ import annotations

from collections import Counter

from tests.chaos.checker import quantile
from tests.chaos.run import Result

ASKED = (
    ("early", "pages or claims before their time"),
    ("lost", "alerts, steps or pages lost"),
    ("after acknowledgement", "claimed or sent after a committed acknowledgement"),
    ("copy", "copies that no fault inside a send explains"),
    ("order", "out of order in one place"),
    ("crossed", "at another tenant's"),
    ("phantom", "arrived without a promise"),
    ("lost act", "acts answered as done and not stored"),
    ("snapshot", "runs that are not their policy"),
    ("answer", "answers other than 2xx and 503"),
    ("late", "claims more than 10 s after due and after the last fault"),
    ("memory", "processes over their memory"),
)


def markdown(result: Result) -> str:
    found, facts = result.findings, result.record
    broken = Counter(violation.kind for violation in found.violations)
    lines = [
        f'`make chaos ARGS="--steps {result.order.steps} --seconds'
        f' {result.order.seconds:.0f} --seed {result.order.seed}"`:'
        f" {found.counts['steps']} escalation steps in {result.seconds:.0f} s,"
        f" {len(facts.faults)} faults.",
        "",
        "| promise broken | times |",
        "|---|---|",
        *(f"| {words} | {broken[kind]} |" for kind, words in ASKED),
        "",
        "| checked | number |",
        "|---|---|",
        *(f"| {name} | {number} |" for name, number in sorted(found.counts.items())),
        f"| groups | {len(facts.groups)} |",
        f"| runs | {len(facts.runs)} |",
        "",
        "| seconds | p50 | p99 | most |",
        "|---|---|---|---|",
        spread("claim after due, no fault within 10 s before", found.calm),
        spread("claim after due or after the fault's end", found.after_faults),
        spread("claim after due while a fault goes on", found.during),
        spread(
            "page at the vendor after its claim, unless refused there at first",
            found.arrival,
        ),
        "",
        "| fault | injected |",
        "|---|---|",
    ]
    faults = Counter(
        f"{f.fault} {f.note}" if f.fault == "failpoint" else f.fault
        for f in facts.faults
    )
    lines += [f"| {name} | {number} |" for name, number in sorted(faults.items())]
    met = Counter(one.fate for one in facts.arrivals if one.fate != "ok")
    lines += [f"| vendor: {fate} | {number} |" for fate, number in sorted(met.items())]
    most = ", ".join(f"{name} {mb} MB" for name, mb in sorted(facts.memory.items()))
    lines += ["", f"Most resident memory: {most}.", ""]
    return "\n".join(lines)


def spread(name: str, values: list[float]) -> str:
    p50, p99 = quantile(values, 0.5), quantile(values, 0.99)
    return f"| {name} | {p50:.2f} | {p99:.2f} | {max(values, default=0):.2f} |"
