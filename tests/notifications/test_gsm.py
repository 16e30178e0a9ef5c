"""How many segments is a text, and what is cut so that three suffice?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels import gsm

LINK = "https://alerts.example/t/acme/groups/12"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # no sign is torn over two parts
        ("ä" * 160, 1),
        ("ç" * 70, 1),  # only the capital is in the alphabet
        ("ç" * 71, 2),
        ("a" * 133 + "ç", 2),
        ("a" * 134 + "ç", 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_a_text_has_as_many_segments_as_the_network_makes(text: str, count: int):
    assert gsm.segments(text) == count


def test_what_word_processors_write_does_not_halve_the_room():
    said = gsm.plain("“Disk”\u00a0full – 95 % … see\u2019 here\u200b\u202e")
    assert said == '"Disk" full - 95 % ... see\' here'
    assert all(sign in gsm.BASIC for sign in said)


def test_what_only_steers_a_screen_is_not_sent():
    assert gsm.plain("a\x00b\x1b[31mc\r\nd\u2066e") == "ab[31mc\nde"


def test_a_short_text_is_left_alone():
    assert gsm.fitted("Title", "Body", [LINK, "Reply ACK 12."]) == (
        f"Title\nBody\n{LINK}\nReply ACK 12."
    )


def test_the_body_gives_way_before_the_title():
    said = gsm.fitted("#12 Critical: Disks", "b" * 2000, [LINK, "Reply ACK 12."])
    lines = said.split("\n")
    assert lines[0] == "#12 Critical: Disks"
    assert lines[1].endswith("b...")
    assert lines[2:] == [LINK, "Reply ACK 12."]
    assert gsm.segments(said) == 3
    assert gsm.segments(said + "b") == 4, "more would have fitted"


def test_of_a_long_title_the_beginning_stays_and_so_does_the_link():
    said = gsm.fitted("#12 Critical: " + "t" * 2000, "body", [LINK, "Reply ACK 12."])
    lines = said.split("\n")
    assert lines[0].startswith("#12 Critical: ttt")
    assert lines[1:] == [LINK, "Reply ACK 12."]
    assert gsm.segments(said) == 3


def test_a_link_without_end_leaves_the_title():
    said = gsm.fitted("#12 Critical: Disks", "body", ["u" * 500, "Reply ACK 12."])
    assert said == "#12 Critical: Disks"


@given(st.text(), st.text(), st.lists(st.text(), max_size=2))
def test_never_more_than_three_segments(title: str, body: str, tail: list[str]):
    assert gsm.segments(gsm.fitted(title * 9, body * 9, tail)) <= 3
