"""`phraseproof.reduce`: try what reduces the spread of a run, as far as the user's access to the model goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from phraseproof.analysis.causes.run import controls_line
from phraseproof.analysis.option_values import OptionValues
from phraseproof.analysis.reductions.confirmation import Confirmation, confirm, set_aside
from phraseproof.analysis.reductions.judging import JudgedTask
from phraseproof.analysis.reductions.recommendation import Recommendation, recommend
from phraseproof.analysis.reductions.run import CALIBRATION, RunReductions, fair_values, judge_tasks
from phraseproof.analysis.reductions.ways import Access
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.scoring.registry import reads_text
from phraseproof.store.queries import Run, load_run

if TYPE_CHECKING:
    from phraseproof.hardening import HardenResult

AccessName = Literal["text", "logprobs"]


@dataclass(frozen=True, slots=True)
class Reduction:
    """What was tried on a run, and what is recommended.

    Attributes:
        run: the run folder.
        scoring: the scorer of its answers.
        access: how far the ways go.
        calibration: the method of the calibrated ways.
        tasks: every task that has enough data, at every number of demonstrations.
        confirmed: by task and number of demonstrations the result of the recommended way on examples that were set
            aside; without those tasks where nothing is recommended.
        overall: the mean over the tasks at one number of demonstrations, where there are several tasks.
        trained: the result of the training, if there was one.
        notes: tasks that were left out, and why.
    """

    run: Path
    scoring: str
    access: Access
    calibration: str
    tasks: tuple[JudgedTask, ...]
    confirmed: Mapping[tuple[str, int], Confirmation]
    overall: JudgedTask | None
    trained: HardenResult | None
    notes: tuple[str, ...]

    @property
    def recommendations(self) -> tuple[tuple[JudgedTask, Recommendation], ...]:
        """What is recommended for every task."""
        return tuple((task, recommend(task)) for task in self.tasks)


def reduce(
    run: Run | str | Path,
    *,
    access: AccessName | None = None,
    calibration: str = CALIBRATION,
    scoring: str | None = None,
    seed: int = 0,
    aside: float = 0.0,
    train: Callable[[Run], HardenResult] | None = None,
) -> Reduction:
    """Judge all ways to reduce the spread of a run over wordings, on examples that they were not fitted on.

    Args:
        run: a run folder, or a run that `load_run` opened.
        access: `text` for the ways that need the chosen options only; `logprobs` for all. Default: what the run has.
        calibration: the method of the calibrated ways, one that needs no further model call (docs/calibration.md).
        scoring: the scorer whose outcomes are read, if the run holds several. Default: the run's first.
        seed: of the folds of the examples and the halves of the wordings.
        aside: the share of the examples that is set aside: the recommended way is scored on them once, at the end.
        train: trains an adapter for the run's model, and measures it on examples and wordings of its own.

    Raises:
        NotEnoughDataError: no task has four wordings and twenty examples, or the run holds no outcomes.
        UsageError: `logprobs` for a run that holds none.
    """
    opened = (run if isinstance(run, Run) else load_run(run)).select(scoring)
    is_text = reads_text(opened.scoring)
    if is_text and access == "logprobs":
        raise UsageError(
            f"the scoring '{opened.scoring}' stores no log-probabilities", where="--access", hint="Use --access text"
        )
    known = Access.TEXT if is_text or access == "text" else Access.LOGPROBS
    values = fair_values(opened, known)
    if not 0 <= aside < 1:
        raise UsageError("not a share", expected="a number from 0 to below 1", got=str(aside), where="--set-aside")
    divided = [set_aside(of, aside, seed) for of in values]
    tasks, refused = judge_tasks([fit for fit, _ in divided], access=known, calibration=calibration, seed=seed)
    notes = tuple(filter(None, (controls_line(opened), *(str(error) for _, error in refused))))
    if not tasks:
        raise NotEnoughDataError("nothing can be judged: " + "; ".join(notes), where=opened.name)
    return Reduction(
        opened.path,
        opened.scoring,
        known,
        calibration,
        tasks,
        dict(_confirmed(tasks, divided, calibration)) if aside else {},
        RunReductions(tasks).overall,
        None if train is None else train(opened),
        notes,
    )


def _confirmed(
    tasks: Sequence[JudgedTask], divided: Sequence[tuple[OptionValues, OptionValues]], calibration: str
) -> Iterator[tuple[tuple[str, int], Confirmation]]:
    sides = {(fit.task, fit.num_fewshot): (fit, kept) for fit, kept in divided}
    for task in tasks:
        place = (task.task, task.num_fewshot)
        fit, kept = sides[place]
        way = recommend(task).way
        if way is not None and len(kept.examples) > 1:
            yield place, confirm(way, fit, kept, calibration=calibration)
