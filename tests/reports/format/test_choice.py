"""A choice as text and JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from phraseproof.analysis.selection.stored import choose_stored
from phraseproof.reports.build.choice import choice_reports
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.choice import render_json, render_text
from phraseproof.store.queries import load_run
from support.choice_runs import write_choice_run


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory):
    draw = np.random.default_rng(0)
    shares = np.linspace(0.9, 0.2, 14)
    scores = (draw.random((14, 100)) < shares[:, None]).astype(float)
    run = load_run(write_choice_run(tmp_path_factory.mktemp("runs") / "r", {"t": scores}))
    return choice_reports([run], choose_stored([run]))


def test_the_text_shows_ten_wordings_and_fits_a_terminal(reports) -> None:
    text = render_text(reports, Screen(80))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "t, 0-shot: 14 wordings, 100 examples"
    assert sum(line.startswith("ours/") for line in lines) == 10
    assert "4 more in the other formats" in text
    best = reports[0].choice
    assert f"{100 * best.found.values.max():.1f}" in text
    assert "chosen" in text


def test_the_json_holds_the_same_numbers(reports) -> None:
    document = json.loads(render_json(reports))
    (choice,) = document["choices"]
    found = reports[0].choice.found
    assert choice["chosen"] == reports[0].choice.wordings[found.best]
    assert choice["observed"] == found.values.max()
    assert choice["bound"] == found.at_least[found.best]
    assert choice["low"] <= choice["bound"] <= choice["corrected"] <= choice["high"]
    assert len(choice["maybe_best"]) == found.maybe_best.sum()
    assert len(document["results"]["rows"]) == 7 + 2 * 14
