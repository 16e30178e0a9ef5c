"""A reader gets times, durations and fixed words as they are written where they are."""

import pytest

from notifications import localize
from notifications.message import Note

AT = "2026-07-14T18:05:00+00:00"
NARROW, HARD = "\u202f", "\xa0"


@pytest.mark.parametrize(
    ("language", "zone", "said"),
    [
        ("en", "America/New_York", "Jul 14, 2026, 2:05 PM EDT"),
        ("en", "Europe/Paris", "Jul 14, 2026, 8:05 PM UTC+2"),
        ("fr", "Europe/Paris", "14 juil. 2026, 20:05 UTC+2"),
        ("fr", "America/New_York", "14 juil. 2026, 14:05 HEE"),
        ("de", "Europe/Paris", "14.07.2026, 20:05 MESZ"),
        ("pt-br", "America/Sao_Paulo", "14 de jul. de 2026 15:05 BRT"),
        ("zh-hans", "UTC", "2026年7月14日 18:05 UTC"),
        ("ja", "Asia/Kolkata", "2026/07/14 23:35 UTC+5:30"),
    ],
)
def test_a_moment_is_written_in_the_reader_s_formats_and_zone(language, zone, said):
    assert plain(localize.moment(AT, language, zone)) == said


def test_winter_and_summer_time_differ():
    winter = localize.moment("2026-01-14T18:05:00+00:00", "de", "Europe/Berlin")

    assert winter == "14.01.2026, 19:05 MEZ"


def test_the_day_is_the_reader_s_day():
    late = "2026-07-14T23:30:00+00:00"

    assert localize.moment(late, "de", "Asia/Tokyo").startswith("15.07.2026")


@pytest.mark.parametrize("iso", [None, "", "yesterday"])
def test_no_moment_is_no_text(iso):
    assert localize.moment(iso, "en", "UTC") == ""


def test_a_zone_or_language_that_no_longer_exists_is_no_obstacle():
    assert plain(localize.moment(AT, "xx", "Mars/Base")) == "Jul 14, 2026, 6:05 PM UTC"
    assert localize.moment(AT, "en", "../../etc/passwd")


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [
        (0, "en", "0 sec"),
        (-5, "en", "0 sec"),
        (42, "en", "42 sec"),
        (60, "en", "1 min"),
        (7_500, "en", "2 hr 5 min"),
        (7_500, "fr", "2 h 5 min"),
        (7_500, "de", "2 Std. 5 Min."),
        (90_061, "en", "1 day 1 hr"),
        (90_061, "fr", "1 j 1 h"),
        (7_500, "ja", "2 時間 5 分"),
    ],
)
def test_a_duration_names_its_two_greatest_units(seconds, language, said):
    assert plain(localize.duration(seconds, language)) == said


@pytest.mark.parametrize(
    ("note", "line"),
    [
        (Note("acknowledged", "Alice", AT), "Alice acknowledged."),
        (Note("acknowledged", "", AT), "Acknowledged."),
        (Note("unacknowledged", "Bob", AT), "Bob took the acknowledgement back."),
        (Note("resolved", "Bob", AT), "Bob resolved."),
        (Note("resolved", "", AT), "Resolved: no alert is firing any more."),
        (
            Note("snoozed", "Alice", AT, {"until": AT}),
            "Alice snoozed until Jul 14, 2026, 6:05 PM UTC.",
        ),
        (Note("woken", "AlertCenter", AT), "The snooze is over."),
        (
            Note("assigned", "Alice", AT, {"name": "Bob"}),
            "Alice assigned this to Bob.",
        ),
        (Note("escalated", "Alice", AT), "Alice escalated."),
        (Note("grouped", "", AT, {"count": 1}), "1 new alert joined."),
        (Note("grouped", "", AT, {"count": 3}), "3 new alerts joined."),
        (Note("paged", "", AT), "Reminder: still firing."),
        (Note("withdrawn", "", AT), "This page has been withdrawn."),
        (
            Note("noted", "", AT, {"reason": "nobody_on_call"}),
            "Nobody is on call, so nobody was told.",
        ),
        (Note("said", "", AT, {"text": "Only members."}), "Only members."),
        (Note("invented", "Alice", AT), "Alice: invented"),
    ],
)
def test_a_line_of_the_thread_says_what_happened(note, line):
    assert plain(localize.note_line(note, "en", "UTC")) == line


def test_a_name_with_a_percent_sign_is_only_a_name():
    line = localize.note_line(Note("resolved", "100 %(who)s %s", AT), "en", "UTC")

    assert line == "100 %(who)s %s resolved."


@pytest.mark.parametrize("language", ["en", "fr", "de", "ja", "pt-br", ""])
def test_every_severity_state_and_act_has_a_word(language):
    words = [
        *(localize.severity_word(level, language) for level in range(1, 6)),
        *(
            localize.state_word(state, language)
            for state in ("firing", "acknowledged", "snoozed", "resolved")
        ),
        *(
            localize.action_label(act, language)
            for act in ("acknowledge", "unacknowledge", "resolve", "snooze")
        ),
    ]

    assert all(words)
    assert len(set(words)) == len(words)


def test_an_unknown_word_is_shown_as_it_is():
    assert localize.state_word("odd", "en") == "odd"
    assert localize.severity_word(9, "en") == "9"


def test_a_language_without_a_catalogue_is_served_by_its_base_or_english():
    assert localize.interface_language("fr-ca") == "fr"
    assert localize.interface_language("ja") == "en"


def test_hebrew_and_arabic_run_from_right_to_left():
    assert [localize.direction(code) for code in ("he", "ar", "en")] == [
        "rtl",
        "rtl",
        "ltr",
    ]


def plain(text: str) -> str:
    """Return the text with CLDR's narrow and hard blanks as ordinary ones."""
    return text.replace(NARROW, " ").replace(HARD, " ")
