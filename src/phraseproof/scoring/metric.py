"""The base class of metrics: a value per example, and one value for many examples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.extraction import without_thoughts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from phraseproof.core import Cell, Outcome, Task


class CellKey(NamedTuple):
    """What distinguishes the cells of one scorer and metric, as in `Cell`."""

    task: str
    instruction: str
    num_fewshot: int = 0
    fewshot_seed: int = 0
    repeat: int = 0
    option_order: int = 0

    @classmethod
    def of(cls, cell: Cell) -> CellKey:
        """That of a cell."""
        return cls(cell.task, cell.instruction, cell.num_fewshot, cell.fewshot_seed, cell.repeat, cell.option_order)


class Metric(ABC):
    """Scores outcomes.

    A corpus metric, which is not a mean over examples, sets `is_corpus` and overrides `example_statistics` and
    `aggregate`: what is stored of each example can then be resampled like any other value.

    Attributes:
        name: as users name it, with the argument where there is one (`regex:PATTERN`).
        unit: "%" if values are fractions that are shown times 100; otherwise the unit's text, or nothing.
        low, high: the range of an example's value.
        is_binary: whether an example's value is 0 or 1 (partial credit is the exception that tests report).
        is_corpus: whether the value of many examples is computed from sums of `statistics`, not the mean of scores.
        is_graded: whether an example may lack a readable value; its last statistic is then 0, and else 1.
        is_batched: whether it is computed from stored texts, many at once, because it asks a model.
        judges_text: whether it compares a generated text with references; a metric of the chosen option otherwise.
        higher_is_better: the direction of improvement.
        margin: the largest difference of means that does not matter, as values are stored; `None` where nothing is
            known of it, for which metrics in percent have two points.
    """

    name: str
    unit: str = "%"
    low: float = 0.0
    high: float = 1.0
    is_binary: bool = False
    is_corpus: ClassVar[bool] = False
    is_graded: ClassVar[bool] = False
    is_batched: ClassVar[bool] = False
    judges_text: ClassVar[bool] = False
    higher_is_better: ClassVar[bool] = True
    margin: ClassVar[float | None] = None

    @property
    def scale(self) -> float:
        """The factor by which values are multiplied before they are shown."""
        return 100.0 if self.unit == "%" else 1.0

    @property
    def default_margin(self) -> float | None:
        """`margin`, or two points of a metric in percent; `None` where neither is known."""
        return 0.02 if self.margin is None and self.unit == "%" else self.margin

    @property
    def width(self) -> float:
        """The largest distance between two values."""
        return self.high - self.low

    def benefit(self, value: float) -> float:
        """The value or difference of values, with a sign by which more is better."""
        return value if self.higher_is_better else -value

    def require(self, references: Sequence[str], /) -> None:  # noqa: B027 - most metrics need nothing
        """Check that the metric can be computed, before a model is asked.

        Args:
            references: the expected texts of a task.

        Raises:
            MissingExtraError: a package is not installed.
            UsageError: the metric's argument or the references do not fit.
        """

    def of_task(self, _task: Task, /) -> Metric:
        """The metric as it scores a task's outcomes: itself, unless the task has rules for it (`Task.answers`)."""
        return self

    def in_cell(self, _cell: CellKey, _examples: Iterable[str], /) -> Metric:
        """The metric as it scores the outcomes of one cell: itself, unless it compares them with other stored texts.

        Args:
            cell: whose outcomes are scored.
            examples: their names.

        Raises:
            RunError: what they are compared with is not stored.
        """
        return self

    def require_cell(self, cell: CellKey, examples: Sequence[str], /) -> None:  # noqa: B027 - most need nothing
        """Check that the metric can be computed for a cell, before a model is asked.

        Args:
            cell, examples: as for `in_cell`.

        Raises:
            RunError: too few of the texts that they are compared with are stored.
        """

    @property
    def questions_per_text(self) -> int:
        """How many questions the metric asks a model about each text."""
        return 0

    @abstractmethod
    def score(self, outcome: Outcome) -> float:
        """The value of one example. `outcome.score` is not set yet."""

    def scores(self, outcomes: Sequence[Outcome]) -> list[float]:
        """The values of many examples, for metrics that are faster in batches: by default one after the other."""
        return [self.score(outcome) for outcome in outcomes]

    def judge(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes with the score and the statistics of this metric.

        A metric of texts does not see thoughts that a model writes before its answer (`without_thoughts`).
        """
        seen = self.seen(outcomes)
        return [
            replace(outcome, score=score, statistics=self.example_statistics(judged))
            for outcome, judged, score in zip(outcomes, seen, self.scores(seen), strict=True)
        ]

    def seen(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The outcomes as the metric sees them: of texts, without thoughts."""
        return [_without_thoughts(outcome) for outcome in outcomes] if self.judges_text else outcomes

    def example_statistics(self, _outcome: Outcome, /) -> tuple[float, ...]:
        """What `aggregate` needs of one example, such that sums over examples are enough; nothing of a mean."""
        return ()

    def aggregate(self, sums: NDArray[np.float64], examples: int, /) -> NDArray[np.float64]:
        """The metric of many examples: by default the mean of their scores.

        Args:
            sums: [..., values] sums over examples of `example_statistics`, or of the score alone where the metric is
                a mean.
            examples: how many examples the sums are over.

        Returns:
            [...] one value for each sum, such as for each resample.
        """
        return sums[..., 0] / examples

    @property
    def identity(self) -> Mapping[str, object]:
        """What else than the name can change values, as plain data: the content of files that the name points to."""
        return {}

    @property
    def signature(self) -> str | None:
        """The versions and settings that the values depend on, as the library prints them; `None` where it has none."""
        return None

    def require_mean(self, what: str, hint: str | None = None) -> None:
        """Refuse what is defined for metrics that are means over examples only.

        Args:
            what: such as "the choice of a wording".
            hint: what to do; by default, to compute another metric from the stored texts.

        Raises:
            NotEnoughDataError: a corpus metric.
        """
        if self.is_corpus:
            raise NotEnoughDataError(
                f"{what} needs scores of single examples, and {self.name} is computed from all examples together",
                hint=hint
                or "Add another metric with evaluate --metric and the same --out: the model is not asked again",
            )

    def require_binary(self, test: str) -> None:
        """Refuse a statistic that is defined for right and wrong answers only.

        Args:
            test: the statistic's name, such as "McNemar's test".

        Raises:
            NotEnoughDataError: the metric's values are not 0 and 1.
        """
        if not self.is_binary:
            raise NotEnoughDataError(f"{test} needs outcomes of 0 or 1, and the metric {self.name!r} has other values")


def _without_thoughts(outcome: Outcome) -> Outcome:
    return outcome if outcome.text is None else replace(outcome, text=without_thoughts(outcome.text))
