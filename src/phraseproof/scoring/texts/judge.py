"""The metric `judge:RUBRIC@MODEL`: a model grades texts by a rubric (arXiv 2306.05685).

Values are from 0 (the lowest grade) to 1 (the highest); of pairs, 1 is a win, 0.5 a tie and 0 a loss. An answer
without a grade is unreadable: it is in no mean, and counted apart. The metric is therefore computed from two sums, of
grades and of readable grades.

Metrics know no models and no runs: `connect` gives it what asks a model, and what holds the texts of another run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from phraseproof.core import Outcome
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.identity import content_hash
from phraseproof.scoring.extraction import without_thoughts
from phraseproof.scoring.metric import CellKey, Metric
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.scoring.texts.normalization import text_of
from phraseproof.scoring.texts.pair_statistics import EQUAL_TEXTS, NO_OTHER_TEXT, UNREADABLE, PairStatistics
from phraseproof.scoring.texts.rubric import JudgeModel, Rubric, read_rubric

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_READABLE = 0.5
"""The share of grades that must be readable: with fewer, the rubric does not fit the model."""

_LEAST_SHARED = 0.5
"""The share of examples that the other run must hold."""


class Asks(Protocol):
    """What asks the judge, and keeps its answers."""

    @property
    def settings(self) -> Mapping[str, object]:
        """The model and how it generates, as plain data."""
        ...

    def answers(self, prompts: Sequence[str]) -> list[str]:
        """The answer to each prompt."""
        ...


class HoldsTexts(Protocol):
    """What knows the texts of another run."""

    @property
    def name(self) -> str:
        """The run, for messages."""
        ...

    def texts(self, cell: CellKey) -> Mapping[str, str]:
        """By example, the texts with which those of a cell are compared.

        Raises:
            RunError: the run holds none for this cell.
        """
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
        self._rubric: Rubric | None = None
        self._asks: Asks | None = None
        self._holds: HoldsTexts | None = None
        self._others: Mapping[str, str] | None = None

    @property
    def rubric(self) -> Rubric:
        """The rubric; its file is read at first use, and is not needed to read a run."""
        if self._rubric is None:
            self._rubric = read_rubric(self._file)
        return self._rubric

    def read_again(self) -> None:
        """Read the rubric's file at its next use: it may have been edited since this process read it."""
        self._rubric = None

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

    def connect(self, asks: Asks, holds: HoldsTexts | None = None) -> None:
        """Give the metric the model that grades, and the run that a rubric with `against` names."""
        self._asks = asks
        self._holds = holds

    def require(self, _references: Sequence[str], /) -> None:
        """Read the rubric, so that what is wrong in it is reported before a model is asked."""
        _ = self.judge_model

    def in_cell(self, cell: CellKey, examples: Iterable[str], /) -> Judge:
        """The metric with the texts that those of the cell's examples are compared with."""
        if self.rubric.against is None:
            return self
        found = copy(self)
        found._others = self._shared(cell, examples)  # noqa: SLF001 - of this class
        return found

    def require_cell(self, cell: CellKey, examples: Sequence[str], /) -> None:
        """Refuse a cell of which the other run holds less than half of the examples: its mean would be of few pairs."""
        if self.rubric.against is None:
            return
        shared = len(self._shared(cell, examples))
        if shared < _LEAST_SHARED * len(examples):
            raise RunError(
                f"the run holds {shared} of {len(examples)} examples of {cell.task!r} on which texts are compared",
                expected="at least half of them",
                where=self._run.name,
                hint="Evaluate both runs with the same --limit and --seed",
            )

    @property
    def questions_per_text(self) -> int:
        """One, and two of pairs."""
        return 2 if self.rubric.is_pairs else 1

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
        seen = self.seen(outcomes)
        asked = [self._questions(outcome) for outcome in seen]
        answers = iter(self._connected.answers([prompt for prompts in asked for prompt in prompts]))
        given = [[next(answers) for _ in prompts] for prompts in asked]
        results = [self._results(outcome, each) for outcome, each in zip(outcomes, given, strict=True)]
        self._require_grades([(each, found) for each, found in zip(given, results, strict=True) if each])
        return [
            _with(outcome, self._statistics(judged, found, is_asked=bool(each)))
            for outcome, judged, each, found in zip(outcomes, seen, given, results, strict=True)
        ]

    def _shared(self, cell: CellKey, examples: Iterable[str]) -> dict[str, str]:
        stored = self._run.texts(cell)
        return {name: without_thoughts(stored[name]) for name in examples if name in stored}

    def _other(self, outcome: Outcome) -> str | None:
        """The text that is compared with that of the outcome; `None` where the other run lacks the example."""
        if self.rubric.against is None:
            return outcome.reference or ""
        if self._others is None:
            raise UsageError(f"the metric '{self.name}' compares the texts of cells, and no cell is named")
        return self._others.get(outcome.example_id)

    def _questions(self, outcome: Outcome) -> list[str]:
        if not self.rubric.is_pairs:
            return self.rubric.prompts(outcome)
        other = self._other(outcome)
        return [] if other is None or other == outcome.text else self.rubric.prompts(outcome, other)

    def _results(self, outcome: Outcome, answers: Sequence[str]) -> tuple[float, ...] | None:
        if not answers:
            return None
        try:
            return self.rubric.results(answers)
        except SlowPatternError as error:
            raise error.of_example(outcome.example_id) from None

    def _statistics(self, outcome: Outcome, results: Sequence[float] | None, *, is_asked: bool) -> tuple[float, ...]:
        if not self.rubric.is_pairs:
            return (0.0, 0.0) if results is None else (results[0], 1.0)
        if results is not None:
            return PairStatistics.of_results(*results)
        if is_asked:
            return UNREADABLE
        return NO_OTHER_TEXT if self._other(outcome) is None else EQUAL_TEXTS

    def _require_grades(self, found: Sequence[tuple[Sequence[str], Sequence[float] | None]]) -> None:
        unreadable = [answers for answers, results in found if results is None]
        if len(unreadable) <= (1 - _LEAST_READABLE) * len(found):
            return
        rubric = self.rubric
        scale = "" if rubric.is_pairs else f", from {rubric.scale[0]} to {rubric.scale[1]}"
        raise ModelError(
            f"{len(unreadable)} of {len(found)} answers of the judge have no grade",
            expected=f"a match of {rubric.grade!r}{scale}",
            got=repr(unreadable[0][-1][-80:]),
            where=self.judge_model.model,
            hint="Change prompt, grade or max_new_tokens of the rubric",
        )

    def aggregate(self, sums: NDArray[np.float64], _examples: int, /) -> NDArray[np.float64]:
        """The mean of the readable grades: the first statistic is the grade, the last one whether it is readable."""
        return sums[..., 0] / np.maximum(sums[..., -1], 1.0)

    @property
    def identity(self) -> Mapping[str, object]:
        """The rubric, and the judge with all that can change its answers; in a cell also the texts compared with."""
        found: dict[str, object] = {"rubric": self.rubric.content, "judge": dict(self._connected.settings)}
        # Omitted where they have no effect, so that cells of older versions still match.
        if self.rubric.is_pairs:
            found["pair_statistics"] = list(PairStatistics._fields)
        if self._others is not None:
            found["against"] = content_hash(sorted(self._others.items()))
        return found

    @property
    def signature(self) -> str:
        """The rubric with its hash, the judge, and the run that texts are compared with."""
        rubric, against = self.rubric, self.rubric.against
        found = f"rubric:{rubric.name}|{rubric.content[:8]}|judge:{self.judge_model.model}"
        if against is None:
            return found
        return f"{found}|against:{against.run}" + (f" {against.instruction}" if against.instruction else "")

    @property
    def _connected(self) -> Asks:
        if self._asks is None:
            raise UsageError(f"the metric '{self.name}' grades with a model, and only evaluate loads one")
        return self._asks

    @property
    def _run(self) -> HoldsTexts:
        if self._holds is None:
            raise UsageError(f"the metric '{self.name}' compares texts with a run, and only evaluate reads it")
        return self._holds


def _with(outcome: Outcome, statistics: tuple[float, ...]) -> Outcome:
    return replace(outcome, score=statistics[0], statistics=tuple(statistics))


def make(argument: str) -> Metric:
    """The metric of a rubric, and of a model after `@`."""
    rubric, at, model = argument.partition("@")
    if not rubric or (at and not model):
        raise UsageError("no rubric", expected="judge:RUBRIC or judge:RUBRIC@MODEL", got=argument, where="--metric")
    return Judge(rubric, model or None, f"judge:{argument}")
