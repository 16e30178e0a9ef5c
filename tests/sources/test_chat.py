"""Words of chat messages, also of those that are made to be slow."""

from __future__ import annotations

import time

import pytest

from alertcenter.alerts.sources import chat


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("[FIRING:1] HostDown (db-1)", "HostDown (db-1)"),
        ("db-1 is now down!!", "db-1"),
        ("Deploy - #12 failed after 3 s", "Deploy"),
        ("web-1. It was down for 5 minutes", "web-1"),
        ("Disk   state changed from OK to ALARM", "Disk"),
        ("checkout ... ok", "checkout"),
    ],
)
def test_a_title_without_its_state(title, left):
    assert chat.bare(title) == left


@pytest.mark.parametrize("run", [" . ", "   ", "...", "```", "\n \n", "ok ", "- #1 "])
def test_runs_of_signs_cost_little(run):
    title = (run * chat.LONGEST)[: chat.LONGEST - 1] + "x"
    began = time.thread_time()
    for _time in range(100):
        chat.bare(title)
    assert time.thread_time() - began < 0.4
