"""What people and programs see of a reduction."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.reduction.reduce import Reduction, reduce
from phraseproof.reduction.results import reduction_table, reduction_text
from phraseproof.reports.build.run_tables import Screen
from support.option_grids import simulated, store_values


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Reduction:
    of = simulated(np.random.default_rng(1), wordings=8, examples=100, options=3, skill=2.0, prior=1.5)
    return reduce(store_values(tmp_path_factory.mktemp("runs") / "run", of))


@pytest.mark.parametrize("width", [80, 100, 140])
def test_lines_fit_the_terminal(found: Reduction, width: int) -> None:
    text = reduction_text(found, Screen(width=width))
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for way in found.tasks[0].ways[1:]:
        assert f"{100 * way.gain.estimate:+.1f}" in words
        assert f"{100 * way.gain_elsewhere.estimate:+.1f}" in words


def test_rows_hold_every_number_of_the_text(found: Reduction) -> None:
    table = reduction_table(found)
    task = found.tasks[0]
    for way in task.ways[1:]:
        (row,) = table.select(statistic=f"gain: {way.way.name}")
        assert (row.estimate, row.low, row.high) == tuple(100 * value for value in way.gain[:3])
        (elsewhere,) = table.select(statistic=f"gain with other wordings: {way.way.name}")
        assert elsewhere.estimate == 100 * way.gain_elsewhere.estimate
    assert {row.unit for row in table} == {"%", "points", ""}
    assert table.notes
