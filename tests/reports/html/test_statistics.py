"""The page's table of statistics."""

from phraseproof.analysis.statistics import robustness
from phraseproof.reports.html.statistics import headings, statistics_table
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.grid_samples import grid
from support.other_metrics import LETTERS

VALUES = [[1, 1, 0, 1, 0, 1], [1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 0, 0]]


def test_every_number_is_in_percent_with_its_interval() -> None:
    (found,) = robustness([grid(VALUES, groups=["g"] * 3, task="c/t")])
    table = statistics_table(found, ACCURACY)
    (row,) = table.rows
    mean = found.tasks[0].groups["g"].findings["mean"]
    assert mean.low is not None
    assert mean.high is not None
    assert table.headings[:2] == ("mean (%)", "Std (points)")
    # 8 of 18 answers are right.
    assert (row.cells[0].text, row.cells[0].interval) == ("44.4", f"{100 * mean.low:.1f} to {100 * mean.high:.1f}")
    assert any(mean.method in line for line in table.methods)


def test_other_units_stand_in_the_headings_and_shares_stay_in_percent() -> None:
    (found,) = robustness([grid(VALUES, groups=["g"] * 3, task="c/t")])
    table = statistics_table(found, LETTERS)
    assert list(table.headings) == [
        "mean (letters)",
        "Std (letters)",
        "worst (letters)",
        "best (letters)",
        "range (letters)",
        "examples that flip (%)",
        "agreement (kappa)",
    ]
    assert table.rows[0].cells[0].text == "0.444"
    assert list(headings(LETTERS).values()) == list(table.headings)
