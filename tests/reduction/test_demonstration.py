"""The demo's part on a real model: what it says follows from the stored run."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.causes.run import run_causes
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.reduction.demonstration import conclude_real, measure_real
from support.real_models import smollm2

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.xdist_group("smollm2")]


def test_the_real_model_is_measured_and_its_spread_explained(tmp_path: Path) -> None:
    smollm2()  # skips where its package is not installed
    run = measure_real(tmp_path / "run", limit=20, observer=SilentObserver())
    assert (len(run.cells), run.missing) == (10, ())
    found = conclude_real(run)
    assert found.task.examples == 20
    means = [row.mean_score for row in run.wording_scores()]
    assert found.task.ways[0].accuracy == pytest.approx(sum(means) / len(means))
    assert found.cause == cause_sentence(run_causes(run).tasks[0])
    most = run.query_rows(
        "SELECT max(n) AS most FROM (SELECT instruction, predicted, count(*) AS n FROM outcomes GROUP BY ALL) "
        "GROUP BY instruction"
    )
    assert found.constant == sum(row["most"] >= 0.95 * 20 for row in most)
