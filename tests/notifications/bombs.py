"""Which templates must never get anywhere? Each eats time or memory, or breaks out.

Seen in other sandboxes, or found by trying to break this one. `DOUBLED` is a list of
two lists of two lists, fifty deep: cheap to write, a terabyte to compare or print.
"""

from __future__ import annotations

DOUBLED = "{% set a = ['x'] %}" + "{% set a = [a, a] %}" * 50
DOUBLED_TWICE = DOUBLED + "{% set b = ['x'] %}" + "{% set b = [b, b] %}" * 50
DOUBLED_TUPLE = "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 50
DOUBLED_VIEWS = "".join(
    f"{{% set {n} = {{'k': 1, 'l': 1}} %}}"
    + f"{{% set {n} = {{'k': {n}.items(), 'l': {n}.items()}} %}}" * 40
    for n in "ab"
)
LONG = "{% set s = 'x y ' %}" + "{% set s = s ~ s %}" * 13
TEN = "{% set l = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] %}"
MANY = "{% set l = [" + "1," * 1000 + "] %}"
TWICE = MANY + "{% for i in l %}{% for j in l %}"
END = "{% endfor %}{% endfor %}"

BOMBS = {
    # numbers
    "power": "{{ 9**9**8 }}",
    "multiplied": "{% set n = 9999999999 %}" + "{% set n = n * n %}" * 60 + "{{ n }}",
    "numeral": "{{ " + "9" * 15_000 + " }}",
    "hexadecimal": "{{ 0x" + "f" * 15_000 + " }}",
    # texts that grow
    "repeat": "{{ 'x' * 200000000 }}",
    "repeat_from_the_right": "{{ 200000000 * 'x' }}",
    "repeat_list": "{{ [1] * 200000000 }}",
    "tilde": "{% set s = 'xxxxxxxxxx' %}" + "{% set s = s ~ s %}" * 40 + "{{ s }}",
    "plus": "{% set s = 'xxxxxxxxxx' %}" + "{% set s = s + s %}" * 40 + "{{ s }}",
    "join": "{% set s = 'xxxxxxxxxx' %}" + "{% set s = [s, s]|join(s) %}" * 40,
    "replace": "{% set s = 'xxxxxxxxxx' %}" + "{% set s = s|replace('x', s) %}" * 40,
    "replace_nothing": "{% set s = 'xxxxxxxxxx' %}"
    + "{% set s = s|replace('', s) %}" * 40,
    "format_filter": "{{ '%1000000000d'|format(1) }}",
    "format_method": "{{ '{:>1000000000}'.format(1) }}",
    "format_map": "{{ '{a:>1000000000}'.format_map({'a': 1}) }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "center": "{{ 'x'|center(1000000000) }}",
    "ljust": "{{ 'x'.ljust(1000000000) }}",
    "zfill": "{{ 'x'.zfill(1000000000) }}",
    "indent": "{{ 'x'|indent(1000000000, true) }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    # loops
    "range": "{% for i in range(1000000000) %}x{% endfor %}",
    "nested_loops": TEN + "{% for i in l %}" * 10 + "x" + "{% endfor %}" * 10,
    "loops_over_much": TWICE + "x" + END,
    "loop_of_much_text": MANY + "{% for i in l %}" + "y" * 10_000 + "{% endfor %}",
    "loop_of_methods": LONG + TWICE + "{% if s.title() %}{% endif %}" + END,
    "loop_of_searches": LONG + TWICE + "{% if (s~'a') in s %}{% endif %}" + END,
    "loop_of_comparisons": TWICE + "{% if labels == labels %}{% endif %}" + END,
    "many_methods": LONG + "{{ [" + "s.title(), " * 900 + "1]|length }}",
    "loop_over_a_text": "{% for c in title %}{{ c }}{% endfor %}",
    "recursive_loop": "{% for x in alerts recursive %}{{ loop([x]) }}{% endfor %}",
    "list_grown_in_a_loop": MANY
    + "{% for i in l %}{% set l = [l, l] %}{% endfor %}{{ l }}",
    # lists in lists
    "doubled_shown": DOUBLED + "{{ a }}",
    "doubled_joined": DOUBLED + "{{ a|join }}",
    "doubled_equal": DOUBLED_TWICE + "{{ a == b }}",
    "doubled_less": DOUBLED_TWICE + "{{ a < b }}",
    "doubled_in": DOUBLED_TWICE + "{{ a in [b] }}",
    "doubled_tested": DOUBLED_TWICE + "{{ a is eq(b) }}",
    "doubled_sorted": DOUBLED_TWICE + "{{ [a, b]|sort|length }}",
    "doubled_hashed": DOUBLED_TUPLE + "{{ labels.get(a) }}",
    "doubled_as_key": DOUBLED_TUPLE + "{{ {a: 1}|length }}",
    "doubled_views": DOUBLED_VIEWS + "{{ a.items() == b.items() }}",
    # what eats the stack, or the parser
    "parentheses": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "brackets": "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "negations": "{{ " + "not " * 4_000 + "1 }}",
    "additions": "{{ " + "1+" * 5_000 + "1 }}",
    "conditions": "{% if 1 %}" * 600 + "{% endif %}" * 600,
    "huge_source": "x" * 20_000,
    # parts of the language that templates of messages do not have
    "macro": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "import": "{% import 'x' as y %}",
    "include": "{% include 'x' %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block a %}{{ self.a() }}{% endblock %}",
    "call_block": "{% call x() %}{% endcall %}",
    "filter_block": "{% filter upper %}x{% endfilter %}",
    "set_block": "{% set x %}x{% endset %}",
    "namespace": "{% set n = namespace(x=1) %}",
    # ways out
    "classes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attr_filter": "{{ ''|attr('__class__') }}",
    "map_attribute": "{{ ['']|map(attribute='__class__')|list }}",
    "globals_of_a_loop": "{% for x in alerts %}"
    "{{ loop.changed.__func__.__globals__ }}{% endfor %}",
    "cycler": "{{ cycler.__init__.__globals__ }}",
    "context_of_self": "{{ self._TemplateReference__context }}",
    "change_the_facts": "{{ labels.clear() }}",
    "unpacked": "{{ labels.get(*alerts) }}",
}
# Nothing to refuse, and nothing to see.
SILENT = {
    "class_as_item": "{{ ''['__class__'] }}",
    "class_of_a_label": "{{ labels['__class__'] }}",
    "class_when_joining": "{{ ['']|join(',', attribute='__class__') }}",
    "loop_itself": "{% for x in alerts %}{{ loop.cycle }}{% endfor %}",
    "name_of_nothing": "{{ config }}{{ request }}{{ settings }}",
}
