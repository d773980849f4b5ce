"""Keeps the examples whose prompts are short enough under every wording.

The paper keeps free-text examples with prompt and instruction within 512 tokens (section 4.2). An example counts only
if it fits under all wordings, so that every wording is scored on the same examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple, TypeAlias

from phraseproof.core import CountsTokens, Example, FormatsChat, Model, Prompt, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.plan import classes_of, orders_of_wordings, rank_examples
from phraseproof.evaluation.spec import EvaluationSpec, option_of
from phraseproof.instructions.option_order import in_order
from phraseproof.instructions.render import build_prompt, draw_demonstrations
from phraseproof.instructions.template import CompiledInstruction

_CHUNK = 256

Render: TypeAlias = Callable[[Sequence[Example]], list[Prompt]]


class FittingTask(NamedTuple):
    """A task with the examples that fit.

    Attributes:
        task: the task with them; demonstrations may still come from all examples.
        kept, examined: how many fit, of how many that were looked at: all, or as many as the sample needed.
    """

    task: Task
    kept: int
    examined: int


def fitting_task(
    model: Model, task: Task, wordings: Mapping[str, Sequence[CompiledInstruction]], settings: EvaluationSpec
) -> FittingTask:
    """The examples of a task whose prompts have at most `max_prompt_tokens` under every wording.

    Where only a sample is wanted, examples are looked at in the order in which they are drawn, until enough fit.

    Args:
        model: counts tokens.
        task: the task in full.
        wordings: those of each group.
        settings: with `prompt_format` resolved, and with a maximum.

    Raises:
        UsageError: the model's tokenizer is not here, or no example fits.
    """
    if not isinstance(model, CountsTokens):
        raise UsageError(
            "the model's tokenizer is not on this machine, so prompts cannot be counted",
            where=option_of("max_prompt_tokens"),
            got=model.identity.name,
        )
    most = settings.max_prompt_tokens
    assert most is not None
    renders = _renders(model, task, wordings, settings)
    # A sample by class needs the size of every class.
    wanted = settings.limit if classes_of(task) is None else None
    ranked = rank_examples(task, settings.seed)
    kept: set[str] = set()
    examined = 0
    while examined < len(ranked) and (wanted is None or len(kept) < wanted):
        some = ranked[examined : examined + _CHUNK]
        fitting = {example.id for example in _fitting(model, some, renders, most)}
        for example in some:
            if wanted is not None and len(kept) == wanted:
                break
            examined += 1
            if example.id in fitting:
                kept.add(example.id)
    if not kept:
        raise UsageError(
            f"no example of {task.name} has a prompt of at most {most} tokens under every wording",
            where=option_of("max_prompt_tokens"),
            hint="Give a larger number, or leave out the longest wordings",
        )
    examples = tuple(example for example in task.examples if example.id in kept)
    whole = replace(task, examples=examples, demonstrations=task.demonstrations or task.examples)
    return FittingTask(task if len(examples) == len(task.examples) else whole, len(kept), examined)


def describe_kept(found: FittingTask, most: int) -> str:
    """One line for the user."""
    share = f"{found.kept:,} of {found.examined:,} examples ({100 * found.kept / found.examined:.1f}%)"
    return f"{found.task.name}: {share} have a prompt of at most {most} tokens under every wording"


def _renders(
    model: Model, task: Task, wordings: Mapping[str, Sequence[CompiledInstruction]], settings: EvaluationSpec
) -> list[Render]:
    """One function for each prompt that an example is going to get."""
    chat_model = model if isinstance(model, FormatsChat) else None
    shown = [
        (shots, seed)
        for shots in settings.num_fewshot
        for seed in (settings.draw_seeds if shots else settings.draw_seeds[:1])
    ]
    orders = orders_of_wordings(task, wordings, settings.option_orders)

    def render(wording: CompiledInstruction, shots: int, seed: int, order: int) -> Render:
        return lambda examples: [
            build_prompt(
                wording,
                in_order(example, order),
                demonstrations=[in_order(each, order) for each in draw_demonstrations(task, example, shots, seed)],
                prompt_format=settings.prompt_format,
                chat_model=chat_model,
                # Also under scorers that read no text, so that all scorers of a run see the same examples.
                reasoning=settings.reasoning_sentence,
            )
            for example in examples
        ]

    return [
        render(wording, shots, seed, order)
        for wording in dict.fromkeys(each for members in wordings.values() for each in members)
        for shots, seed in shown
        for order in range(orders[wording.instruction])
    ]


def _fitting(
    model: CountsTokens, examples: Sequence[Example], renders: Sequence[Render], most: int
) -> Sequence[Example]:
    """Those that fit every time; what does not fit once is not counted again."""
    for render in renders:
        parts = [prompt.alternatives or (prompt,) for prompt in render(examples)]
        counts = iter(model.count_tokens([each for some in parts for each in some]))
        longest = [max(islice(counts, len(some))) for some in parts]
        examples = [example for example, count in zip(examples, longest, strict=True) if count <= most]
    return examples
