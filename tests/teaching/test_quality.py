"""When a teacher is doubted: at chance, or with one answer to everything."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.alignment.teacher_quality import TeacherQuality
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import load_option_values
from phraseproof.store.queries import load_run
from phraseproof.teaching.quality import Answers, judge_teacher
from phraseproof.teaching.teacher import TaskTeacher, TeacherSettings, ask_teacher
from support.ensemble_runs import right_options, skilled, write_ensemble_run

EXAMPLES = 60
NOTHING = Answers.of([])


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> TaskTeacher:
    logprobs: Floats = skilled(0, wordings=3, examples=EXAMPLES)
    run = load_run(write_ensemble_run(tmp_path_factory.mktemp("run"), {"t": logprobs}))
    return ask_teacher(load_option_values(run)[0], TeacherSettings())


def quality(teacher: TaskTeacher, chosen: np.ndarray, *, labels: bool = True) -> TeacherQuality:
    answers = Answers(np.arange(len(chosen)), chosen)
    return judge_teacher(teacher, answers, answers if labels else NOTHING)


def test_a_good_teacher_is_not_doubted(teacher: TaskTeacher) -> None:
    right = right_options(EXAMPLES)
    chosen = np.where(np.arange(EXAMPLES) % 5 == 0, (right + 1) % 3, right)
    found = quality(teacher, chosen)
    assert found.accuracy == pytest.approx(0.8)
    assert found.chance == pytest.approx(1 / 3)
    assert found.warnings == ()
    assert "right on 80.0% of 60 labelled pairs" in found.sentence()


def test_one_at_chance_is(teacher: TaskTeacher) -> None:
    found = quality(teacher, np.random.default_rng(1).integers(0, 3, EXAMPLES))
    assert found.accuracy is not None
    assert found.accuracy < 0.45
    assert any("not shown to be better than chance" in warning for warning in found.warnings)


def test_an_example_with_several_pairs_counts_once(teacher: TaskTeacher) -> None:
    # 6 of 12 examples right, chance 1/3: P(X >= 6) = 0.178. Counted four times, 24 of 48 would be far above chance.
    right = right_options(12)
    chosen = np.where(np.arange(12) % 2 == 0, right, (right + 1) % 3)
    answers = Answers(np.tile(np.arange(12), 4), np.tile(chosen, 4))
    found = judge_teacher(teacher, answers, answers)
    assert (found.judged, found.accuracy) == (48, 0.5)
    assert any("not shown to be better than chance" in warning for warning in found.warnings)


@pytest.mark.parametrize(("count", "is_doubted"), [(2, True), (3, False)])
def test_few_right_answers_may_be_chance(teacher: TaskTeacher, count: int, is_doubted: bool) -> None:
    # With chance 1/3, two right of two have probability 1/9, three of three 1/27.
    found = quality(teacher, right_options(count))
    assert any("better than chance" in warning for warning in found.warnings) == is_doubted


def test_without_labels_one_answer_to_everything_is_doubted(teacher: TaskTeacher) -> None:
    chosen = np.where(np.arange(EXAMPLES) < 3, 0, 2)
    found = quality(teacher, chosen, labels=False)
    assert (found.accuracy, found.commonest) == (None, "maybe")
    assert found.share == pytest.approx(0.95)
    assert [("95%" in warning, "'maybe'" in warning) for warning in found.warnings] == [(True, True)]
    assert "not compared with labels" in found.sentence()
    assert quality(teacher, right_options(EXAMPLES), labels=False).warnings == ()


def test_no_answers_give_no_numbers(teacher: TaskTeacher) -> None:
    found = judge_teacher(teacher, NOTHING, NOTHING)
    assert (found.examples, found.judged, found.share, found.warnings) == (0, 0, 0, ())
