"""The model's self-test on a few of an evaluation's own prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from phraseproof.core import Check, Example, Generates, Model, Prompt, TestsItself, WritesAnswers
from phraseproof.errors import SelfTestError
from phraseproof.evaluation.plan import PlannedCell

MOST_PROMPTS = 8
_TEXT_TOKENS = 16


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
    # A model with `write_answers` tests its texts itself.
    if any(prompt.options for prompt in prompts) or isinstance(model, WritesAnswers):
        return model.self_test(prompts)
    return _check_texts(model, prompts, model.identity.dtype) if isinstance(model, Generates) else []


def _check_texts(model: Generates, prompts: Sequence[Prompt], dtype: str) -> list[Check]:
    """The beginnings of texts, written together and one by one.

    In half precision they may differ, because rounding depends on the batch. That is recorded, and is no failure.
    """
    together = model.generate(prompts, max_new_tokens=_TEXT_TOKENS)
    alone = [model.generate([prompt], max_new_tokens=_TEXT_TOKENS)[0] for prompt in prompts]
    equal = sum(one == other for one, other in zip(together, alone, strict=True))
    detail = f"{equal} of {len(prompts)} texts are equal written alone and together"
    return [Check("batch invariance", equal == len(prompts) or dtype not in {"", "float32"}, detail)]


def require_passed(checks: Sequence[Check], model: Model) -> None:
    """Raise a SelfTestError that names the first failed check, if one failed."""
    failed = next((check for check in checks if not check.passed), None)
    if failed is not None:
        raise SelfTestError(
            f"the self-test failed: {failed.name}: {failed.detail}",
            where=model.identity.name,
            hint="phraseproof doctor shows all checks; --no-self-test runs without them",
        )
