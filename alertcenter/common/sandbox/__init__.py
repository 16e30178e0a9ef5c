"""How do words written by a tenant become text without harm? Jinja2, metered.

Jinja2's own sandbox keeps templates from Python's insides, not from time and memory:
`'x' * 10**9`, nested loops and wide padding run in it. So here every loop, joining and
filter pays from a budget, texts have a greatest length, and all that is not on a list
is refused when a template is saved, and again when it is compiled.
Background: CVE-2016-10745, CVE-2019-10906, CVE-2024-56326, CVE-2025-27516.
"""

from alertcenter.common.sandbox.environment import (
    LONGEST_SOURCE,
    Compiled,
    compile_source,
)
from alertcenter.common.sandbox.meter import LONGEST_TEXT, Broken

__all__ = ["LONGEST_SOURCE", "LONGEST_TEXT", "Broken", "Compiled", "compile_source"]
