"""`alignment`: its plan, its tables of given runs, and a whole study of a shipped model."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev

import pytest

from phraseproof.store.queries import load_run
from phraseproof.studies import alignment as module
from phraseproof.studies.alignment import AlignmentStudy
from phraseproof.studies.alignment_step import AlignedEvaluation, AlignmentStep
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.published import figures
from phraseproof.studies.study import StudyRequest
from support.study_runs import four_tasks, imported


def test_a_training_and_a_run_for_every_method_and_seed(tmp_path: Path) -> None:
    request = StudyRequest(models=("pocket/tiny",), tasks=("pocket/has-maker",), limit=2, seeds=2, out=tmp_path)
    base, *others = AlignmentStudy().plan(request)
    trainings, runs = others[::2], others[1::2]
    made = [(step.settings.method, step.settings.seed) for step in trainings if isinstance(step, AlignmentStep)]
    assert made == [(method, seed) for seed in (0, 1) for method in ("ft", "ft+kl", "pt", "pt+kl")]
    assert [step.training for step in runs if isinstance(step, AlignedEvaluation)] == trainings
    assert len({step.folder for step in (base, *others)}) == 1 + 2 * 8


def test_given_runs_are_the_base_and_aligned_models(tmp_path: Path) -> None:
    base = four_tasks(tmp_path / "base", model="Flan-T5-XL")
    aligned = imported(
        tmp_path / "aligned",
        {
            ("StrategyQA", "BC"): (0.6, 0.7),
            ("StrategyQA", "Unobserved"): (0.5, 0.7),
            ("MMLU_General", "QA"): (0.38, 0.42),
            ("MMLU_General", "Unobserved"): (0.4, 0.5),
        },
    )
    exhibit = carry_out(AlignmentStudy(), StudyRequest(runs=(base.path, aligned.path), out=tmp_path / "out"))
    table, tests, printed, by_task = exhibit.tables
    first, second = table.rows
    column = table.headings.index("MMLU unobserved")
    assert first[column].startswith("40.0 ± 7.1")
    assert second[column].startswith("45.0 ± 7.1\n+5.0")
    assert second[table.headings.index("MMLU average")].startswith("42.5 ± 4.9\n+2.5")
    # The runs share two tasks: strategyqa +10 and mmlu +5 under unobserved wordings.
    row = next(row for row in tests.rows if row[2] == "unobserved")
    assert row[3].startswith("+7.5")
    assert {row[1] for row in printed.rows} == {"base", "FT", "FT+KL", "PT", "PT+KL †"}
    strategy = next(row for row in by_task.rows if row[0] == "bbl/strategyqa")
    assert strategy[-4:] == ("58.4 ± 1.6", "58.6 ± 2.9", "59.9 ± 8.0", "60.6 ± 6.6")
    assert any("its two groups have a mean of 42.7" in note for note in exhibit.notes)


def test_a_whole_study_with_two_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "METHODS", ("pt+kl",))
    tasks = ("pocket/has-maker", "pocket/label-maker")
    unobserved = {"unobserved": ("pocket-test", "pocket-paraphrase")}
    request = StudyRequest(
        models=("pocket/tiny",), tasks=tasks, instructions=unobserved, limit=2, max_steps=6, seeds=2, out=tmp_path
    )
    exhibit = carry_out(AlignmentStudy(), request)
    base, _, one, _, two = AlignmentStudy().plan(request)

    def mean(folder: Path, group: str) -> float:
        rows = load_run(folder).wording_scores()
        return fmean(fmean(row.mean_score for row in rows if (row.task, row.group) == (task, group)) for task in tasks)

    gains = [100 * (mean(step.folder, "unobserved") - mean(base.folder, "unobserved")) for step in (one, two)]
    seeds = next(table for table in exhibit.tables if table.title.startswith("Over the seeds"))
    row = next(row for row in seeds.rows if row[2] == "unobserved")
    assert (float(row[3]), float(row[4])) == (
        pytest.approx(fmean(gains), abs=0.051), pytest.approx(stdev(gains), abs=0.051),
    )  # fmt: skip
    assert row[-1] == "2"
    by_task = exhibit.tables[-1]
    assert by_task.title == "By task of pocket: pocket/tiny, PT+KL, seed 0"
    assert [found[0] for found in by_task.rows] == ["has-maker", "label-maker"]
    assert [row[1] for row in exhibit.tables[0].rows] == ["base", "PT+KL, seed 0", "PT+KL, seed 1"]
    assert any(note.startswith("training: 24 pairs from the demonstrations of 2 tasks") for note in exhibit.notes)
    step = one.training if isinstance(one, AlignedEvaluation) else None
    trained = {origin.name for pair in (step.pairs if step else ()) for origin in pair.origins}
    tested = {row.instruction for row in load_run(base.folder).wording_scores() if row.group == "unobserved"}
    assert {name.partition("/")[0] for name in trained & tested} == {"pocket-paraphrase"}
    count = f"{len(trained & tested)} of {len(tested)}"
    assert f"pocket/tiny: {count} unobserved wordings are trained on" in exhibit.notes
    assert (
        "PT+KL, seed 1: 6 steps of 4 batches (1.0 passes through the pairs), learning rate 0.01, λ 0.8" in exhibit.notes
    )
    assert len(exhibit.charts["accuracy-by-method-pocket-tiny"].data["bars"]) == 6


def test_changes_of_table_7_follow_from_the_means_of_table_10_where_no_remark_says_otherwise() -> None:
    means = {(each.model, each.row): each for each in figures(["Table 10"])}
    bases = {
        (each.model, each.name, each.group): float(each.value)
        for each in means.values()
        if each.row.startswith(("Flan-T5-3B", "Alpaca-7B"))
    }
    changes = figures(["Table 7"], statistic="difference from the base")
    assert (len(means), len(changes), len(bases)) == (60, 48, 12)
    for each in changes:
        printed = means[each.model, each.row]
        follows = float(printed.value) - bases[each.model, each.name, each.group]
        assert (abs(follows - float(each.value)) < 0.11) is not bool(each.remark), each


def test_every_task_has_both_sides_in_tables_31_and_32() -> None:
    printed = figures(["Table 31", "Table 32"], statistic="mean")
    assert len(printed) == 2 * 2 * 2 * 15
    before = {(each.model, each.name) for each in figures(["Table 19", "Table 21", "Table 23", "Table 25"])}
    assert {(each.model, each.name) for each in printed} <= before
