"""The model's self-test on a few of an evaluation's own prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from phraseproof.core import Check, ChoosesMethod, Example, Generates, Model, Prompt, TestsItself, WritesAnswers
from phraseproof.errors import SelfTestError
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.models.text_checks import check_texts
from phraseproof.scoring.registry import reads_text

MOST_PROMPTS = 8


def check_model(
    model: Model,
    planned: Sequence[PlannedCell],
    prompts_of: Callable[[PlannedCell, Sequence[Example]], list[Prompt]],
) -> list[Check]:
    """The checks of a model on the first prompts of at most eight cells, spread over tasks and wordings.

    Args:
        prompts_of: the prompts of some examples in a cell.

    Returns:
        The checks; none for a model without a self-test.
    """
    if not isinstance(model, TestsItself):
        return []
    step = max(1, len(planned) // MOST_PROMPTS)
    few = planned[::step][:MOST_PROMPTS]
    prompts = [prompt for each in few for prompt in prompts_of(each, each.task.examples[:1])]
    if isinstance(model, Generates) and not isinstance(model, ChoosesMethod):
        # A model in this process checks texts where texts are read; one behind a server is set up for a method.
        prompts = [
            replace(prompt, options=()) if reads_text(each.cell.scoring) else prompt
            for each, prompt in zip(few, prompts, strict=True)
        ]
    # A model with `write_answers` tests its texts itself.
    if any(prompt.options for prompt in prompts) or isinstance(model, WritesAnswers):
        return model.self_test(prompts)
    return check_texts(model, prompts, model.identity.dtype) if isinstance(model, Generates) else []


def require_passed(checks: Sequence[Check], model: Model) -> None:
    """Raise a SelfTestError that names the first failed check, if one failed."""
    failed = next((check for check in checks if not check.passed), None)
    if failed is not None:
        raise SelfTestError(
            f"the self-test failed: {failed.name}: {failed.detail}",
            where=model.identity.name,
            hint="phraseproof doctor shows all checks; --no-self-test runs without them",
        )
