"""What people and programs see of a search among methods."""

from __future__ import annotations

import pytest

from phraseproof.hardening import MethodSearch
from phraseproof.reduction.search_results import search_table, search_text
from phraseproof.reports.build.run_tables import Screen
from support.method_searches import LABEL, method_search


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> MethodSearch:
    return method_search(tmp_path_factory.mktemp("search"), skill=3.0, seeds=2)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_lines_fit_the_terminal(found: MethodSearch, width: int) -> None:
    text = search_text(found, Screen(width=width))
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert " ".join(found.recommendation.split()) in words
    for report in found.reports:
        assert f"{100 * report.gain_over_calibrated(LABEL).estimate:+.1f} (" in words
        assert f"{100 * report.way(LABEL).gain_elsewhere.estimate:+.1f} (" in words
    assert "lora 0.001 1 60 960 41,000 12.5 60.0 <" in words
    assert "1 training wording was not trained on" in words


def test_rows_hold_every_number(found: MethodSearch) -> None:
    table = search_table(found)
    assert table.notes[0] == found.recommendation
    (validation,) = table.select(group="validation", statistic=f"accuracy: {LABEL}")
    assert validation.estimate == 60.0
    for report in found.reports:
        (row,) = table.select(group=report.name, level="overall", statistic=f"gain over calibrated: {LABEL}")
        gain = report.gain_over_calibrated(LABEL)
        assert (row.estimate, row.low, row.high) == (100 * gain.estimate, 100 * gain.low, 100 * gain.high)
        (std,) = table.select(group=report.name, task="t1", statistic=f"std: {LABEL}")
        assert std.estimate == 100 * report.tasks[0].ways[-2].spread
        spread = report.spreads[LABEL][0].std
        assert spread.low is not None
        assert spread.high is not None
        assert (std.low, std.high) == (100 * spread.low, 100 * spread.high)
        assert std.estimate == pytest.approx(100 * spread.estimate)
