"""Bars of measured means, and names of models that are each different."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.studies.mean_bars import error_bars, mean_bar, model_names
from phraseproof.studies.measured import measure
from support.study_runs import four_tasks


def test_a_bar_is_the_mean_with_its_interval_in_percent(tmp_path: Path) -> None:
    found = measure(four_tasks(tmp_path), ("observed", "unobserved"))
    rows = next(rows for rows in found.rows() if rows[0].name == "bbl/strategyqa")
    bar = mean_bar(found, rows, "observed", label="a", name="b")
    finding = rows[1].groups["observed"].findings["mean"]
    assert bar[:2] == ("a", "b")
    assert bar.value == pytest.approx(60.0)
    assert finding.low is not None
    assert bar.low == pytest.approx(100 * finding.low)


def test_runs_of_one_model_have_different_names(tmp_path: Path) -> None:
    one, other, third = (
        measure(four_tasks(tmp_path / name, model=model), ("observed", "unobserved"))
        for name, model in (("one", "some/m"), ("other", "some/m"), ("third", "some/n"))
    )
    assert model_names([one, third]) == ["some/m", "some/n"]
    names = model_names([one, other])
    assert len(set(names)) == 2
    assert all(name.startswith("some/m (") for name in names)


def test_intervals_of_published_accuracies_are_over_wordings(tmp_path: Path) -> None:
    found = measure(four_tasks(tmp_path), ("observed", "unobserved"))
    assert error_bars([found]) == "95% intervals over wordings"
