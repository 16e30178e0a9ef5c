"""How is wording that strangers write rendered without harm? Pure, no Django.

Jinja2's own sandbox hides attributes but not cost: a range in a range, `~` in a row,
`'x'.center(10**9)` still eat all time and memory. So here only listed nodes, filters
and methods exist, each pays fuel for the work it does, and lengths are bounded.
"""

from notifications.sandbox.environment import Template, compile_template
from notifications.sandbox.meter import LONGEST_SOURCE, LONGEST_TEXT, Refused

__all__ = ["LONGEST_SOURCE", "LONGEST_TEXT", "Refused", "Template", "compile_template"]
