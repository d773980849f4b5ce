"""Pairs get a teacher's answers, with where they come from; files keep them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phraseproof.alignment.pairs import TeacherRecord, load_pairs, pairs_from_task, save_pairs
from phraseproof.analysis.ensembles import combine
from phraseproof.analysis.option_values import load_option_values
from phraseproof.core import Kind, Task
from phraseproof.errors import UsageError
from phraseproof.identity import content_hash
from phraseproof.store.queries import Run, load_run
from phraseproof.teaching.teach import score_wordings, teach_pairs
from phraseproof.teaching.teacher import TeacherSettings, ask_teacher
from support.ensemble_runs import LABELS, right_options, skilled, write_ensemble_run
from support.harden_data import make_task, make_wordings
from support.taught_pairs import pairs_of

LOGPROBS = skilled(5, wordings=4, examples=24)
PAIRS = pairs_of("t", 24)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_ensemble_run(tmp_path_factory.mktemp("run"), {"t": LOGPROBS}))


def test_targets_are_the_ensembles_answers_whatever_the_label(run: Run, tmp_path: Path) -> None:
    taught = teach_pairs(PAIRS, run, TeacherSettings("ensemble", calibration="none"))
    expected = np.exp(LOGPROBS).mean(axis=0).argmax(axis=-1)
    assert [pair.target for pair in taught.pairs] == [LABELS[option] for option in expected]
    assert taught.pairs[0].teacher == TeacherRecord(
        "ensemble",
        "org/model",
        tuple(f"ours/{n}" for n in range(4)),
        "",
        content_hash([cell.identity for cell in run.cells]),
    )
    assert (
        taught.pairs
        == teach_pairs(
            [replace(pair, target="no") for pair in PAIRS], run, TeacherSettings("ensemble", calibration="none")
        ).pairs
    )
    save_pairs(taught.pairs, tmp_path / "pairs.jsonl")
    assert load_pairs(tmp_path / "pairs.jsonl") == taught.pairs


def test_a_distribution_holds_every_options_probability(run: Run, tmp_path: Path) -> None:
    taught = teach_pairs(PAIRS, run, TeacherSettings("majority", "distribution"))
    found = np.array([pair.option_probabilities for pair in taught.pairs])
    np.testing.assert_allclose(found, np.exp(combine(LOGPROBS, "majority")), atol=1e-6)
    save_pairs(taught.pairs, tmp_path / "pairs.jsonl")
    assert load_pairs(tmp_path / "pairs.jsonl") == taught.pairs


def test_labelled_examples_keep_their_answers(run: Run) -> None:
    taught = teach_pairs(PAIRS, run, TeacherSettings("best", labelled=6))
    kept = [pair for pair in taught.pairs if pair.teacher is None]
    assert len(kept) == 6
    assert all(pair in PAIRS for pair in kept)
    (quality,) = taught.qualities
    assert (quality.examples, quality.judged) == (18, 18)
    (few,) = teach_pairs(PAIRS, run, TeacherSettings(labelled=6, has_labels=False)).qualities
    assert (few.examples, few.judged) == (18, 6)
    (none,) = teach_pairs(PAIRS, run, TeacherSettings(has_labels=False)).qualities
    assert (none.examples, none.judged, none.accuracy) == (24, 0, None)


def test_best_is_judged_on_labels_that_it_was_not_chosen_on(tmp_path: Path) -> None:
    # Wordings that guess: the best of 40 on 8 labelled examples is right on most of these, and at chance elsewhere.
    guesses = skilled(7, wordings=40, examples=300, skill=0.0)
    run = load_run(write_ensemble_run(tmp_path, {"t": guesses}))
    settings = TeacherSettings("best", labelled=8, has_labels=False)
    (values,) = load_option_values(run)
    teacher = ask_teacher(values, settings)
    right = right_options(300)
    on_its_own = np.mean([teacher.answers[place].argmax() == right[place] for place in teacher.labelled])
    (found,) = teach_pairs(pairs_of("t", 300), run, settings).qualities
    expected: list[bool] = []
    for place in teacher.labelled:
        others = [each for each in teacher.labelled if each != place]
        hits = [(guesses[row, others].argmax(axis=-1) == right[others]).sum() for row in range(40)]
        expected.append(guesses[int(np.argmax(hits)), place].argmax() == right[place])
    assert found.judged == 8
    assert found.accuracy == pytest.approx(np.mean(expected))
    assert np.mean(expected) < on_its_own
    assert any("better than chance" in warning for warning in found.warnings)


def test_the_reference_teaches_its_own_pairs(run: Run) -> None:
    pairs = [*PAIRS[:12], *pairs_of("t", 24, reference="ours/3")[12:]]
    taught = teach_pairs(pairs, run, TeacherSettings("reference")).pairs
    expected = [*LOGPROBS[0, :12].argmax(axis=-1), *LOGPROBS[3, 12:].argmax(axis=-1)]
    assert [pair.target for pair in taught] == [LABELS[option] for option in expected]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"task": ""}, "needs to know the task"),
        ({"options": ()}, "needs to know the task"),
        ({"task": "u"}, "the run has no task 'u'"),
        ({"example": "99"}, "the run has no example '99'"),
        ({"options": LABELS[:2]}, "more options for this example than the pair"),
    ],
)
def test_pairs_that_the_run_does_not_know(changes: dict[str, object], problem: str, run: Run) -> None:
    with pytest.raises(UsageError, match=problem):
        teach_pairs([replace(PAIRS[0], **changes)], run)


def test_a_model_is_asked_about_the_pairs_examples_under_every_wording(tmp_path: Path) -> None:
    task, wordings = make_task(size=12), make_wordings(3)
    pairs = pairs_from_task(task, wordings[:1], wordings[1:], limit=5)
    scored = score_wordings("scripted", [task], wordings, pairs, tmp_path / "run")
    assert len(scored.cells) == 3
    assert {cell.num_examples for cell in scored.cells} == {5}
    taught = teach_pairs(pairs, scored)
    assert [pair.example for pair in taught.pairs] == [pair.example for pair in pairs]
    assert {pair.target for pair in taught.pairs} <= {"yes", "no"}


def test_free_texts_are_refused(tmp_path: Path) -> None:
    task = Task("s", Kind.FREE_TEXT, "s", ())
    with pytest.raises(UsageError, match="answers of 's' are free texts"):
        score_wordings("scripted", [task], [], [], tmp_path / "run")
