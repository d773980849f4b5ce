"""What methods need of a run next to its log-probabilities."""

from __future__ import annotations

from pathlib import Path

from phraseproof.analysis.calibrated import NO_EXTRA
from phraseproof.analysis.option_values import load_option_values
from phraseproof.calibration.methods import calibration_method
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.reduction.extras import extras_of
from support.calibrated_runs import run


def test_methods_on_stored_numbers_need_nothing_or_lengths(tmp_path: Path) -> None:
    source = run(tmp_path)
    tasks = load_option_values(source)
    assert extras_of(source, tasks, calibration_method("batch"), SilentObserver()) == [NO_EXTRA]
    (lengths,) = extras_of(source, tasks, calibration_method("per-byte"), SilentObserver())
    assert lengths.lengths is not None
