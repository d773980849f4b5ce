"""From a task object of lm-evaluation-harness to a task: examples, the designer's wording, rules for answers.

The harness renders every document: its prompt, its options, its target and its demonstrations are taken as they come
out of it. What cannot be expressed here is refused with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from phraseproof.core import Example, Kind, Task
from phraseproof.errors import PhraseproofError, TaskError
from phraseproof.tasks.kinds import infer_kind
from phraseproof.tasks.lm_eval_answers import answer_rules
from phraseproof.tasks.lm_eval_draw import HarnessDraw, name_of
from phraseproof.tasks.lm_eval_wording import CONTINUATION, DESCRIPTION, PROMPT, RESERVED, designers_wording

if TYPE_CHECKING:
    from lm_eval.api.task import ConfigurableTask

_OPTIONS, _TEXTS = "multiple_choice", "generate_until"


class _Target(NamedTuple):
    """The right answer of a document.

    Attributes:
        credits: of options, parallel to them.
        references: of free text.
    """

    credits: tuple[float, ...] = ()
    references: tuple[str, ...] = ()


def converted(source: object, name: str, *, category: str, warn: Callable[[str], None]) -> Task:
    """The task that a task object of the harness is.

    Args:
        source: a `ConfigurableTask` with its data.
        name, category: of the task here.
        warn: receives what differs from the harness.

    Raises:
        TaskError: it cannot be expressed here.
    """
    task = _checked(source, name)
    config: Any = task.config
    documents = list(cast("Iterable[dict[str, Any]]", task.task_docs))
    examples = [_example(task, str(number), document, name) for number, document in enumerate(documents)]
    if without := sum(not max(example.option_scores, default=1.0) for example in examples):
        warn(f"{name}: {without} examples have no right option among theirs, so every answer to them is wrong")
    if config.num_fewshot:
        warn(
            f"{name}: the task's own number of demonstrations is {config.num_fewshot}; --num-fewshot "
            f"{config.num_fewshot} --fewshot-seed 1234 shows those that the harness shows"
        )
    pool = _demonstrations(task, name)
    draws = _draw(task, pool, examples, documents)
    return Task(
        name=name,
        kind=infer_kind(examples) if task.OUTPUT_TYPE == _OPTIONS else Kind.FREE_TEXT,
        category=category,
        examples=tuple(examples),
        demonstrations=() if draws.own else pool.examples,
        instructions=(designers_wording(task, name, examples, pool.examples),),
        source=_source(config),
        answers=answer_rules(task, name, warn),
        draws=draws,
    )


# ------------------------------------------------------------------------------------------------------ what is refused


def _checked(source: object, name: str) -> ConfigurableTask:
    from lm_eval.api.task import ConfigurableTask

    if type(source) is not ConfigurableTask:
        raise _refused(name, f"it is a Python class ({type(source).__name__}), not a YAML file")
    config: Any = source.config
    kind = source.OUTPUT_TYPE
    if kind not in (_OPTIONS, _TEXTS):
        raise _refused(name, f"its output type is {kind}, which compares no options and generates no text")
    if getattr(source, "MULTIMODAL", False):
        raise _refused(name, "it shows images or sounds")
    if config.process_results is not None:
        raise _refused(name, "a Python function scores its answers (process_results)")
    if kind == _OPTIONS and config.doc_to_choice is None:
        raise _refused(name, "it has no doc_to_choice")
    if kind == _TEXTS and source.multiple_input:
        raise _refused(name, "it generates a text after each of several prompts (multiple inputs)")
    if config.repeats > 1:
        raise _refused(name, f"it draws {config.repeats} answers to each prompt (repeats)")
    return source


def _refused(name: str, reason: str) -> TaskError:
    return TaskError(f"the task cannot be expressed here: {reason}", where=name)


# ------------------------------------------------------------------------------------------------------------ documents


def _example(task: ConfigurableTask, identifier: str, document: dict[str, Any], name: str) -> Example:
    where = f"{name}, document {identifier}"
    config: Any = task.config
    with _rendered_by_harness(where):
        choices = _choices(task.doc_to_choice(document), where) if task.OUTPUT_TYPE == _OPTIONS else ()
        prefix = task.doc_to_prefix(document)
        description = task.resolve_field(document, config.description) or ""
        if task.multiple_input:
            # As `multiple_input_context`: the options are texts up to what is scored, and doc_to_text is the right one.
            contexts = [_written(task.build_qa_turn(q=each, gen_prefix=prefix, tgt_delim="")) for each in choices]
            right: Any = task.doc_to_text(document)
            if not isinstance(right, int):
                raise TaskError("doc_to_text names no option", got=repr(right)[:60], where=where)
            continuation = _prompt(task.doc_to_target(document), where, "doc_to_target")
            target = _Target(credits=tuple(float(index == right) for index in range(len(choices))))
            prompts = {PROMPT: contexts, CONTINUATION: continuation}
            return _as_example(identifier, document, prompts, description=description, choices=choices, target=target)
        turn = task.build_qa_turn(
            q=_prompt(task.doc_to_text(document), where),
            c=list(choices) or None,
            gen_prefix=prefix,
            tgt_delim=config.target_delimiter,
            few_delim="",
        )
        target = _target(task, document, choices, where)
        prompts = {PROMPT: _written(turn)}
        return _as_example(identifier, document, prompts, description=description, choices=choices, target=target)


def _written(turn: Sequence[Any]) -> str:
    return "".join(message.to_text() for message in turn)


@contextmanager
def _rendered_by_harness(where: str) -> Generator[None]:
    """Raise what the harness, the task's templates and its functions raise as one error."""
    try:
        yield
    except PhraseproofError:
        raise
    except Exception as error:  # noqa: BLE001 - functions of the task's files raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        raise TaskError("lm-evaluation-harness cannot render the document", got=reason, where=where) from None


def _as_example(
    identifier: str,
    document: Mapping[str, Any],
    prompts: Mapping[str, object],
    *,
    description: str,
    choices: tuple[str, ...],
    target: _Target,
) -> Example:
    fields = {f"doc_{key}" if key in RESERVED else key: _plain(value) for key, value in document.items()}
    return Example(
        identifier,
        {**fields, **prompts, DESCRIPTION: description},
        choices,
        target.credits,
        reference=target.references[0] if target.references else None,
        other_references=target.references[1:],
    )


def _prompt(text: object, where: str, field: str = "doc_to_text") -> str:
    if not isinstance(text, str):
        raise TaskError(f"{field} does not give a text", got=repr(text)[:60], where=where)
    return text


def _choices(values: object, where: str) -> tuple[str, ...]:
    found = cast("list[object]", values) if isinstance(values, list) else []
    if len(found) < 2 or not all(isinstance(value, str) and value.strip() for value in found):
        raise TaskError(
            "doc_to_choice does not give options",
            expected="a list of at least two texts that are not empty",
            got=repr(values)[:60],
            where=where,
        )
    return tuple(str(value) for value in found)


def _target(task: ConfigurableTask, document: dict[str, Any], choices: tuple[str, ...], where: str) -> _Target:
    gold: Any = task.doc_to_target(document)
    if task.OUTPUT_TYPE == _OPTIONS:
        golds = (
            gold
            if isinstance(gold, list)
            else [choices.index(gold) if gold in choices else -1]
            if isinstance(gold, str)
            else [gold]
        )
        if not all(isinstance(each, int) for each in golds):
            raise TaskError("doc_to_target names no option", got=repr(gold)[:60], where=where)
        return _Target(credits=tuple(float(index in golds) for index in range(len(choices))))
    if task.config.doc_to_choice is not None:
        gold = task.doc_to_choice(document)[gold]
    golds = [str(each) for each in gold] if isinstance(gold, list) else [str(gold)]
    if not golds:
        raise TaskError("doc_to_target gives no text", where=where)
    return _Target(references=tuple(golds))


def _plain(value: Any) -> Any:
    """A value of a document as plain data; what JSON has no form for becomes text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    return str(value)


def _source(config: Any) -> str:
    metadata = config.metadata or {}
    place = ", ".join(filter(None, (config.dataset_path, config.dataset_name)))
    split = config.test_split or config.validation_split
    return (
        f"lm_eval {version('lm_eval')}, {config.task} version {metadata.get('version', 'unknown')} "
        f"({metadata.get('config_source', 'unknown')}); {place}, split {split}"
    )


# ------------------------------------------------------------------------------------------------------- demonstrations


class _Pool(NamedTuple):
    """What demonstrations are drawn from.

    Attributes:
        documents: as the harness has them.
        examples: parallel to them; ids are `demonstration/NUMBER`.
        problem: why they cannot be shown as the harness shows them; empty where they can.
    """

    documents: list[dict[str, Any]]
    examples: tuple[Example, ...]
    problem: str = ""


def _demonstrations(task: ConfigurableTask, name: str) -> _Pool:
    settings: Any = task.fewshot_cfg
    if not isinstance(settings.sampler, str):
        return _Pool([], (), "the task draws them by a Python class")
    documents = list(cast("Iterable[dict[str, Any]]", getattr(task.sampler, "df", ())))
    if not documents:
        return _Pool([], (), "the task has none")
    try:
        examples = tuple(
            _demonstration(task, name_of(number), document, name) for number, document in enumerate(documents)
        )
    except TaskError as error:
        return _Pool([], (), f"{error.problem} ({error.got or error.where})")
    return _Pool(documents, examples)


def _draw(
    task: ConfigurableTask, pool: _Pool, examples: Sequence[Example], documents: Sequence[Mapping[str, Any]]
) -> HarnessDraw:
    settings: Any = task.fewshot_cfg
    # As in the harness: also where neither split is named.
    is_tested_left_out = settings.split == task.config.test_split
    numbers: dict[str, int] = {}

    def number(document: Mapping[str, Any]) -> int:
        content = json.dumps(document, sort_keys=True, default=str)
        return numbers.setdefault(content, len(numbers))

    of_pool, of_tested = tuple(map(number, pool.documents)), list(map(number, documents))
    return HarnessDraw(
        version=version("lm_eval"),
        sampler=settings.sampler if isinstance(settings.sampler, str) else "",
        pool=of_pool,
        tested={
            example.id: document if is_tested_left_out else None
            for example, document in zip(examples, of_tested, strict=True)
        },
        problem=pool.problem,
        own=pool.examples if set(of_pool) <= set(of_tested) else (),
    )


def _demonstration(task: ConfigurableTask, identifier: str, document: dict[str, Any], name: str) -> Example:
    """A solved document as the harness writes it, divided into prompt and answer."""
    settings: Any = task.fewshot_cfg
    where = f"{name}, {identifier}"
    has_options = task.OUTPUT_TYPE == _OPTIONS
    with _rendered_by_harness(where):
        listed: Any = task.doc_to_choice(document, settings.doc_to_choice) if settings.doc_to_choice else None
        gold: Any = task.doc_to_target(document, settings.doc_to_target)
        answer = listed[gold] if listed and isinstance(gold, int) else gold[0] if isinstance(gold, list) else gold
        text: Any = task.doc_to_text(document, settings.doc_to_text)
        prefix = task.resolve_field(document, settings.gen_prefix)
        choices = _choices(listed, where) if has_options else ()
        if task.multiple_input and not (isinstance(text, int) and 0 <= text < len(choices)):
            raise TaskError("doc_to_text names no option", got=repr(text)[:60], where=where)

        def written(question: object) -> str:
            return _written(
                task.build_qa_turn(
                    q=_prompt(question, where),
                    c=None if task.multiple_input else listed,
                    a=gold,
                    gen_prefix=prefix,
                    tgt_delim=settings.target_delimiter,
                    few_delim=settings.fewshot_delimiter,
                )
            )

        turns = list(map(written, choices)) if task.multiple_input else [written(text)]
    ending = f"{task.config.target_delimiter}{answer}{settings.fewshot_delimiter}"
    if not isinstance(answer, str) or not all(turn.endswith(ending) for turn in turns):
        raise TaskError(
            "the harness writes their answers in another way than those of the tested documents", where=where
        )
    prompts = [turn.removesuffix(ending) for turn in turns]
    if task.multiple_input:
        return _as_example(
            identifier,
            document,
            {PROMPT: prompts, CONTINUATION: answer},
            description="",
            choices=choices,
            target=_Target(credits=tuple(float(index == text) for index in range(len(choices)))),
        )
    if has_options and answer not in choices:
        raise TaskError("the answer of a demonstration is not one of its options", where=where)
    right = tuple(float(index == choices.index(answer)) for index in range(len(choices)))
    return _as_example(
        identifier,
        document,
        {PROMPT: prompts[0]},
        description="",
        choices=choices,
        target=_Target(credits=right) if has_options else _Target(references=(answer,)),
    )
