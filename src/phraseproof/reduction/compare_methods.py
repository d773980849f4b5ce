"""The function `compare_methods`: a search among alignment methods, with tasks and wordings by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.distributed.ray_pool import kept
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.hardening.candidates import AUTO
from phraseproof.hardening.named import CollectionNames, TaskNames, search_input, split_names
from phraseproof.hardening.search import MethodSearch
from phraseproof.hardening.search_settings import Reported, SearchSettings
from phraseproof.hardening.splits import Shares
from phraseproof.models import ModelOptions
from phraseproof.reduction.method_search import search_and_keep
from phraseproof.training.log import TrainingObserver

_DEFAULTS = SearchSettings(methods=(AUTO,))


def compare_methods(  # noqa: PLR0913 - every setting is a parameter, so that help() shows it
    model: str,
    tasks: TaskNames,
    instructions: CollectionNames,
    out: str | Path,
    *,
    methods: str | Sequence[str] = AUTO,
    rates: Mapping[str, Sequence[float]] | Sequence[float] = (),
    alignment: AlignmentSettings = _DEFAULTS.alignment,
    seeds: Sequence[int] = _DEFAULTS.seeds,
    search_seeds: int = _DEFAULTS.search_seeds,
    refit: bool = _DEFAULTS.refit,
    unseen_tasks: TaskNames = (),
    check: TaskNames = (),
    further_instructions: CollectionNames = (),
    wording_shares: tuple[float, float, float] = _DEFAULTS.wording_shares,
    example_shares: tuple[float, float, float] = _DEFAULTS.example_shares,
    max_pairs: int | None = _DEFAULTS.max_pairs,
    limit: int | None = _DEFAULTS.limit,
    validation_limit: int | None = _DEFAULTS.validation_limit,
    reported: Reported = _DEFAULTS.reported,
    calibration: str = _DEFAULTS.calibration,
    seed: int = _DEFAULTS.seed,
    data_dir: str | Path | None = None,
    model_options: ModelOptions = ModelOptions(),
    workers: str | WorkerOptions | WorkerSet | None = None,
    observer: Observer | None = None,
    alignment_observer: TrainingObserver | None = None,
) -> MethodSearch:
    """Compare alignment methods at equal budget on validation, refit the best, and report it once on a test set.

    Wordings and examples are each split into three sets that share none. The report has the best method next to what
    costs no training: the model as it is, calibrated, ensembles of wordings, and chosen wordings. The same call
    continues a search that was stopped; trainings and runs are found again by what they depend on.

    Args:
        model: a hub id or a folder.
        tasks: names of tasks and task files, or `Task` objects. Each needs options to choose from, 32 examples, and 8
            wordings. Demonstrations are trained on.
        instructions: names of collections and collection files, or `Collection` objects.
        out: receives all runs and trainings, and the result as `search.json`, which `report` makes a page of.
        methods: what is compared, as a list or separated by commas: names of methods (`align` lists them), each with
            settings of its own where wanted: `pt+kl:lambda=0.5:num_tokens=20`. `auto` is the recommended method at its
            default rate, 480 steps if `alignment` has no length.
        rates: learning rates of all methods; or by method, or by what is trained (`prompt`, `weights`, ...). By
            default three for what is trained.
        alignment: the settings that all trainings share, such as `max_steps`.
        seeds: of the trainings that are reported.
        search_seeds: how many of them are used in the search.
        refit: train what is reported again, on training and validation together. Otherwise the trainings of the
            search are reported, with all seeds.
        unseen_tasks: tasks that no training sees, measured under wordings that none saw.
        check: tasks on which forgetting would show, measured in the same way.
        further_instructions: more collections, which only those tasks use.
        wording_shares: the shares of the wordings for training, validation and test.
        example_shares: the same of the examples.
        max_pairs: the maximum number of training pairs per task.
        limit: the maximum number of test examples per task.
        validation_limit: the maximum number of validation examples per task.
        reported: `best` reports the method that is best on validation, `all` every method at its best learning rate.
        calibration: the method of the calibrated rows (docs/calibration.md).
        seed: of the splits, of samples of examples, and of folds and halves.
        data_dir: a folder with the benchmarks' published files, instead of the hub.
        model_options: how to load the model.
        workers: workers of Ray that evaluate and train, as in `"local:4"` or `"ray"`, or with what each one gets
            (docs/workers.md), or those of `kept_workers`. `None`: this process.
        observer: receives the progress of the evaluations.
        alignment_observer: receives the progress of the trainings.

    Returns:
        All trainings with their scores on validation and what they cost, the report, and a recommendation in one
        sentence (`MethodSearch.recommendation`).

    Raises:
        UsageError: too few wordings or examples, unknown methods or settings, or wordings that cannot be paired.
        NotEnoughDataError: a task without options.
    """
    warn = (observer or SilentObserver()).warned
    settings = SearchSettings(
        methods=tuple(split_names(methods)),
        rates={name: tuple(of) for name, of in (rates if isinstance(rates, Mapping) else {"": rates}).items() if of},
        alignment=alignment,
        seeds=tuple(seeds),
        search_seeds=search_seeds,
        refit=refit,
        wording_shares=Shares(*wording_shares),
        example_shares=Shares(*example_shares),
        max_pairs=max_pairs,
        limit=limit,
        validation_limit=validation_limit,
        reported=reported,
        calibration=calibration,
        seed=seed,
    )
    given = search_input(
        tasks, instructions, unseen_tasks, check, further=further_instructions, data_dir=data_dir, warn=warn
    )
    with kept(workers) as all_workers:
        return search_and_keep(
            model,
            given,
            Path(out),
            settings,
            model_options=model_options,
            observers=(observer, alignment_observer),
            workers=all_workers,
        )
