"""`negation`: its plan, its table of given runs, and a small study of a shipped model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.alignment.pairs import save_pairs
from phraseproof.errors import UsageError
from phraseproof.store.queries import load_run
from phraseproof.studies import negation as module
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import AlignmentStep
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.closer_look import KINDS
from phraseproof.studies.negation import NegationStudy, training_sets
from phraseproof.studies.steps import EvaluationStep
from phraseproof.studies.study import StudyRequest
from support.study_runs import imported


@pytest.fixture
def request_(tmp_path: Path) -> StudyRequest:
    return StudyRequest(models=("pocket/tiny",), tasks=("pocket/has-maker",), limit=2, out=tmp_path / "out")


def test_pt_kl_is_trained_without_negations_and_shares_its_training_with_other_studies(request_: StudyRequest) -> None:
    base, *others = NegationStudy().plan(request_)
    assert isinstance(base, EvaluationStep)
    assert tuple(base.spec.instructions) == tuple(kind for kind in KINDS if kind != "task_designer")
    trainings = [step for step in others[::2] if isinstance(step, AlignmentStep)]
    assert [step.settings.method for step in trainings] == ["pt+kl", "negation", "joint"]
    assert [bool(step.pairs[0].negations) for step in trainings] == [False, True, True]
    assert trainings[0].pairs == alignment_pairs(request_, "pocket/tiny").sets
    assert [pair.paraphrases for pair in trainings[1].pairs] == [pair.paraphrases for pair in trainings[0].pairs]


def test_changes_are_means_over_tasks_on_the_same_wordings(tmp_path: Path) -> None:
    # Two binary tasks and one of another category, which weigh equally.
    kinds = {"Correct": (0.5, 0.7), "Negation": (0.4, 0.4), "Unobserved": (0.5, 0.5)}
    tasks = ("StrategyQA", "Winowhy", "Vitaminc_Fact_Verification")
    before = imported(tmp_path / "before", {(task, kind): found for task in tasks for kind, found in kinds.items()})
    changed = {("Winowhy", "Negation"): (0.1, 0.1), ("StrategyQA", "Unobserved"): (0.6, 0.8)}
    accuracies = {(task, kind): changed.get((task, kind), found) for task in tasks for kind, found in kinds.items()}
    after = imported(tmp_path / "after", accuracies)
    exhibit = carry_out(NegationStudy(), StudyRequest(runs=(before.path, after.path), out=tmp_path / "out"))
    own, paper = exhibit.tables
    assert own.headings == ("training", "closest", "collected", "negated")
    cells = [[cell.split("\n")[0] for cell in row] for row in own.rows]
    assert cells[0] == ["base", "60.0 ± 14.1", "50.0 ± 0.0", "40.0 ± 0.0"]
    assert cells[1][1:] == ["60.0 ± 14.1", "56.7 ± 4.7", "30.0 ± 0.0"]
    assert cells[2] == ["  change", "0.0", "+6.7", "-10.0"]
    assert paper.rows[2] == (
        "Negation", "58.6 ± 2.0", "52.7 ± 9.2", "55.6 ± 4.3", "46.5", "43.0 ± 4.9", "35.7 ± 5.6",
    )  # fmt: skip
    gains = exhibit.results.select(statistic="difference from the base", level="overall")
    assert {row.group: round(row.estimate, 1) for row in gains} == {"closest": 0.0, "collected": 6.7, "negated": -10.0}


def test_a_small_study_trains_and_measures(request_: StudyRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "METHODS", ("joint",))
    request = replace(request_, max_steps=3, gradient_accumulation=1)
    exhibit = carry_out(NegationStudy(), request)
    base, _, aligned = NegationStudy().plan(request)

    def mean(folder: Path) -> float:
        return fmean(row.mean_score for row in load_run(folder).wording_scores() if row.group == "negated")

    assert [row[0] for row in exhibit.tables[0].rows] == ["base", "joint", "  change"]
    (change,) = exhibit.results.select(statistic="difference from the base", level="overall", group="negated")
    assert change.estimate == pytest.approx(100 * (mean(aligned.folder) - mean(base.folder)))
    assert "joint: 3 steps of 1 batch (0.2 passes through the pairs), learning rate 0.01, λ 0.8" in exhibit.notes


def test_negated_wordings_must_be_known(request_: StudyRequest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no negated wordings are known that some/model can be trained on"):
        training_sets(StudyRequest(models=("some/model",)), "some/model")
    plain, negated = training_sets(request_, "pocket/tiny")
    for sets, name in ((plain.sets, "plain.jsonl"), (negated.sets, "negated.jsonl")):
        save_pairs(sets, tmp_path / name)
    with pytest.raises(UsageError, match="no training pair has a negated wording"):
        training_sets(replace(request_, pairs=tmp_path / "plain.jsonl"), "some/model")
    _, read = training_sets(replace(request_, pairs=tmp_path / "negated.jsonl"), "some/model")
    assert read.sets[0].negations == negated.sets[0].negations


def test_wordings_to_train_on_are_refused_with_a_file_of_pairs(request_: StudyRequest, tmp_path: Path) -> None:
    for name in ("observed", "negations"):
        both = replace(request_, pairs=tmp_path / "pairs.jsonl", instructions={name: ("pocket-negation",)})
        with pytest.raises(UsageError, match=f"--instructions: the group '{name}' has no effect with --pairs"):
            training_sets(both, "pocket/tiny")


def test_pairs_without_a_negated_wording_are_left_out_of_all_trainings(request_: StudyRequest, tmp_path: Path) -> None:
    _, negated = training_sets(request_, "pocket/tiny")
    one, two, three, *_ = negated.sets
    save_pairs([one, replace(two, negations=()), three], tmp_path / "some.jsonl")
    plain, pushed = training_sets(replace(request_, pairs=tmp_path / "some.jsonl"), "some/model")
    for sets in (plain.sets, pushed.sets):
        assert [(pair.instruction, pair.input) for pair in sets] == [
            (kept.instruction, kept.input) for kept in (one, three)
        ]
    assert all(pair.negations for pair in pushed.sets)
    assert pushed.notes == ["training: 2 pairs of some.jsonl; 1 without a negated wording are left out"]
