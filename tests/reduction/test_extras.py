"""What methods need of a run next to its log-probabilities, and what they then correct."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

import phraseproof
from phraseproof.analysis.calibrated import NO_EXTRA, cross_fitted, fold_of_examples
from phraseproof.analysis.option_values import load_option_values
from phraseproof.calibration.methods import calibration_method
from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.errors import NotEnoughDataError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reduction.extras import extras_of
from support.calibrated_runs import evaluation, noise, prefers, run

OBSERVER = SilentObserver()
LETTERS = "ABC"


def test_methods_on_stored_numbers_need_nothing_or_lengths(tmp_path: Path) -> None:
    source = run(tmp_path)
    tasks = load_option_values(source)
    assert extras_of(source, tasks, calibration_method("batch"), OBSERVER) == [NO_EXTRA]
    (lengths,) = extras_of(source, tasks, calibration_method("per-byte"), OBSERVER)
    assert lengths.lengths is not None
    assert not (tmp_path / "calibration").exists()


def test_contextual_calibration_is_the_formula_of_the_paper(tmp_path: Path) -> None:
    source = run(tmp_path)
    (values,) = tasks = load_option_values(source)
    whole = evaluation()
    (extra,) = extras_of(source, tasks, calibration_method("contextual"), OBSERVER, whole)
    found = cross_fitted(values, "contextual", extra=extra)
    score = prefers()
    for row, wording in enumerate(values.wordings):
        number = wording.removeprefix("c/w")
        blank = [
            softmax([score(Prompt(f"Say {number}: {text}"), name) for name in values.class_names[row]])
            for text in ("N/A", "[MASK]", "")
        ]
        prior = np.mean(blank, axis=0)
        for place in range(len(values.examples)):
            expected = softmax(values.values[row, place]) / prior
            assert np.exp(found[row, place]) == pytest.approx(expected / expected.sum())


def letters_prefer(prompt: Prompt, option: str) -> float:
    """A model that knows the content of the right answer, and prefers letters more than it knows."""
    lines = prompt.text.splitlines()
    shown = {line[0]: line[3:] for line in lines if line[1:3] == ". "}
    content = shown.get(option, option)
    return 2.0 * ("right" in content) + 0.3 * noise(lines[0], content) + {"A": 2.5, "B": 0.0, "C": -1.0}.get(option, 0)


def quiz_evaluation(answer: str = "{{ letter }}", count: int = 40) -> Evaluation:
    examples: list[Example] = []
    for n in range(count):
        right = n % 3
        choices = tuple(f"{'right' if place == right else 'other'} {n}-{place}" for place in range(3))
        examples.append(
            Example(f"q{n}", {"question": f"what is {n}?"}, choices, tuple(float(p == right) for p in range(3)))
        )
    template = '{{ question }}\n{{ choices | enumerate("{letter}. {choice}") }}\nAnswer:'
    wordings = [Instruction(id=f"w{n}", collection="c", template=f"Q{n} {template}", answer=answer) for n in range(2)]
    task = Task("quiz", Kind.MULTIPLE_CHOICE, "C", tuple(examples))
    return prepare(ScriptedModel(letters_prefer), [task], {"g": {"quiz": wordings}}, EvaluationSpec())


def test_pride_finds_the_prior_of_the_letters_and_corrects_what_it_was_not_estimated_on(tmp_path: Path) -> None:
    whole = quiz_evaluation()
    source = whole.run(tmp_path, self_test=False)
    (values,) = tasks = load_option_values(source)
    (extra,) = extras_of(source, tasks, calibration_method("pride"), OBSERVER, whole)
    assert extra.probes is not None
    assert extra.probes.logprobs.shape == (2, 10, 3)
    # The model adds the same to a letter whatever its content: each example shows exactly that prior.
    assert np.exp(extra.probes.logprobs) == pytest.approx(np.broadcast_to(softmax([2.5, 0, -1]), (2, 10, 3)))
    found = cross_fitted(values, "pride", extra=extra)
    expected = log_softmax(values.values - np.array([2.5, 0.0, -1.0]), axis=-1)
    assert found == pytest.approx(expected)
    before, after = (np.mean(np.argmax(each, axis=-1) == values.targets) for each in (values.values, found))
    assert before < 0.7
    assert after == 1.0
    fold = fold_of_examples("quiz", values.examples, 5)
    assert len({int(fold[place]) for place in extra.probes.examples}) > 1


def test_methods_that_apply_to_no_wording_are_one_line(tmp_path: Path) -> None:
    whole = quiz_evaluation("{{ choice }}")
    source = whole.run(tmp_path, self_test=False)
    tasks = load_option_values(source)
    for name in ("contextual", "pride"):
        with pytest.raises(NotEnoughDataError, match=f"{name} applies to no wording of the run") as error:
            extras_of(source, tasks, calibration_method(name), OBSERVER, whole)
        assert "\n" not in str(error.value)


def test_pmi_divides_by_the_probability_of_the_options_without_the_example(tmp_path: Path) -> None:
    whole = quiz_evaluation("{{ choice }}")
    source = whole.run(tmp_path, self_test=False)
    (values,) = tasks = load_option_values(source)
    (extra,) = extras_of(source, tasks, calibration_method("pmi-dc"), OBSERVER, whole)
    found = cross_fitted(values, "pmi-dc", extra=extra)
    assert isinstance(whole.model, ScriptedModel)
    for row, wording in enumerate(values.wordings):
        for place, example in enumerate(whole.tasks[0].examples):
            shown = "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, example.choices, strict=True))
            premise = Prompt(f"Q{wording[-1]} \n{shown}\nAnswer:", example.choices)
            (scores,) = whole.model.score_options([premise])
            expected = log_softmax(values.values[row, place] - np.array(scores.logprobs))
            assert found[row, place] == pytest.approx(expected)


def test_a_run_of_files_is_resolved_from_its_folder_and_keeps_the_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text", "team"])
        rows.writerows([f"number {n}", ("bug", "praise")[n % 2]] for n in range(12))
    (tmp_path / "t.yaml").write_text(
        "name: t\nkind: multi_class\ndata: t.csv\nfields: {question: text}\nanswer: team\nchoices: [bug, praise]\n"
    )
    phraseproof.evaluate("scripted", "t.yaml", {"g": "composed"}, out="run", self_test=False)
    found = phraseproof.calibrate("run", "contextual", out="derived", resamples=50)
    assert found.run is not None
    assert found.run.settings["calibration"]["extra"]
    assert "folds" not in found.run.settings["calibration"]
    files = {path: path.stat().st_mtime_ns for path in Path("run", "calibration").rglob("*.json")}
    assert len(files) == len(found.source.cells)
    again = phraseproof.calibrate("run", "contextual", save="c.json", resamples=50)
    assert {path: path.stat().st_mtime_ns for path in Path("run", "calibration").rglob("*.json")} == files
    assert again.effects == found.effects
    # The folder of answers changes nothing for other readers.
    assert len(phraseproof.table("run")) == len(phraseproof.table(phraseproof.load_run("run")))
