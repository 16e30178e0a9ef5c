"""What does a line of the log say?"""

from __future__ import annotations

import json
import logging

from alertcenter.common.logs import JsonFormatter


def test_what_a_record_brings_along_is_written():
    given = {"msg": "job_failed", "job": "wake", "error": ValueError("no")}
    line = json.loads(JsonFormatter().format(logging.makeLogRecord(given)))
    assert (line["event"], line["job"], line["error"]) == ("job_failed", "wake", "no")
