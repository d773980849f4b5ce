"""`phraseproof.study`: plan a study, do what is missing, make the exhibit, and store it next to its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from phraseproof.errors import MissingExtraError
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.distributed.ray_pool import kept
from phraseproof.evaluation.distributed.trainings import train_on_workers
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.files import write_json, write_text
from phraseproof.models.options import ModelOptions
from phraseproof.reports.format.tables import TableFormat
from phraseproof.studies.exhibit import Exhibit
from phraseproof.studies.fitting import fitting
from phraseproof.studies.format import render
from phraseproof.studies.record import spec_of
from phraseproof.studies.registry import study_named
from phraseproof.studies.spec import SPEC_FILE
from phraseproof.studies.steps import EvaluationStep, slug
from phraseproof.studies.study import OUT, StagedStudy, Step, StepForecast, Study, StudyRequest, TrainingStep

_FILES = {TableFormat.TEXT: "txt", TableFormat.JSON: "json", TableFormat.CSV: "csv", TableFormat.MARKDOWN: "md",
          TableFormat.LATEX: "tex"}  # fmt: skip
PAGE_FILE = "exhibit.html"
_CHART_WIDTH = 480


class PlannedStep(NamedTuple):
    """A step and what it would cost."""

    step: Step
    forecast: StepForecast


def study(  # noqa: PLR0913 - as for `evaluate`
    name: str,
    models: str | Sequence[str] = (),
    *,
    runs: Sequence[str | Path] = (),
    tasks: str | Sequence[str] = (),
    instructions: Mapping[str, str | Sequence[str]] | None = None,
    data: str | Path | Sequence[str | Path] = (),
    paraphrasers: str | Sequence[str] = (),
    paraphraser_args: Mapping[str, str] | None = None,
    pairs: str | Path | None = None,
    data_dir: str | Path | None = None,
    limit: int | None = None,
    max_steps: int | None = None,
    gradient_accumulation: int | None = None,
    seeds: int | None = None,
    seed: int = 0,
    out: str | Path = OUT,
    model_options: ModelOptions | None = None,
    prompt_format: str = "auto",
    parameters: Mapping[str, int] | None = None,
    workers: str | WorkerOptions | WorkerSet | None = None,
    observer: Observer | None = None,
) -> Exhibit:
    """Make a table or figure of the paper for any model. Only what the folder of studies lacks is computed.

    Args:
        name: of the study; `phraseproof study list` shows them.
        models: one or several models, as for `evaluate`.
        runs: run folders to use as they are, in place of models: evaluated before, or imported by `import-results`.
        tasks: other tasks than the study's own.
        instructions: other collections of wordings than the study's own, by group (`observed`, `unobserved`, ...).
        data: files of instructions and answers, such as Alpaca's (docs/tune.md), for studies that tune a model.
        paraphrasers: models that paraphrase the observed wordings, each a source of `paraphrase-sources`.
        paraphraser_args: their providers' options, as in `ModelOptions.args`.
        pairs: a file of training pairs (docs/align.md) for studies that align a model, instead of their own pairs.
        data_dir: a folder with the benchmarks' published files, instead of the hub.
        limit: the maximum number of examples per task.
        max_steps: the maximum number of steps of every training, instead of the study's own length.
        gradient_accumulation: the number of batches per step of an alignment, instead of the study's own.
        seeds: how often what is random is repeated, such as draws of demonstrations and trainings.
        seed: of the sample of examples, and of resampling.
        out: the folder of all studies' runs and exhibits.
        model_options: how the models are loaded.
        prompt_format: as for `evaluate`.
        parameters: the numbers of parameters, by model or run folder, where they are not known.
        workers: workers of Ray that evaluate and train, as in `"local:4"` or `"ray"`, or with what each one gets
            (docs/workers.md), or those of `kept_workers`. `None`: this process.
        observer: receives progress and warnings.

    Returns:
        The exhibit. Its `results` are a `ResultTable` with measured and published figures. It is stored in
        `OUT/NAME/MODEL/` in every format.

    Raises:
        UsageError: no such study, or the request does not fit it.
        PhraseproofError: something in the request is wrong. What was computed is kept.
    """
    request = StudyRequest(
        models=_names(models),
        runs=tuple(map(Path, runs)),
        tasks=_names(tasks),
        instructions={group: _names(members) for group, members in (instructions or {}).items()},
        data=(Path(data),) if isinstance(data, str | Path) else tuple(map(Path, data)),
        paraphrasers=_names(paraphrasers),
        paraphraser_args=paraphraser_args or {},
        pairs=None if pairs is None else Path(pairs),
        data_dir=None if data_dir is None else Path(data_dir),
        limit=limit,
        max_steps=max_steps,
        gradient_accumulation=gradient_accumulation,
        seeds=seeds,
        seed=seed,
        out=Path(out),
        model_options=model_options or ModelOptions(),
        prompt_format=prompt_format,
        parameters=parameters or {},
    )
    with kept(workers) as all_workers:
        return carry_out(study_named(name), request, observer=observer, workers=all_workers)


def carry_out(
    of: Study, request: StudyRequest, *, observer: Observer | None = None, workers: WorkerSet | None = None
) -> Exhibit:
    """Do what is missing of a study, make its exhibit, and store it.

    Args:
        of: the study.
        request: what is requested of it.
        observer: receives progress and warnings.
        workers: do its trainings, at the same time and before its evaluations, and compute the evaluations one after
            the other. `None`: this process does everything.

    Raises:
        UsageError: as `fitting`.
        PhraseproofError: as the study's steps.
    """
    observer = observer or SilentObserver()
    request = fitting(of, request)
    steps = of.plan(request)
    first = of.first(request) if isinstance(of, StagedStudy) else ()
    failed = _do(first, observer, workers)
    steps = of.plan(request) if first else steps
    failed += _do([step for step in distinct(steps) if step not in first], observer, workers)
    exhibit = of.build(request, steps)
    if failed:
        note = f"{failed} cells are missing; the same command tries them again"
        exhibit = replace(exhibit, incomplete=failed, notes=(note, *exhibit.notes))
    exhibit = replace(exhibit, spec=spec_of(of, request, distinct(steps)))
    store(exhibit, exhibit_folder(of, request), observer)
    return exhibit


def _do(steps: Sequence[Step], observer: Observer, workers: WorkerSet | None) -> int:
    """Carry out steps; returns how many cells failed."""
    trained = _train(steps, observer, workers) if workers is not None else []
    failed = 0
    for step in steps:
        if step in trained:
            continue
        observer.noted(step.title)
        failed += step.carry_out(observer, workers) if isinstance(step, EvaluationStep) else step.carry_out(observer)
    return failed


def _train(steps: Sequence[Step], observer: Observer, workers: WorkerSet) -> list[Step]:
    """Do the trainings among some steps that are not done yet, and return them."""
    trainings = [step for step in steps if isinstance(step, TrainingStep) and not step.is_finished]
    train_on_workers([step.elsewhere() for step in trainings], workers, observer)
    return list(trainings)


def forecasts(
    of: Study, request: StudyRequest, *, timed: bool, known: dict[Path, StepForecast] | None = None
) -> list[PlannedStep]:
    """Compute what each step of a study would cost. Writes nothing.

    Args:
        timed: whether a few prompts may be scored to know the rate.
        known: forecasts of the steps of other studies by folder; those of this one are added.

    Raises:
        PhraseproofError: the request is wrong.
    """
    found = {} if known is None else known
    planned: list[PlannedStep] = []
    for step in distinct(of.plan(fitting(of, request))):
        key = step.folder / type(step).__name__
        if key not in found:
            found[key] = step.forecast(timed=timed)
        planned.append(PlannedStep(step, found[key]))
    return planned


def distinct(steps: Sequence[Step]) -> list[Step]:
    """The steps, each once: a step is known by its kind and folder."""
    return list({(type(step), step.folder): step for step in steps}.values())


def exhibit_folder(of: Study, request: StudyRequest) -> Path:
    """Where the exhibit is stored."""
    named = [*request.models, *(folder.name for folder in request.runs)]
    return request.out / of.name / ("+".join(map(slug, named)) or "all")


def store(exhibit: Exhibit, folder: Path, observer: Observer) -> None:
    """Write an exhibit in every format, its spec, its page, and its charts as SVG and PDF.

    Charts, and pages that have some, need the extra `report`; without it the observer is warned.
    """
    from phraseproof.reports.charts.plot import draw
    from phraseproof.studies.page import render_exhibit

    folder.mkdir(parents=True, exist_ok=True)
    for form, ending in _FILES.items():
        write_text(folder / f"exhibit.{ending}", render(exhibit, form).text)
    if exhibit.spec is not None:
        write_json(folder / SPEC_FILE, exhibit.spec.document())
    try:
        write_text(folder / PAGE_FILE, render_exhibit(exhibit))
        for name, chart in exhibit.charts.items():
            for ending in ("svg", "pdf"):
                draw(chart, folder / f"{name}.{ending}", width=_CHART_WIDTH)
    except MissingExtraError as error:
        observer.warned(f"no page is made and no chart is drawn: {error}")


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    members = given.split(",") if isinstance(given, str) else given
    return tuple(member.strip() for member in members if member.strip())
