"""Texts that depend on which ones are written together fail the check in float32; half precision records it."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.core import GREEDY, Check, Prompt, Sampling
from phraseproof.models.text_checks import check_texts

PROMPTS = [Prompt("a"), Prompt("b")]


class Writer:
    """Writes the number of prompts of the call, or the prompt."""

    def __init__(self, *, depends: bool) -> None:
        self._depends = depends

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        assert (max_new_tokens, sampling) == (16, GREEDY)
        return [str(len(prompts)) if self._depends else prompt.text for prompt in prompts]


def test_texts_are_compared_alone_and_together() -> None:
    steady, unsteady = Writer(depends=False), Writer(depends=True)
    all_equal = "2 of 2 texts are equal written alone and together"
    none_equal = all_equal.replace("2 of", "0 of")
    assert check_texts(steady, PROMPTS, "float32") == [Check("batch invariance", True, all_equal)]
    assert check_texts(unsteady, PROMPTS, "float32") == [Check("batch invariance", False, none_equal)]
    assert check_texts(unsteady, PROMPTS, "bfloat16") == [Check("batch invariance", True, none_equal)]
