"""Teachers against plain NumPy on the same log-probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from phraseproof.analysis.option_values import OptionValues, load_option_values
from phraseproof.errors import UsageError
from phraseproof.store.queries import load_run
from phraseproof.teaching.teacher import TeacherSettings, ask_teacher, labelled_places
from support.ensemble_runs import right_options, skilled, write_ensemble_run

LOGPROBS = skilled(3, wordings=5, examples=30)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> OptionValues:
    run = load_run(write_ensemble_run(tmp_path_factory.mktemp("run"), {"t": LOGPROBS}))
    (task,) = load_option_values(run)
    return task


def test_the_calibrated_ensemble_is_the_mean_of_corrected_probabilities(values: OptionValues) -> None:
    probabilities = np.exp(LOGPROBS)
    corrected = probabilities / probabilities.mean(axis=1, keepdims=True)
    corrected /= corrected.sum(axis=-1, keepdims=True)
    teacher = ask_teacher(values, TeacherSettings("ensemble"))
    np.testing.assert_allclose(np.exp(teacher.answers), corrected.mean(axis=0), rtol=1e-9)
    assert teacher.members == (0, 1, 2, 3, 4)


def test_without_calibration_it_is_the_mean_probability(values: OptionValues) -> None:
    teacher = ask_teacher(values, TeacherSettings("ensemble", calibration="none"))
    np.testing.assert_allclose(np.exp(teacher.answers), np.exp(LOGPROBS).mean(axis=0), rtol=1e-9)


def test_the_majority_is_the_option_that_most_wordings_choose(values: OptionValues) -> None:
    teacher = ask_teacher(values, TeacherSettings("majority"))
    votes = np.eye(3)[LOGPROBS.argmax(axis=-1)].sum(axis=0)
    chosen = teacher.answers.argmax(axis=-1)
    assert (votes[np.arange(30), chosen] == votes.max(axis=-1)).all()
    np.testing.assert_allclose(logsumexp(teacher.answers, axis=-1), 0, atol=1e-9)


def test_the_best_wording_is_chosen_on_the_labelled_examples_alone(values: OptionValues) -> None:
    teacher = ask_teacher(values, TeacherSettings("best", labelled=8, seed=1))
    rows = labelled_places("t", values.examples, 8, 1)
    right = LOGPROBS.argmax(axis=-1) == right_options(30)
    accuracies = right[:, rows].mean(axis=1)
    (member,) = teacher.members
    assert accuracies[member] == accuracies.max()
    np.testing.assert_allclose(softmax(teacher.answers, axis=-1), np.exp(LOGPROBS[member]), rtol=1e-9)
    assert list(teacher.labelled) == list(rows)


def test_the_reference_is_the_wording_of_each_pair(values: OptionValues) -> None:
    teacher = ask_teacher(values, TeacherSettings("reference"))
    answers, wordings = teacher.for_pairs_of("ours/2")
    np.testing.assert_allclose(answers, LOGPROBS[2], atol=1e-9)
    assert wordings == ("ours/2",)
    with pytest.raises(UsageError, match="no answers under the reference wording 'ours/9'"):
        teacher.for_pairs_of("ours/9")


def test_a_smaller_draw_of_labelled_examples_is_part_of_a_larger(values: OptionValues) -> None:
    few, more = (set(labelled_places("t", values.examples, count, 0)) for count in (5, 12))
    assert len(few) == 5
    assert few < more
    assert few != set(labelled_places("t", values.examples, 5, 1))
    with pytest.raises(UsageError, match="fewer examples than labelled"):
        labelled_places("t", values.examples, 31, 0)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"teacher": "oracle"}, "--teacher: no such choice"),
        ({"teacher_as": "text"}, "--teacher-as: no such choice"),
        ({"calibration": "pride"}, "--teacher-calibration: no such choice"),
        ({"teacher": "best", "labelled": 0}, "--labelled: too few labelled examples"),
        ({"labelled": -1}, "--labelled: too few labelled examples"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        TeacherSettings(**settings)  # type: ignore[arg-type]


def test_only_the_ensemble_is_calibrated_by_default_and_only_the_best_needs_labels() -> None:
    assert [TeacherSettings(name).method for name in ("ensemble", "majority", "best")] == ["batch", "none", "none"]
    assert [TeacherSettings(name).count for name in ("ensemble", "majority", "best")] == [0, 0, 20]
