"""The choice of a wording under a budget of calls: the model is asked only where it helps to find the best wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import Flags
from phraseproof.analysis.selection.bounds import simultaneous_bounds
from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.choice import FEWEST_EXAMPLES
from phraseproof.analysis.selection.criteria import Objective
from phraseproof.analysis.selection.resampling import normal_deviations, resamples_for
from phraseproof.analysis.selection.search import Search, Strategy, least_calls
from phraseproof.errors import RunError, UsageError
from phraseproof.evaluation.budget import part_of
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.reduction.round_progress import RoundProgress
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.registry import metric
from phraseproof.store.columns import column_values
from phraseproof.store.locks import PATIENT, LockOptions
from phraseproof.store.queries import Run

DEFAULT_HELD_OUT = 1 / 3


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """How a live choice spends its calls.

    Attributes:
        calls: how many prompts may be scored, one per wording and example. Those that the run folder holds already are
            counted as well, so that the same command always makes the same choice.
        strategy: how the search spreads them over wordings.
        held_out: the share of the calls, and of the examples, that is kept back to estimate the chosen wording's value.
        seed: of the order of the examples.

    Raises:
        UsageError: no call, or a share that leaves nothing.
    """

    calls: int
    strategy: Strategy = Strategy.HALVING
    held_out: float = DEFAULT_HELD_OUT
    seed: int = 0

    def __post_init__(self) -> None:
        if self.calls < 1:
            raise UsageError("no calls to make", expected="at least 1", got=str(self.calls), where="--budget-calls")
        if not 0 < self.held_out < 1:
            raise UsageError(
                "not a share of the calls", expected="above 0 and below 1", got=str(self.held_out), where="--held-out"
            )


@dataclass(frozen=True, slots=True, eq=False)
class LiveChoice:
    """The result of a live choice among W wordings. Values are in the metric's values.

    Attributes:
        run: the run folder, which holds every outcome.
        best: the place of the chosen wording.
        means, counts: [W] of each wording the mean in the search, and on how many examples; the same first examples of
            one random order for all.
        alive: [W] which wordings were still in the search at its end.
        maybe_best: [W] which wordings the search has not shown to be worse than another one; with 95% a best wording is
            among them, whatever the strategy.
        spent: the calls that were used, held-out examples included.
        rounds: how many batches the search took.
        held_out: the number of examples kept back, on which the chosen wording alone was scored.
        value: its mean on them, which is free of the choice.
        low, high: 95% interval of Clopper and Pearson.
        at_least: one-sided 95% bound; of a metric for which lower is better, an upper bound.
    """

    run: Run
    task: str
    category: str
    num_fewshot: int
    metric: Metric
    settings: LiveSettings
    wordings: tuple[str, ...]
    groups: tuple[str, ...]
    best: int
    means: Floats
    counts: Ints
    alive: Flags
    maybe_best: Flags
    spent: int
    rounds: int
    held_out: int
    value: float
    low: float
    high: float
    at_least: float


def find_wording(
    request: EvaluationRequest | EvaluationSpec,
    out: Path,
    settings: LiveSettings,
    *,
    observer: Observer | None = None,
    locking: LockOptions = PATIENT,
) -> LiveChoice:
    """Search for the best wording of one task, and estimate its value on examples that the search did not see.

    Every outcome is stored in the run folder as soon as it is there. The same command continues a search that was
    stopped; outcomes that the folder holds, of whatever evaluation, are not computed again.

    Args:
        request: the model, one task and its wordings, as for `evaluate`.
        out: the run folder.
        settings: calls, strategy, and what is kept back.
        observer: notified of the progress.
        locking: how long other processes that work on the run folder are waited for.

    Raises:
        UsageError: several tasks, scorers, numbers of demonstrations or seeds, fewer than two wordings, or too few
            calls or examples.
        RunError: the model failed on some prompts; or as `Evaluation.run`.
        PhraseproofError: something that is named cannot be used.
    """
    watcher = observer or SilentObserver()
    evaluation = resolve(request, out=out, observer=watcher, locking=locking)
    metric(evaluation.settings.metric).require_mean("the choice of a wording")
    cells = _candidates(evaluation)
    examples = len(cells[0].task.examples)
    kept = int(min(settings.calls * settings.held_out, examples * settings.held_out))
    _require_enough(settings, len(cells), examples, kept)
    order = np.random.default_rng([settings.seed, examples]).permutation(examples)
    search = Search(settings.strategy, len(cells), examples - kept, settings.calls - kept)
    ask = _Asking(evaluation, cells, out, watcher, _scale(metric(evaluation.settings.metric)))
    rounds = 0
    while (batch := search.next_batch()) is not None:
        rounds += 1
        watcher.noted(
            f"round {rounds}: {len(batch.wordings)} of {len(cells)} wordings, examples {batch.first + 1} to "
            f"{batch.last}; {search.spent:,} of {settings.calls - kept:,} calls made"
        )
        search.add(
            batch, ask({int(row): order[: batch.last] for row in batch.wordings}, order[batch.first : batch.last])
        )
    best = search.best
    watcher.noted(f"{kept:,} held-out examples under {cells[best].cell.instruction}")
    last = order[examples - kept :]
    scores = ask({best: np.concatenate([order[: search.counts[best]], last])}, last)
    return _result(evaluation, cells, settings, search, ask, best, rounds, scores[0])


class _Asking:
    """Scores examples under wordings through the run folder.

    Args:
        scale: the metric's worst and best value.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        cells: Sequence[PlannedCell],
        out: Path,
        observer: Observer,
        scale: tuple[float, float],
    ) -> None:
        self._evaluation = evaluation
        self._cells = cells
        self._out = out
        self._observer = observer
        self.scale = scale
        self._self_test = evaluation.settings.self_test
        self.run: Run | None = None

    def __call__(self, wanted: Mapping[int, Ints], returned: Ints) -> Floats:
        """Store outcomes, and return some of them.

        Args:
            wanted: by wording all examples that its cell is to hold; those that are stored cost nothing.
            returned: the examples whose scores are returned.

        Returns:
            [wordings of `wanted`, `returned`] scores between 0 (worst) and 1 (best).

        Raises:
            RunError: the model failed on some of them.
        """
        parts = {row: part_of(self._cells[row], sorted(map(int, examples))) for row, examples in wanted.items()}
        part = replace(self._evaluation, planned=tuple(parts.values()))
        progress = RoundProgress(self._observer, len(wanted) * len(returned))
        self.run = part.run(self._out, observer=progress, self_test=self._self_test)
        self._self_test = False
        ids = [self._cells[0].task.examples[int(place)].id for place in returned]
        worst, best = self.scale
        found = [(self._scores(part.cell.identity, ids) - worst) / (best - worst) for part in parts.values()]
        return np.stack(found)

    def _scores(self, identity: str, ids: Sequence[str]) -> Floats:
        assert self.run is not None, "set by the caller"
        cells = [cell for cell in self.run.cells if cell.identity == identity]
        if any(cell in self.run.missing for cell in cells):
            failed = next((each.error for each in self.run.failures if each.cell in cells), "no outcome was stored")
            raise RunError(
                f"the search needs every answer, and the model gave none under {cells[0].instruction}: {failed}",
                where=str(self._out),
                hint="The same command tries again and continues",
            )
        ((_, table),) = self.run.read_cells(("example_id", "score"), only=cells[:1])
        scores = np.asarray(column_values(table["score"]), dtype=np.float64)
        place = {name: number for number, name in enumerate(table["example_id"].to_pylist())}
        return scores[[place[name] for name in ids]]


def _candidates(evaluation: Evaluation) -> list[PlannedCell]:
    """The wordings of the evaluation's only task, each once.

    Raises:
        UsageError: there is more than one task, scorer, metric, number of demonstrations, seed, order of options or
            repeat; or one wording.
    """
    every = (evaluation, *evaluation.further)
    for count, what, option in (
        (len(evaluation.tasks), "task", "--tasks"),
        (len({each.settings.scoring for each in every}), "scoring method", "--scoring"),
        (len({each.settings.metric for each in every}), "metric", "--metric"),
        (len(evaluation.settings.num_fewshot), "number of demonstrations", "--config"),
        (len(evaluation.settings.draw_seeds), "seed of demonstrations", "--config"),
        (evaluation.settings.option_orders, "order of options", "--config"),
        (evaluation.settings.repeats, "repeat", "--config"),
    ):
        if count != 1:
            raise UsageError(f"a live choice is for one {what}", got=str(count), where=option)
    if evaluation.settings.budget is not None:
        raise UsageError("a live choice has another budget", where="--budget", hint="Use --budget-calls")
    found: dict[str, PlannedCell] = {}
    for each in evaluation.planned:
        found.setdefault(each.cell.identity, each)
    if len(found) < 2:
        raise UsageError("nothing to choose", expected="at least two wordings", where="--instructions")
    return list(found.values())


def _require_enough(settings: LiveSettings, wordings: int, examples: int, kept: int) -> None:
    needed = max(least_calls(settings.strategy, wordings), wordings)
    least = int(np.ceil(max(needed / (1 - settings.held_out), FEWEST_EXAMPLES / settings.held_out)))
    if settings.calls < least:
        raise UsageError(
            f"too few calls to choose among {wordings} wordings by {settings.strategy}",
            expected=f"at least {least:,}",
            got=f"{settings.calls:,}",
            where="--budget-calls",
        )
    if kept < FEWEST_EXAMPLES:
        raise UsageError(
            "too few examples to keep some back for the chosen wording",
            expected=f"at least {int(np.ceil(FEWEST_EXAMPLES / settings.held_out))}",
            got=str(examples),
            where="--tasks",
        )


def _scale(of: Metric) -> tuple[float, float]:
    """The worst and the best value of an example.

    Raises:
        UsageError: the metric has no limits, so that bounds have no basis.
    """
    if not (np.isfinite(of.low) and np.isfinite(of.high)):
        raise UsageError(
            f"the metric {of.name!r} has no lowest and highest value, which a live choice needs", where="--metric"
        )
    return (of.low, of.high) if of.higher_is_better else (of.high, of.low)


def _result(
    evaluation: Evaluation,
    cells: Sequence[PlannedCell],
    settings: LiveSettings,
    search: Search,
    ask: _Asking,
    best: int,
    rounds: int,
    scores: Floats,
) -> LiveChoice:
    assert ask.run is not None, "the search asked at least once"
    worst, highest = ask.scale
    one = Candidates((cells[best].cell.instruction,), (Block("", 0, scores[None], 1.0),))
    draw = np.random.default_rng(settings.seed)
    bounds = simultaneous_bounds(one, Objective(), normal_deviations(one, draw, resamples_for(one)))
    ends = sorted(worst + float(end[0]) * (highest - worst) for end in (bounds.low, bounds.high))
    return LiveChoice(
        ask.run,
        cells[best].cell.task,
        cells[best].cell.category,
        cells[best].cell.num_fewshot,
        metric(evaluation.settings.metric),
        settings,
        wordings=tuple(each.cell.instruction for each in cells),
        groups=tuple(each.cell.group for each in cells),
        best=best,
        means=worst + search.means * (highest - worst),
        counts=search.counts,
        alive=search.alive,
        maybe_best=search.maybe_best,
        spent=search.spent + len(scores),
        rounds=rounds,
        held_out=len(scores),
        value=worst + float(scores.mean()) * (highest - worst),
        low=ends[0],
        high=ends[1],
        at_least=worst + float(bounds.at_least[0]) * (highest - worst),
    )
