"""`phraseproof.choose` and `phraseproof.choose_live`: the choice of a wording from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from phraseproof.analysis.results import ResultTable
from phraseproof.analysis.selection.criteria import DEFAULT_SHARE, Criterion, Objective
from phraseproof.analysis.selection.search import Strategy
from phraseproof.analysis.selection.stored import Over, choose_stored
from phraseproof.core import Model
from phraseproof.errors import UsageError
from phraseproof.evaluation.request import EvaluationRequest, Tasks, Wordings
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.reduction.live_choice import DEFAULT_HELD_OUT, LiveSettings, find_wording
from phraseproof.reduction.live_results import live_results
from phraseproof.reports.api import RunOrPath
from phraseproof.reports.build.choice import choice_reports, choice_results
from phraseproof.store.queries import Run, load_run


def choose(
    runs: RunOrPath | Sequence[RunOrPath],
    *,
    criterion: str = Criterion.MEAN.value,
    share: float = DEFAULT_SHARE,
    over: str | Sequence[str] = (),
    tasks: str | Sequence[str] = (),
    seed: int = 0,
    scoring: str | None = None,
    metric: str | None = None,
) -> ResultTable:
    """Choose a wording, and estimate what it is worth on other examples.

    The numbers are those of `phraseproof choose`; docs/choosing.md describes them. The notes of the table say in
    sentences which wording is chosen and which others may be the best as well.

    Args:
        runs: a run folder or an opened run; or several, of several models on the same tasks and wordings.
        criterion: `mean`, `worst`, `cvar` or `lower-bound`.
        share: of `cvar` the share of the worst blocks, above 0 and up to 1.
        over: what `worst` and `cvar` look at: `tasks`, `classes`, `models`, or several. Default: tasks if there are
            several, else classes; and models if there are several.
        tasks: only these; default: all.
        seed: of resamples and folds; the same run and seed give the same numbers.
        scoring: the scorer whose outcomes are compared, if the runs hold several. Default: each run's first.
        metric: the metric, likewise.

    Raises:
        NotEnoughDataError: nothing to choose, too few examples, or a run that was imported.
        RunError: a run with a budget, damaged, or without finished cells.
        UsageError: an unknown criterion, task or `over`.
    """
    given = [runs] if not isinstance(runs, Sequence) or isinstance(runs, str) else list(runs)
    opened = [(run if isinstance(run, Run) else load_run(run)) for run in given]
    opened = [run if scoring is None and metric is None else run.select(scoring, metric) for run in opened]
    objective = Objective(read_criterion(criterion), share)
    names = [tasks] if isinstance(tasks, str) else tasks
    found = choose_stored(opened, objective, over=read_over(over), tasks=names, seed=seed)
    return choice_results(choice_reports(opened, found))


def choose_live(  # noqa: PLR0913 - every option is in the signature, so that help() and editors show it
    model: str | Model | EvaluationSpec,
    tasks: Tasks = (),
    instructions: Mapping[str, Wordings] | None = None,
    *,
    out: str | Path,
    budget_calls: int,
    strategy: str = Strategy.HALVING.value,
    held_out: float = DEFAULT_HELD_OUT,
    seed: int = 0,
    limit: int | None = None,
    scoring: str = EvaluationSpec().scoring,
    data_dir: str | Path | None = None,
    self_test: bool = True,
) -> ResultTable:
    """Ask a model under a budget of calls which wording is the best, and estimate what it is worth.

    The numbers are those of `phraseproof choose --live`; docs/choosing.md describes them.

    Args:
        model: a name, a loaded model, or a spec with every option of the evaluation; nothing else of it is then given.
        tasks: one task.
        instructions: for each group of wordings its collections, as for `evaluate`.
        out: the run folder, which keeps every answer; the same call continues a search that was stopped.
        budget_calls: how many prompts may be scored, one per wording and example.
        strategy: `halving`, `racing` or `uniform`.
        held_out: the share of calls and of examples that is kept back to value the chosen wording.
        seed: of the order of the examples.
        limit: the maximum number of examples, as for `evaluate`.
        scoring: how answers are read, as for `evaluate`.
        data_dir: a folder with the benchmarks' published files, as for `evaluate`.
        self_test: check the model's scores before the run, as for `evaluate`.

    Raises:
        UsageError: several tasks, fewer than two wordings, too few calls or examples, an unknown strategy,
            or options in addition to a spec.
        RunError: the model failed on some prompts; the same call tries them again.
    """
    try:
        settings = LiveSettings(budget_calls, Strategy(strategy), held_out, seed)
    except ValueError:
        raise UsageError(
            "no such strategy", expected=f"one of: {', '.join(Strategy)}", got=strategy, where="--strategy"
        ) from None
    if isinstance(model, EvaluationSpec):
        if tasks or instructions or limit is not None or data_dir is not None:
            raise UsageError(
                "tasks, wordings or data are given in addition to a spec", expected="everything in the spec"
            )
        request = EvaluationRequest(model)
    else:
        request = EvaluationRequest.of(
            model, tasks, instructions or {}, limit=limit, scoring=scoring, data_dir=data_dir, self_test=self_test
        )
    return live_results(find_wording(request, Path(out), settings))


def read_criterion(text: str) -> Criterion:
    """The criterion of a name.

    Raises:
        UsageError: there is none.
    """
    try:
        return Criterion(text)
    except ValueError:
        raise UsageError(
            "no such criterion", expected=f"one of: {', '.join(Criterion)}", got=text, where="--criterion"
        ) from None


def read_over(text: str | Sequence[str]) -> frozenset[Over]:
    """The kinds of blocks, from names separated by commas or a list of names.

    Raises:
        UsageError: a name that is none of them.
    """
    names = [name.strip() for name in text.split(",") if name.strip()] if isinstance(text, str) else text
    try:
        return frozenset(map(Over, names))
    except ValueError:
        raise UsageError(
            "no such kind of blocks",
            expected=f"some of: {', '.join(Over)}, separated by commas",
            got=",".join(names),
            where="--over",
        ) from None
