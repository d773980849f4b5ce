"""Outcomes of trainings that are kept as files, and the tables made of them (benchmarks/remedies)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmarks.remedies.outcomes import Outcomes, read_outcomes, write_outcomes
from benchmarks.remedies.protocol import AS_IT_IS_FILE, METHODS, OTHER_RATES
from benchmarks.remedies.seed_trainings import candidate_of
from benchmarks.remedies.seeds import OUTCOMES, planned
from benchmarks.remedies.seeds_table import tables

from phraseproof.alignment.methods import METHODS as KNOWN
from phraseproof.analysis.calibrated import cross_fitted
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.analysis.reductions.run import CALIBRATION
from support.method_searches import with_more_skill
from support.option_grids import simulated


def measured(seed: int) -> OptionValues:
    """A task with two kinds of options: an example of the first kind has one less."""
    made = simulated(np.random.default_rng(seed), wordings=4, examples=20, options=3, skill=1.0, prior=1.5)
    has_option = made.has_option.copy()
    has_option[:5, 2] = False
    credit = np.where(has_option, made.credits, 0.0)
    credit[credit.sum(axis=1) == 0, 0] = 1.0
    return replace(
        made,
        task=f"t{seed}",
        examples=tuple(f"e{number:02}" for number in range(20)),
        values=np.where(has_option, made.values, -np.inf),
        has_option=has_option,
        credits=credit,
        classes=np.where(has_option, made.classes, -1),
    )


def write(path: Path, *tasks: OptionValues, **record: object) -> None:
    write_outcomes(path, Outcomes({"protocol": "p", **record}, {"test": tasks}), CALIBRATION)


def test_what_is_read_has_the_accuracy_of_what_was_written(tmp_path: Path) -> None:
    of = measured(1)
    write(tmp_path / "a.parquet", of, rate=0.001)
    found = read_outcomes(tmp_path / "a.parquet")
    assert found.record == {"protocol": "p", "rate": 0.001}
    (same,) = found.sets["test"]
    assert (same.wordings, same.examples) == (of.wordings, of.examples)
    np.testing.assert_array_equal(same.has_option, of.has_option)
    np.testing.assert_array_equal(scores(same.values, same), scores(of.values, of))
    of_calibrated = scores(cross_fitted(of, CALIBRATION), of)
    np.testing.assert_array_equal(scores(cross_fitted(same, CALIBRATION), same), of_calibrated)
    table = pq.read_table(tmp_path / "a.parquet")
    assert np.mean(table["calibrated_score"].to_pylist()) == pytest.approx(of_calibrated.mean())


def test_a_table_has_the_means_of_the_files(tmp_path: Path) -> None:
    tasks = [measured(1), measured(2)]
    method = METHODS[0]
    write(tmp_path / AS_IT_IS_FILE, *tasks)
    cost = {"written": method.written, "rate": method.rate, "steps": 240}
    cost |= {"prompts": 480, "tokens": 1000, "seconds": 1.0}
    accuracies: list[float] = []
    of_wordings: list[np.ndarray] = []
    for seed, skill in enumerate((2.0, 3.0)):
        trained = [with_more_skill(of, skill) for of in tasks]
        write(tmp_path / method.file_name(seed), *trained, seed=seed, **cost)
        accuracies.append(100 * float(np.mean([scores(of.values, of) for of in trained])))
        of_wordings += [100 * scores(of.values, of).mean(axis=1) for of in trained]
    calibrated = 100 * float(np.mean([scores(cross_fitted(of, CALIBRATION), of) for of in tasks]))
    forms = {
        (of.task, name): "a text" if number else "a letter" for of in tasks for number, name in enumerate(of.wordings)
    }
    lines = list(tables(tmp_path, by_task=True, forms=forms))
    (row,) = (line for line in lines if line.startswith(f"| {method.name} | 2 |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:4] == [f"{np.mean(accuracies):.1f}", f"{np.std(accuracies, ddof=1):.1f}"]
    expected = {
        4: np.mean([np.std(each, ddof=1) for each in of_wordings]),
        5: np.mean([each.min() for each in of_wordings]),
        7: np.mean(accuracies) - calibrated,
    }
    for column, value in expected.items():
        estimate, low, high = map(float, re.findall(r"[-+]?[0-9.]+", cells[column]))
        assert estimate == pytest.approx(value, abs=0.06)
        assert low < estimate < high
    letters, texts = np.mean([each[0] for each in of_wordings]), np.mean([each[1:] for each in of_wordings])
    assert f"| {method.name} | {letters:.1f} | {texts:.1f} |" in lines
    assert "| | a letter, 2 wordings | a text, 6 wordings |" in lines
    assert any(line.startswith("| t2 |") for line in lines)
    assert f"| {method.name} | `{method.written}` | 0.001 | yes | 0, 1 | 240 | 480 | 1,000 | 1 |" in lines


@pytest.mark.parametrize("other", [{"protocol": "q"}, {"steps": 480}, {"rate": 0.5}, {"written": "lora"}])
def test_outcomes_of_another_protocol_rate_or_length_are_refused(other: dict[str, object], tmp_path: Path) -> None:
    write(tmp_path / AS_IT_IS_FILE, measured(1))
    method = METHODS[0]
    made = {"protocol": "p", "seed": 0, "written": method.written, "rate": method.rate, "steps": method.steps}
    write_outcomes(tmp_path / method.file_name(0), Outcomes({**made, **other}, {"test": (measured(1),)}), CALIBRATION)
    with pytest.raises(SystemExit, match=r"seed-0\.parquet: of "):
        list(tables(tmp_path))


def test_a_seed_of_all_methods_is_complete_before_the_next() -> None:
    found = [(method.name, seed) for method, seed in planned([], [0, 1])]
    names = [method.name for method in METHODS]
    assert found[: len(names)] == [(name, 0) for name in names]
    assert found[-len(names) :] == [(name, 1) for name in names]
    assert len(found) == 2 * len(names) + len(OTHER_RATES)
    assert [method.name for method, _ in planned([], [1])] == names  # processes with other seeds train no other rates
    assert list(planned([OTHER_RATES[0].name], [1])) == [(OTHER_RATES[0], 1)]
    with pytest.raises(SystemExit, match="'nonsense' is not one of"):
        list(planned(["nonsense"], [0]))


def test_all_methods_read_as_many_prompts() -> None:
    for method in (*METHODS, *OTHER_RATES):
        settings = candidate_of(method).settings
        of_pair = 1 if KNOWN[settings.method].draws_one else 1 + settings.paraphrases_per_batch
        assert settings.max_steps is not None
        assert settings.max_steps * of_pair * settings.gradient_accumulation == 480


def test_the_kept_outcomes_are_of_one_protocol_and_hold_no_text() -> None:
    files = sorted(OUTCOMES.glob("*.parquet"))
    assert AS_IT_IS_FILE in {path.name for path in files}
    assert len({read_outcomes(path).record["protocol"] for path in files}) == 1
    names = {name for each in pq.read_table(files[0])["class_names"].to_pylist() for name in each.split("|")}
    assert all(len(name) == 6 for name in names)
