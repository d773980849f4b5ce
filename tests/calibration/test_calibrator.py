"""The file that corrects in production: what it gives, and what it refuses with one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

import phraseproof
from phraseproof.calibration.calibrator import Calibrator, Correction
from phraseproof.errors import FileError, UsageError

BIAS = (0.5, -0.2, -0.3)


def calibrator(length: str = "", *more: Correction, by_position: bool = False) -> Calibrator:
    correction = Correction("tickets", "ours/today", 0, ("billing", "bug", "praise"), by_position, BIAS, 120)
    return Calibrator("batch", "loglikelihood", length, "a model", (correction, *more))


def test_a_file_corrects_as_what_was_saved(tmp_path: Path) -> None:
    given = np.array([[-1.0, -2.0, -3.0], [-4.0, -0.1, -9.0]])
    path = tmp_path / "deep" / "calibrator.json"
    calibrator().save(path)
    loaded = phraseproof.Calibrator.load(path)
    assert loaded == calibrator()
    found = loaded.apply(given, task="tickets", wording="ours/today")
    assert found == pytest.approx(log_softmax(given - np.array(BIAS), axis=-1))
    one = loaded.apply(given[0].tolist(), task="tickets", wording="ours/today")
    assert one.tolist() == found[0].tolist()


def test_options_in_another_order_are_found_by_their_texts() -> None:
    found = calibrator().apply(
        [-3.0, -1.0, -2.0], task="tickets", wording="ours/today", options=["praise", "billing", "bug"]
    )
    assert found == pytest.approx(log_softmax([-3.0 + 0.3, -1.0 - 0.5, -2.0 + 0.2]))


def test_lengths_divide_before_the_bias_is_subtracted() -> None:
    options = ["billing", "bug", "praise"]
    by_bytes = calibrator("bytes").apply([-7.0, -3.0, -6.0], task="tickets", wording="ours/today", options=options)
    assert by_bytes == pytest.approx(log_softmax([-1.5, -0.8, -0.7]))
    by_tokens = calibrator("tokens").apply([-7.0, -3.0, -6.0], task="tickets", wording="ours/today", tokens=[2, 1, 3])
    assert by_tokens == pytest.approx(log_softmax([-4.0, -2.8, -1.7]))


def test_positions_serve_examples_with_fewer_options_and_an_empty_prompt_stays_empty() -> None:
    positions = calibrator(by_position=True)
    found = positions.apply([-1.0, -2.0], task="tickets", wording="ours/today")
    assert found == pytest.approx(log_softmax([-1.5, -1.8]))
    nothing = positions.apply([[-np.inf, -np.inf], [-np.inf, -1.0]], task="tickets", wording="ours/today")
    assert nothing.tolist() == [[-np.inf, -np.inf], [-np.inf, 0.0]]


def test_the_number_of_demonstrations_is_asked_for_where_there_are_several() -> None:
    other = Correction("tickets", "ours/today", 2, ("billing", "bug", "praise"), False, (0.0, 0.0, 0.0), 120)
    both = calibrator("", other)
    given = [-1.0, -2.0, -3.0]
    found = both.apply(given, task="tickets", wording="ours/today", num_fewshot=2)
    assert found == pytest.approx(log_softmax(given))
    with pytest.raises(UsageError, match=r"num_fewshot=None.*one of: 0, 2"):
        both.apply(given, task="tickets", wording="ours/today")


@pytest.mark.parametrize(
    ("given", "more", "message"),
    [
        ([-1.0, -2.0, -3.0], {"task": "mmlu"}, "not fitted on the task 'mmlu' .*one of: tickets"),
        ([-1.0, -2.0, -3.0], {"wording": "w"}, "not fitted on the wording 'w' of tickets .*one of: ours/today"),
        ([-1.0, -2.0], {}, "another number of options .*expected 3: billing, bug, praise, got 2"),
        ([-1.0, -2.0, -3.0], {"options": ["a", "bug", "praise"]}, "other options than"),
        ([-1.0, -2.0, -3.0], {"options": ["bug", "praise"]}, "as many options as"),
        ([-1.0, float("nan"), -3.0], {}, "not a log-probability"),
        ([0.5, 0.2, 0.3], {}, "not a log-probability .*expected at most 0"),
        ([], {}, "not log-probabilities of options"),
        ([[-1.0], [-1.0, -2.0]], {}, "rows of equal length"),
    ],
)
def test_what_does_not_fit_is_one_line(given: object, more: dict[str, object], message: str) -> None:
    where = {"task": "tickets", "wording": "ours/today"} | more
    with pytest.raises(UsageError, match=message) as error:
        calibrator().apply(given, **where)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_a_missing_length_is_one_line() -> None:
    for length in ("bytes", "tokens"):
        with pytest.raises(UsageError, match=f"divides by the options' .*{length}"):
            calibrator(length).apply([-1.0, -2.0, -3.0], task="tickets", wording="ours/today")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.5", "0.6", "its checksum is not that of its content"),
        ('"checksum"', '"other"', "its checksum"),
        ("calibrator 1", "calibrator 9", "not a calibrator of this version"),
        ("{", "", "not valid JSON"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "c.json"
    calibrator().save(path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(FileError, match=message) as error:
        Calibrator.load(path)
    assert "\n" not in str(error.value)
    with pytest.raises(FileError, match="cannot be read"):
        Calibrator.load(tmp_path / "none.json")


@pytest.mark.parametrize("content", [[], 3, {}, {"format": "phraseproof calibrator 1"}])
def test_other_json_is_no_calibrator(tmp_path: Path, content: object) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FileError):
        Calibrator.load(path)


def test_loading_one_imports_numpy_and_nothing_that_reads_runs_or_models() -> None:
    code = (
        "import sys, phraseproof; phraseproof.Calibrator; "
        "print([name for name in ('torch', 'transformers', 'pyarrow', 'duckdb', 'scipy', 'pydantic', 'pandas') "
        "if name in sys.modules], 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"
