"""Lines about answers at a terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from phraseproof.reports.build.answers import answers_of
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.answers_text import baselines, constants
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_names_of_classes_are_shown_and_do_not_act(tmp_path: Path) -> None:
    task = answers_of(load_run(write_run(tmp_path)))[0]
    confusion = np.zeros_like(task.confusion)
    confusion[:, 0, 0], confusion[:, 1, 0] = 6, 6
    hostile = replace(task, confusion=confusion, classes=("\x1b[31mred", *task.classes[1:]))
    text = print_blocks([*constants([hostile]), *baselines([hostile], ACCURACY)], Screen(100))
    assert "\x1b" not in text
    assert r"('\x1b[31mred')" in text
    assert "chance " in text


def test_without_answers_there_is_no_line() -> None:
    assert not constants([])
    assert not baselines([], ACCURACY)
