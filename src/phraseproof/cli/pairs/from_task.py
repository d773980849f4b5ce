"""`phraseproof pairs from-task`: training data from a task's examples under the wordings of collections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli import teacher_options as teaching
from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.without_effect import refuse_options_of_a_model
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
    from phraseproof.core import Instruction, Task
    from phraseproof.instructions.collections import Collection
    from phraseproof.models import ModelOptions
    from phraseproof.teaching.teacher import TeacherSettings

Out = Annotated[Path, typer.Option("--out", "-o", help="The JSON Lines file to write.", rich_help_panel=options.OUTPUT)]


def from_task(
    ctx: typer.Context,
    tasks: options.Tasks,
    reference: Annotated[
        list[str],
        typer.Option(
            "--reference",
            "-r",
            metavar="WORDINGS",
            help="Collections of reference wordings, separated by commas. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ],
    paraphrases: Annotated[
        list[str],
        typer.Option(
            "--paraphrases",
            "-p",
            metavar="WORDINGS",
            help="Collections of paraphrased wordings, separated by commas. Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ],
    out: Out,
    negations: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORDINGS",
            help="Collections of negated wordings, separated by commas, for the methods negation and joint. "
            "Repeatable.",
            rich_help_panel=options.INSTRUCTIONS,
            autocompletion=options.complete_instructions,
        ),
    ] = None,
    data_dir: options.DataDir = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", help="The maximum number of pairs per task.", rich_help_panel=options.DATA),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="The seed of the draws for --limit and --labelled.", rich_help_panel=options.DATA)
    ] = 0,
    teacher: teaching.Teacher = None,
    teacher_as: teaching.AnswersAs = "answers",
    teacher_calibration: teaching.Calibration = None,
    labelled: teaching.Labelled = None,
    labels: teaching.Labels = "given",
    teacher_run: teaching.TeacherRun = None,
    model: teaching.TeacherModel = None,
    prompt_format: options.PromptFormat = "auto",
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    model_arg: options.ModelArg = None,
    quiet: options.Quiet = False,
) -> None:
    """Render a task's training examples under the wordings of collections, with given answers or a teacher's."""
    from phraseproof.alignment.pairs import pairs_from_task, save_pairs
    from phraseproof.instructions.collections import instructions_for
    from phraseproof.tasks import load_tasks

    if (teacher is None) != (model is None):
        given, missing = ("--model", "--teacher") if teacher is None else ("--teacher", "--model")
        raise UsageError(f"{given} requires {missing}")
    if teacher is None:
        asked_only = ("teacher_run", "teacher_as", "teacher_calibration", "prompt_format")
        refuse_options_of_a_model(ctx, *asked_only, needed="--teacher")
    settings = _settings(teacher, teacher_as, teacher_calibration, labelled, labels, seed)
    found = {
        name: _collections(named)
        for name, named in (("reference", reference), ("paraphrases", paraphrases), ("negations", negations))
    }
    pairs: list[ParaphraseSet] = []
    task_names = option_values.read_names(tasks)
    refuse_to_overwrite(out, *map(Path, task_names), *(each.path for members in found.values() for each in members))
    loaded = list(load_tasks(task_names, data_dir=data_dir, warn=terminal.warn))
    wordings: list[Instruction] = []
    for task in loaded:
        serving = {name: [i for c in members for i in instructions_for(c, task)] for name, members in found.items()}
        if not serving["reference"]:
            raise UsageError(f"no reference wording fits the task {task.name!r}", where="--reference")
        if negations and not serving["negations"]:
            raise UsageError(f"no negated wording fits the task {task.name!r}", where="--negations")
        if not task.demonstrations:
            terminal.warn(f"{task.name} has no demonstrations to train on; the pairs use its test examples")
        wordings += [*serving["reference"], *serving["paraphrases"]]
        pairs += pairs_from_task(
            task,
            serving["reference"],
            serving["paraphrases"],
            limit=limit,
            seed=seed,
            negations=serving["negations"],
            warn=terminal.warn,
        )
    bare = [pair.source for pair in pairs if negations and not pair.negations]
    if bare:
        terminal.warn(
            f"{len(bare)} of {len(pairs)} pairs have no negation that writes the answer as their reference does: "
            f"{bare[0]}, ..."
        )
    if settings is not None and model is not None:
        loading = option_values.model_options(dtype=dtype, device=device, model_arg=model_arg or [])
        asked = _Asked(model, loading, prompt_format, teacher_run or out.with_suffix(".teacher"), quiet)
        pairs = _taught(pairs, loaded, wordings, settings, asked)
    elif labelled is not None or labels == "none":
        from phraseproof.teaching.labels import keep_labels

        pairs = keep_labels(pairs, labelled or 0, seed)
    save_pairs(pairs, out)
    unlabelled = sum(not pair.labelled for pair in pairs)
    typer.echo(f"{len(pairs)} pairs{f', {unlabelled} of them without a label' if unlabelled else ''}: {out}")


class _Asked(NamedTuple):
    """The model that a teacher asks, and how."""

    model: str
    options: ModelOptions
    prompt_format: str
    run: Path
    quiet: bool


def _settings(
    teacher: teaching.TeacherName | None,
    teacher_as: teaching.TeacherAs,
    calibration: teaching.CalibrationName | None,
    labelled: int | None,
    labels: teaching.LabelsName,
    seed: int,
) -> TeacherSettings | None:
    if teacher is None:
        return None
    from phraseproof.teaching.teacher import TeacherSettings

    return TeacherSettings(teacher, teacher_as, calibration, labelled, labels == "given", seed)


def _taught(
    pairs: Sequence[ParaphraseSet],
    tasks: Sequence[Task],
    wordings: Sequence[Instruction],
    settings: TeacherSettings,
    asked: _Asked,
) -> list[ParaphraseSet]:
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.stopping import stoppable
    from phraseproof.teaching.teach import score_wordings, teach_pairs

    with stoppable(), ProgressBar(quiet=asked.quiet) as bar:
        run = score_wordings(
            asked.model,
            tasks,
            wordings,
            pairs,
            asked.run,
            prompt_format=asked.prompt_format,
            model_options=asked.options,
            observer=bar,
        )
    taught = teach_pairs(pairs, run, settings)
    taught.report(terminal.note, terminal.warn)
    return taught.pairs


def _collections(named: Sequence[str] | None) -> list[Collection]:
    from phraseproof.instructions.collections import load_collection

    return [load_collection(name) for name in option_values.read_names(named)]
