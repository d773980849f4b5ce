from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.run_file import EvaluatedSample, read_run_file, require_growth, sample_entry, samples_of

OLD = {"model": {"name": "m"}, "limit": 4, "scoring": "loglikelihood"}


def test_a_run_grows_in_sample_and_scorer_only(tmp_path: Path) -> None:
    grown = require_growth(tmp_path, OLD, {**OLD, "limit": 9, "scoring": "paper"})
    assert grown == {**OLD, "limit": 9}, "the scorer of the first evaluation stays the first"
    assert require_growth(tmp_path, OLD, {**OLD, "limit": None})["limit"] is None
    with pytest.raises(RunError, match=r"another setting of model\.name"):
        require_growth(tmp_path, OLD, {**OLD, "model": {"name": "n"}})
    with pytest.raises(RunError, match="a larger sample"):
        require_growth(tmp_path, OLD, {**OLD, "limit": 3})


def test_samples_of_old_and_new_runs() -> None:
    assert samples_of({"settings": OLD}) == [EvaluatedSample(4, 0, "loglikelihood")]
    new = [EvaluatedSample(4, 0), EvaluatedSample(None, 0, "paper")]
    section = {name: entry for each in new for name, entry in sample_entry(each).items()}
    assert samples_of({"settings": OLD, "samples": section}) == new


def test_a_folder_of_run_folders_gets_a_hint_that_lists_them(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"it has no run\.json.*phraseproof runs .* lists those in it"):
        read_run_file(tmp_path)
    with pytest.raises(RunError, match="Check the path"):
        read_run_file(tmp_path / "nope")
