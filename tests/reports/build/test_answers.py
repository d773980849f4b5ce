"""Chance, the best constant answer and constant wordings: against scikit-learn, on runs that were evaluated."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

import phraseproof
from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reports.build.answers import (
    answer_lines,
    answers_of,
    baseline,
    by_wording,
    constant_answers,
    constant_line,
)
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.runs import table_sources
from phraseproof.reports.format.tables import By, TableFormat, render
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import Run

LABELS = ("billing", "bug", "praise")
Rule = Callable[[Prompt, str], float]


def mixed(prompt: Prompt, option: str) -> float:
    """`billing` under the first wording and whatever the text hashes to under the others."""
    if prompt.text.startswith("Say 0"):
        return float(option == "billing")
    return zlib.crc32(f"{prompt.text}|{option}".encode()) / 2**32


def task(name: str, right: Sequence[int], choices: Sequence[tuple[str, ...]] | None = None) -> Task:
    examples = [
        Example(f"e{n}", {"question": f"{name} {n}?"}, of, tuple(float(place == best) for place in range(len(of))))
        for n, (of, best) in enumerate(zip(choices or [LABELS] * len(right), right, strict=True))
    ]
    return Task(name, Kind.MULTI_CLASS, f"category of {name}", tuple(examples))


def evaluated(out: Path, *tasks: Task, model: Rule = mixed, wordings: int = 3, **settings: object) -> Run:
    given = [
        Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {{{{ question }}}}", answer="{{ choice }}")
        for n in range(wordings)
    ]
    spec = EvaluationSpec(**settings)  # pyright: ignore[reportArgumentType]
    groups = {"g": {each.name: given for each in tasks}}
    return prepare(ScriptedModel(model), list(tasks), groups, spec).run(out, self_test=False)


RIGHT = [0] * 12 + [1] * 10 + [2] * 8


def test_one_constant_wording_is_counted_and_named(tmp_path: Path) -> None:
    answers = answers_of(evaluated(tmp_path, task("t", RIGHT)))
    assert answer_lines(answers, ACCURACY) == (
        "1 of 3 wordings gives one answer to 95% or more of the examples ('billing')",
        "chance 33.3, majority answer 40.0 ('billing')",
    )


def test_the_line_counts_wordings_on_each_task(tmp_path: Path) -> None:
    run = evaluated(tmp_path, task("t", RIGHT), task("u", RIGHT[::2]), model=lambda _, option: float(option == "bug"))
    assert constant_line(answers_of(run)) == (
        "6 of 6 wordings, counted on each task, give one answer to 95% or more of the examples ('bug')"
    )


def test_the_line_says_where_draws_are_counted_together(tmp_path: Path) -> None:
    shown = task("t", RIGHT)
    shown = replace(shown, demonstrations=tuple(replace(each, id=f"d{each.id}") for each in shown.examples))
    run = evaluated(tmp_path, shown, model=lambda _, option: float(option == "bug"), num_fewshot=(1,), fewshot_draws=2)
    assert constant_line(answers_of(run)) == (
        "3 of 3 wordings, counted over all draws, give one answer to 95% or more of the examples ('bug')"
    )


def test_a_right_model_on_a_sample_of_one_class_is_not_called_constant(tmp_path: Path) -> None:
    run = evaluated(tmp_path, task("t", [0] * 20), model=lambda _, option: float(option == "billing"))
    assert not constant_line(answers_of(run))


def test_a_handful_of_answers_is_not_called_constant(tmp_path: Path) -> None:
    run = evaluated(tmp_path, task("t", [0, 1, 2]), model=lambda _, option: float(option == "billing"))
    assert all(not constant_answers(each) for each in answers_of(run))


def test_baselines_are_means_over_tasks_then_categories(tmp_path: Path) -> None:
    pairs = [(f"a{n}", f"b{n}") for n in range(10)]
    run = evaluated(tmp_path, task("t", RIGHT), task("u", [0, 1] * 5, pairs))
    found = baseline(answers_of(run))
    assert found.chance == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert found.majority == pytest.approx((0.4 + 0.5) / 2)


def test_options_that_differ_have_positions(tmp_path: Path) -> None:
    four = [tuple(f"{n}-{place}" for place in range(4)) for n in range(20)]
    run = evaluated(tmp_path, task("t", [n % 4 for n in range(20)], four), model=lambda _, option: -float(option[-1]))
    lines = answer_lines(answers_of(run), ACCURACY)
    assert lines == (
        "3 of 3 wordings give one answer to 95% or more of the examples ('option 1')",
        "chance 25.0, majority answer 25.0 ('option 1')",
        "options by position, positions 1 to 4: chosen 100.0, 0.0, 0.0, 0.0; right 25.0, 25.0, 25.0, 25.0 percent",
    )


def test_f1_and_balanced_accuracy_are_those_of_scikit_learn(tmp_path: Path) -> None:
    run = evaluated(tmp_path, task("t", RIGHT))
    found = by_wording(answers_of(run))
    table = phraseproof.table(run, by="wording")
    for wording in ("c/w0", "c/w1", "c/w2"):
        rows = [row for row in run.outcomes().to_pylist() if row["instruction"] == wording]
        right = [row["options"][row["target"]] for row in rows]
        chosen = [row["options"][row["predicted"]] for row in rows]
        given = found["t", "g", wording]
        assert given.macro_f1 == pytest.approx(f1_score(right, chosen, average="macro"))
        assert given.balanced_accuracy == pytest.approx(balanced_accuracy_score(right, chosen))
        assert given.share == max(map(chosen.count, LABELS)) / len(chosen)
        values = {row.statistic: row.estimate for row in table.select(wording=wording)}
        assert values["macro_f1"] == pytest.approx(100 * f1_score(right, chosen, average="macro"))
        assert values["most_chosen"] == pytest.approx(100 * given.share)


def test_constant_answers_are_the_first_thing_that_every_output_says(tmp_path: Path) -> None:
    run = evaluated(tmp_path, task("t", RIGHT))
    line = "1 of 3 wordings gives one answer to 95% or more of the examples ('billing')"
    for by in By:
        lines = render(table_sources([run]), by=by, screen=Screen(100)).text.splitlines()
        assert lines[3] == line, "below the names of model, folder and settings"
    assert phraseproof.table(run).notes[0] == line
    assert phraseproof.table(run, by="wording").notes[0] == line
    assert phraseproof.analyze(run).notes[0] == line
    assert phraseproof.compare(run, run).notes[0] == line


def test_rows_of_the_result_table_hold_the_baselines(tmp_path: Path) -> None:
    found = phraseproof.table(evaluated(tmp_path, task("t", RIGHT)))
    values = {(str(row.level), row.statistic): (row.estimate, row.method) for row in found}
    assert values["task", "chance"] == (pytest.approx(100 / 3), "mean share of right options")
    assert values["task", "majority"] == (pytest.approx(40.0), "best constant answer: billing")
    assert values["overall", "majority"][0] == pytest.approx(40.0)


def test_a_run_with_a_budget_says_it_too(tmp_path: Path) -> None:
    run = evaluated(
        tmp_path, task("t", RIGHT * 4), wordings=10, budget=0.3, model=lambda _, option: float(option == "bug")
    )
    rendered = render(table_sources([run]), screen=Screen(100))
    assert rendered.text.splitlines()[3].startswith("10 of 10 wordings give one answer")
    assert "chance 33.3, majority answer 4" in rendered.text
    assert not any("chance" in line for line in rendered.warnings), "it is in the text already"
    rows = render(table_sources([run]), form=TableFormat.CSV)
    assert any("chance 33.3" in line for line in rows.warnings), "CSV has no other place for it"
