"""Many lists of conditions: the index finds what trying each would find."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from alertcenter.alerts import matcher_index
from alertcenter.alerts.matcher_index import MatcherIndex, literal_keys
from alertcenter.alerts.matchers import Matcher, all_match, parse

NAMES = ["team", "cluster", "severity"]
VALUES = ["db", "web", "a", "b", "a|b", "x.y"]
conditions = st.builds(
    '{}{}"{}"'.format,
    st.sampled_from(NAMES),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from([*VALUES, "", "d.*", "a|b|c", ".+"]),
)
labels = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(conditions, max_size=3), max_size=12), labels)
def test_the_index_finds_what_trying_each_finds(texts, seen):
    lists = [[parse(text) for text in one] for one in texts]
    expected = [n for n, one in enumerate(lists) if all_match(one, seen)]
    index = MatcherIndex(lists)
    assert index.matching(seen) == expected
    assert index.matching(seen) == expected  # verdicts that are remembered


def test_alternatives_of_plain_words_are_filed_under_each():
    assert sorted(literal_keys(parse('env=~"prod|stage"'))) == [
        ("env", "prod"),
        ("env", "stage"),
    ]
    for pattern in ('env=~"prod.*"', 'env!="prod"', 'env=""', 'env=~"a|"'):
        assert literal_keys(parse(pattern)) == []


def test_ten_thousand_patterns_remember_no_more_than_a_few(monkeypatch):
    monkeypatch.setattr(matcher_index, "MOST_IN_ALL", 1_000)
    asked: list[str] = []

    def one(number: int) -> Matcher:
        def test(seen: str) -> bool:
            asked.append(seen)
            return False

        return Matcher("host", "=~", f"x{number}.*", test)

    index = MatcherIndex([[one(number)] for number in range(100)])
    for _ in range(2):
        for host in range(20):
            assert index.matching({"host": str(host)}) == []
    # Ten verdicts for each pattern: the second round has to ask again.
    assert len(asked) == 2 * 20 * 100
    asked.clear()
    for host in range(15, 20):
        index.matching({"host": str(host)})
    assert asked == []
