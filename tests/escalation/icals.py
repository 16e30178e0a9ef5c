"""Calendars in the ways in which various programs write them; all in our own words."""

from __future__ import annotations

from datetime import UTC, datetime


def calendar(*events: str, head: str = "") -> bytes:
    """Return a calendar of these events, each the lines inside its VEVENT."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tests//EN"]
    lines += head.strip().splitlines()
    for event in events:
        lines += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def one(summary: str = "bob", **more: str) -> str:
    """Return an event of an hour at 9 UTC on 1 December 2026."""
    props = {
        "UID": "one@tests",
        "DTSTAMP": "20261101T000000Z",
        "DTSTART": "20261201T090000Z",
        "DTEND": "20261201T100000Z",
        "SUMMARY": summary,
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return "\n".join(f"{name}:{value}" for name, value in props.items() if value)


def shift(summary: str, begin: datetime, end: datetime, uid: str = "") -> str:
    """Return an event between two moments."""
    text = "%Y%m%dT%H%M%SZ"
    return one(
        summary,
        UID=uid or f"{summary}-{begin:%Y%m%d%H}@tests",
        DTSTART=begin.astimezone(UTC).strftime(text),
        DTEND=end.astimezone(UTC).strftime(text),
    )


# Google: the calendar names a zone, recurring events stand in it, one of them moved to
# another hour, another deleted; what is cancelled stays as such.
GOOGLE = calendar(
    """DTSTART;TZID=Europe/Berlin:20261019T080000
DTEND;TZID=Europe/Berlin:20261026T080000
RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO
EXDATE;TZID=Europe/Berlin:20261116T080000
DTSTAMP:20261001T101010Z
UID:4k2j@google.example
CREATED:20260901T080000Z
LAST-MODIFIED:20260901T080000Z
SEQUENCE:1
STATUS:CONFIRMED
SUMMARY:[L1] bob
TRANSP:OPAQUE""",
    """DTSTART;TZID=Europe/Berlin:20261201T100000
DTEND;TZID=Europe/Berlin:20261207T080000
DTSTAMP:20261001T101010Z
UID:4k2j@google.example
RECURRENCE-ID;TZID=Europe/Berlin:20261130T080000
SEQUENCE:2
STATUS:CONFIRMED
SUMMARY:[L1] alice
TRANSP:OPAQUE""",
    """DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
DTSTAMP:20261001T101010Z
UID:holidays@google.example
STATUS:CONFIRMED
SUMMARY:alice\\, bob
TRANSP:TRANSPARENT""",
    """DTSTART:20261225T000000Z
DTEND:20261225T010000Z
DTSTAMP:20261001T101010Z
UID:off@google.example
STATUS:CANCELLED
SUMMARY:bob""",
    head="METHOD:PUBLISH\nX-WR-CALNAME:Ops\nX-WR-TIMEZONE:Europe/Berlin",
)

# Outlook: zones by Microsoft's names with their rules beside them, long lines folded.
OUTLOOK = calendar(
    """DTSTAMP:20261001T101010Z
DTSTART;TZID="W. Europe Standard Time":20261023T180000
DTEND;TZID="W. Europe Standard Time":20261024T080000
RRULE:FREQ=DAILY;UNTIL=20261027T170000Z
CLASS:PUBLIC
PRIORITY:5
SUMMARY;LANGUAGE=en-us:Bob@acme.
 example
TRANSP:OPAQUE
UID:040000008200E00074C5B7101A82E008
X-MICROSOFT-CDO-BUSYSTATUS:BUSY""",
    head="""METHOD:PUBLISH
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE""",
)

# A zone that only the calendar itself explains.
OWN_ZONE = OUTLOOK.replace(b"W. Europe Standard Time", b"Our own time")

# Apple: the zone with all its history, floating times, a duration in place of an end.
APPLE = calendar(
    """CREATED:20261001T101010Z
UID:6F1C-11AA
DTSTART;TZID=Europe/Paris:20261128T220000
DURATION:PT10H
SUMMARY:Alice
SEQUENCE:0
DTSTAMP:20261001T101010Z
X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC
BEGIN:VALARM
ACTION:NONE
TRIGGER;VALUE=DATE-TIME:19760401T005545Z
END:VALARM""",
    """UID:6F1C-22BB
DTSTART:20261129T100000
DTEND:20261129T120000
SUMMARY:bob
DTSTAMP:20261001T101010Z""",
    head="""CALSCALE:GREGORIAN
X-WR-CALNAME:Ops
X-APPLE-CALENDAR-COLOR:#FF2968
BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
DTSTART:19810329T020000
TZNAME:GMT+2
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
DTSTART:19961027T030000
TZNAME:GMT+1
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE""",
)

# PagerDuty: what is on call in the summary, who is by address.
PAGERDUTY = calendar(
    """DTEND;VALUE=DATE-TIME:20261202T080000Z
DTSTART;VALUE=DATE-TIME:20261201T080000Z
ATTENDEE:bob@acme.example
UID:Q1W2E3
URL:https://pagerduty.example/schedules#P1
SUMMARY:On Call - Ops - Primary""",
    head="X-WR-CALNAME:On Call Schedule\nMETHOD:PUBLISH",
)

# Grafana OnCall: one event for each shift, with the level.
ONCALL = calendar(
    """SUMMARY:[L0] alice
DTSTART;VALUE=DATE-TIME:20261201T000000Z
DTEND;VALUE=DATE-TIME:20261201T120000Z
DTSTAMP;VALUE=DATE-TIME:20261101T000000Z
UID:oncall-1-PK1-U1-E1-S1""",
    """SUMMARY:[L3] BOB
DTSTART;VALUE=DATE-TIME:20261201T060000Z
DTEND;VALUE=DATE-TIME:20261201T090000Z
DTSTAMP;VALUE=DATE-TIME:20261101T000000Z
UID:oncall-1-PK2-U2-E1-S2""",
    head="PRODID:-//Grafana OnCall//EN",
)
