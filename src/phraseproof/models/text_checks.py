"""The check of models that write texts: their texts do not depend on which ones are written together."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.core import Check, Generates, Prompt

_TOKENS = 16
"""How much of a text is written for the check."""


def check_texts(model: Generates, prompts: Sequence[Prompt], dtype: str) -> list[Check]:
    """Compare the beginnings of texts, written together and one by one.

    In half precision they may differ, because rounding depends on the batch. That is recorded, and is no failure.
    """
    together = model.generate(prompts, max_new_tokens=_TOKENS)
    alone = [model.generate([prompt], max_new_tokens=_TOKENS)[0] for prompt in prompts]
    equal = sum(one == other for one, other in zip(together, alone, strict=True))
    detail = f"{equal} of {len(prompts)} texts are equal written alone and together"
    return [Check("batch invariance", equal == len(prompts) or dtype not in {"", "float32"}, detail)]
