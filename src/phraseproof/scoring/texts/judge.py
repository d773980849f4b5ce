"""The metric `judge:RUBRIC@MODEL`: a model grades texts by a rubric (arXiv 2306.05685).

Values are from 0 (the lowest grade) to 1 (the highest). An answer without a grade is unreadable: it is in no mean, and
counted apart. The metric is therefore computed from two sums, of grades and of readable grades.

Metrics know no models: `connect` gives it what asks one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from phraseproof.core import Outcome
from phraseproof.errors import ModelError, UsageError
from phraseproof.identity import content_hash
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.scoring.texts.normalization import text_of
from phraseproof.scoring.texts.rubric import JudgeModel, Rubric, read_rubric

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_READABLE = 0.5
"""The share of grades that must be readable: with fewer, the rubric does not fit the model."""


class Asks(Protocol):
    """What asks the judge, and keeps its answers."""

    @property
    def settings(self) -> Mapping[str, object]:
        """The model and how it generates, as plain data."""
        ...

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """The answer to each prompt."""
        ...


class Judge(Metric):
    """A model's grades by a rubric.

    Args:
        rubric: the path of its file, or the name of a shipped one.
        model: the model's name; `None` for the one that the rubric names.
        name: as users name the metric.
    """

    judges_text = True
    is_batched = True
    is_corpus = True
    is_graded = True

    def __init__(self, rubric: str, model: str | None, name: str) -> None:
        self.name = name
        self._file = rubric
        self._model = model
        self._asks: Asks | None = None

    @cached_property
    def rubric(self) -> Rubric:
        """The rubric; its file is read at first use, and is not needed to read a run."""
        return read_rubric(self._file)

    @property
    def judge_model(self) -> JudgeModel:
        """The model that grades.

        Raises:
            UsageError: neither the metric's name nor the rubric names one.
        """
        given = self.rubric.judge
        if self._model is not None:
            same = given is not None and given.model == self._model
            return given if same and given is not None else JudgeModel(model=self._model)
        if given is None:
            raise UsageError(
                f"the rubric {self.rubric.name!r} names no model",
                where="--metric",
                hint=f"Write {self.name}@MODEL, or the field judge into the rubric",
            )
        return given

    def connect(self, asks: Asks) -> None:
        """Give the metric the model that grades."""
        self._asks = asks

    def require(self, _references: Sequence[str], /) -> None:
        """Read the rubric, so that what is wrong in it is reported before a model is asked."""
        _ = self.judge_model

    def score(self, outcome: Outcome) -> float:
        """Of a single text; 0 where the grade is unreadable."""
        return self.judge([outcome])[0].score

    def judge(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes with grade and statistics. The judge does not see thoughts before an answer.

        Raises:
            ModelError: more than half of the judge's answers have no grade.
        """
        for outcome in outcomes:
            text_of(outcome, self.name)
        asked = [self.rubric.prompts(outcome) for outcome in self.seen(outcomes)]
        answers = iter(self._connected.answers([prompt for prompts in asked for prompt in prompts]))
        given = [[next(answers) for _ in prompts] for prompts in asked]
        values = [self._value(outcome, each) for outcome, each in zip(outcomes, given, strict=True)]
        unreadable = [each for each, value in zip(given, values, strict=True) if value is None]
        if len(unreadable) > (1 - _LEAST_READABLE) * len(values):
            raise ModelError(
                f"{len(unreadable)} of {len(values)} answers of the judge have no grade",
                expected=f"a match of {self.rubric.grade!r}, from {self.rubric.scale[0]} to {self.rubric.scale[1]}",
                got=repr(unreadable[0][-1][-80:]),
                where=self.judge_model.model,
                hint="Change prompt, grade or max_new_tokens of the rubric",
            )
        return [_graded(outcome, value) for outcome, value in zip(outcomes, values, strict=True)]

    def _value(self, outcome: Outcome, answers: Sequence[str]) -> float | None:
        try:
            return self.rubric.value(answers)
        except SlowPatternError as error:
            raise error.of_example(outcome.example_id) from None

    def aggregate(self, sums: NDArray[np.float64], _examples: int, /) -> NDArray[np.float64]:
        """The mean of the readable grades."""
        return sums[..., 0] / np.maximum(sums[..., 1], 1.0)

    @property
    def identity(self) -> Mapping[str, object]:
        """The rubric, and the judge with all that can change its answers."""
        rubric = self.rubric.model_dump(mode="json", exclude={"judge"})
        return {"rubric": content_hash(rubric), "judge": dict(self._connected.settings)}

    @property
    def signature(self) -> str:
        """The rubric with its hash, and the judge."""
        rubric = self.rubric.model_dump(mode="json", exclude={"judge"})
        return f"rubric:{self.rubric.name}|{content_hash(rubric)[:8]}|judge:{self.judge_model.model}"

    @property
    def _connected(self) -> Asks:
        if self._asks is None:
            raise UsageError(f"the metric '{self.name}' grades with a model, and only evaluate loads one")
        return self._asks


def _graded(outcome: Outcome, value: float | None) -> Outcome:
    score = 0.0 if value is None else value
    return replace(outcome, score=score, statistics=(score, float(value is not None)))


def make(argument: str) -> Metric:
    """The metric of a rubric, and of a model after `@`."""
    rubric, at, model = argument.partition("@")
    if not rubric or (at and not model):
        raise UsageError("no rubric", expected="judge:RUBRIC or judge:RUBRIC@MODEL", got=argument, where="--metric")
    return Judge(rubric, model or None, f"judge:{argument}")
