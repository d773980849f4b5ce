"""The sentence that asks for a reasoning before the answer (chain of thought).

It ends the prompt, after the example, in every format: a wording whose example ends in `Answer:` then still asks for
the reasoning first. Demonstrations show answers without a reasoning, because tasks have none.
"""

from __future__ import annotations

REASONING = (
    "Reason step by step before you answer. Then write the answer on the last line, in this form:\n"
    "Answer: <your answer>"
)
"""Ours. Zero-shot requests for a reasoning are those of arXiv 2205.11916."""

BEFORE_REASONING = "\n\n"
"""The text between an example and this sentence."""


def with_reasoning(text: str, reasoning: str | None) -> str:
    """The text of the tested example with the sentence after it; the text itself without a sentence."""
    return text if reasoning is None else f"{text}{BEFORE_REASONING}{reasoning}"
