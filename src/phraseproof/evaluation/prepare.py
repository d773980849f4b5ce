"""Makes an evaluation of a model, tasks and wordings: everything is checked before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from phraseproof.core import Instruction, Model, OffersFloat32, Prompt, ScoresAlternatives, Task
from phraseproof.errors import ModelError, UsageError
from phraseproof.evaluation.answer_settings import TEXT_OPTIONS, answer_settings, named_reading
from phraseproof.evaluation.budget import take_share
from phraseproof.evaluation.choose_scoring import choose_scoring
from phraseproof.evaluation.numerical_error import in_float32
from phraseproof.evaluation.plan import (
    CellIdentities,
    PlannedCell,
    orders_of_wordings,
    plan_cells,
    sample_task,
    what_is_said,
)
from phraseproof.evaluation.prompt_limit import FittingTask, describe_kept, fitting_task
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec, option_of
from phraseproof.instructions.option_order import number_of_orders
from phraseproof.instructions.render import resolve_format
from phraseproof.instructions.template import CompiledInstruction, check_against, compile_instruction
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.registry import metric, reads_text, scorer
from phraseproof.scoring.scorer import AUTO
from phraseproof.store.run_file import STRATIFIED

_TEXTS_ONLY = (
    "only generated answers have repeats, a temperature, top_p, top_k, stop strings, a reasoning and a way to read "
    "options from them"
)


def prepare(
    model: Model,
    tasks: Sequence[Task],
    groups: Mapping[str, Mapping[str, Sequence[Instruction]]],
    settings: EvaluationSpec,
    *,
    forecast: bool = False,
) -> Evaluation:
    """Resolve and check an evaluation before anything is computed.

    Args:
        model: a loaded model.
        tasks: the tasks in full.
        groups: for each group of wordings, each task's wordings by the task's name.
        settings: the options of the evaluation.
        forecast: only a forecast is made, also without an answer of the server.

    Raises:
        UsageError: the scoring method or the format is unknown, a task has no wording, or near-ties are to be scored
            again by a model that cannot be loaded in float32.
        InstructionError: a wording cannot be rendered for a task.
    """
    if settings.scoring != AUTO and scorer(settings.scoring).is_derived:
        raise UsageError(
            f"no model gives the outcomes of the scoring '{settings.scoring}'",
            where="--scoring",
            hint="phraseproof calibrate RUN --out DIR makes them of a run's outcomes",
        )
    if settings.rescore_ties and not isinstance(model, OffersFloat32):
        raise UsageError("this model cannot be loaded in float32", where="--rescore-ties", got=model.identity.name)
    settings = settings.model_copy(update={"sample": STRATIFIED if settings.sample == "auto" else settings.sample})
    is_stratified = settings.sample == STRATIFIED
    sampled = tuple(sample_task(task, settings.limit, settings.seed, is_stratified=is_stratified) for task in tasks)
    compiled: dict[Instruction, CompiledInstruction] = {}
    wordings: dict[str, dict[str, list[CompiledInstruction]]] = {}
    for task in sampled:
        of_task: dict[str, list[CompiledInstruction]] = {}
        for group, by_task in groups.items():
            for instruction in by_task.get(task.name, ()):
                if instruction not in compiled:
                    compiled[instruction] = compile_instruction(instruction)
                check_against(instruction, task)
                of_task.setdefault(group, []).append(compiled[instruction])
        if not of_task:
            raise UsageError(
                f"no wording fits the task {task.name!r} ({task.kind})",
                hint="Name a collection with wordings for it; phraseproof instructions list shows what there is",
            )
        wordings[task.name] = of_task
    _require_unique_names(sampled, compiled)
    answers = answer_settings(model, tasks, settings)
    chosen = choose_scoring(model, answers.scoring, _some_options(sampled, wordings), forecast=forecast)
    model = chosen.model
    resolved = {
        **named_reading(chosen.scoring, settings, tasks),
        "metric": answers.metric,
        "max_new_tokens": answers.max_new_tokens,
        "stop": answers.stop if reads_text(chosen.scoring) else settings.stop,
        "prompt_format": resolve_format(
            settings.prompt_format, model, may_think=bool(settings.reasoning) and reads_text(chosen.scoring)
        ),
        "rescore_ties": settings.rescore_ties and in_float32(model) is not None,
    }
    settings = settings.model_copy(update=resolved)
    _require_one_answer(settings)
    fitting: list[FittingTask] = []
    if settings.max_prompt_tokens is not None:
        fitting = [fitting_task(model, task, wordings[task.name], settings) for task in tasks]
        tasks = [each.task for each in fitting]
        sampled = tuple(sample_task(task, settings.limit, settings.seed, is_stratified=is_stratified) for task in tasks)
    planned = plan_cells(sampled, wordings, settings, CellIdentities.of_evaluation(model, settings))
    if settings.budget is not None:
        metric(settings.metric).require_mean("an estimate from a share of the grid", hint="Leave out --budget")
        planned = take_share(planned, settings.budget, settings.seed)
    evaluation = Evaluation(
        model,
        tuple(planned),
        sampled,
        tuple(tasks),
        tuple(groups),
        settings,
        notes=(
            *answers.notes,
            *(describe_kept(each, settings.max_prompt_tokens or 0) for each in fitting),
            *chosen.notes,
            *_note_of_reasoning(settings),
            *_notes_of_orders(sampled, wordings, settings.option_orders),
        ),
        assumed=chosen.assumed,
        fitting=tuple(fitting),
    )
    judge = metric(settings.metric)
    for each in planned:
        judge.of_task(each.task).require_cell(CellKey.of(each.cell), [example.id for example in each.task.examples])
        # Render one prompt of every cell, so that a wording that cannot work stops the evaluation before it begins.
        for prompt in evaluation.prompts(each, each.task.examples[:1]):
            _require_comparable(prompt, each, model)
    return evaluation


def _require_comparable(prompt: Prompt, planned: PlannedCell, model: Model) -> None:
    """Refuse a wording that has the options in its prompt, where these cannot be compared."""
    if not prompt.alternatives:
        return
    wording = planned.wording.instruction
    where = wording.origin or wording.name
    if scorer(planned.cell.scoring).model_method != "loglikelihood":
        raise UsageError(
            "the options are in the prompt (continuation), so log-likelihoods of what follows are compared",
            expected="--scoring loglikelihood, loglikelihood_norm or loglikelihood_norm:characters",
            got=planned.cell.scoring,
            where=where,
        )
    if not isinstance(model, ScoresAlternatives):
        raise ModelError(
            f"{model.identity.name} cannot compare one text after several prompts",
            expected="a Hugging Face model",
            where=where,
            hint="The wording has the options in its prompt (continuation): write one whose answers are options",
        )


def _require_one_answer(settings: EvaluationSpec) -> None:
    """Refuse repeats where nothing is drawn, and of a share of the grid; and settings of draws without effect."""
    for number, what, option in (
        (settings.repeats, "repeats", "--repeats"),
        (settings.option_orders, "orders of options", "--option-orders"),
    ):
        if number > 1 and settings.budget is not None:
            raise UsageError(
                f"estimates of a share of the grid do not know {what}", where=option, hint="Leave out --budget"
            )
    if not reads_text(settings.scoring):
        _require_defaults(("repeats",), settings)
    elif settings.temperature == 0 and (settings.top_p != 1 or settings.top_k):
        name = "top_k" if settings.top_k else "top_p"
        raise UsageError(
            "at temperature 0 the most likely token is taken, and nothing is drawn",
            got=f"{name}={getattr(settings, name):g}",
            where=option_of(name),
            hint="Add --temperature 0.7",
        )


def require_texts(each: Sequence[EvaluationSpec]) -> None:
    """Refuse options of generated answers where none of the scorers reads any.

    Args:
        each: the resolved settings of an evaluation under each of its scorers.

    Raises:
        UsageError: such an option is not at its default.
    """
    if not any(reads_text(settings.scoring) for settings in each):
        _require_defaults(TEXT_OPTIONS, each[0])


def _require_defaults(names: Sequence[str], settings: EvaluationSpec) -> None:
    for name in names:
        if getattr(settings, name) != EvaluationSpec.model_fields[name].default:
            raise UsageError(
                _TEXTS_ONLY,
                got=f"scoring {settings.scoring}",
                where=option_of(name),
                hint="Add --scoring generate",
            )


def _note_of_reasoning(settings: EvaluationSpec) -> list[str]:
    if not (settings.reasoning and reads_text(settings.scoring) and any(settings.num_fewshot)):
        return []
    return ["the demonstrations show answers without a reasoning: only the tested example asks for one"]


def _notes_of_orders(
    tasks: Iterable[Task], wordings: Mapping[str, Mapping[str, Sequence[CompiledInstruction]]], asked: int
) -> list[str]:
    """Where fewer orders of the options are evaluated than were asked for."""
    notes: list[str] = []
    for task in tasks:
        if asked == 1:
            continue
        if not task.kind.has_options:
            notes.append(f"{task.name}: answers are free text, and have no order of options")
            continue
        exist = number_of_orders(task.examples, asked)
        if exist < asked:
            notes.append(f"{task.name}: its options have {exist} orders, and {asked} were asked for")
        orders = orders_of_wordings(task, wordings[task.name], asked)
        if fixed := [each.name for each, number in orders.items() if number == 1]:
            some = ", ".join(fixed[:3]) + (", ..." if len(fixed) > 3 else "")
            notes.append(
                f"{task.name}: {len(fixed)} of {len(orders)} wordings do not list the task's options, so they have "
                f"only the task's own order: {some}"
            )
    return notes


def _some_options(
    tasks: Iterable[Task], wordings: Mapping[str, Mapping[str, Sequence[CompiledInstruction]]]
) -> list[tuple[str, ...]]:
    """The options of each task's first example under each of its wordings, each once; none of free-text tasks."""
    found = {
        wording.render_answers(task.examples[0])
        for task in tasks
        for members in wordings[task.name].values()
        for wording in members
        if task.kind.has_options
    }
    return sorted(found)


def _require_unique_names(tasks: Iterable[Task], wordings: Iterable[Instruction]) -> None:
    """Refuse two different wordings of one name, by which tables and queries distinguish them.

    The designers' wordings of different tasks may share a name: `run.json` keeps them apart by task.
    """
    own = {instruction for task in tasks for instruction in task.instructions}
    named: dict[str, Instruction] = {}
    for instruction in wordings:
        other = named.setdefault(instruction.name, instruction)
        if instruction not in own and what_is_said(instruction) != what_is_said(other):
            raise UsageError(
                f"two different wordings are called {instruction.name!r}",
                where=instruction.origin,
                got=f"another at {other.origin}" if other.origin else None,
                hint="Give one of the collections another name",
            )
