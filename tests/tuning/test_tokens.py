"""Tokens of examples: those of an evaluation's prompt, the answer with EOS, and the limit of their number."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import AutoTokenizer

from phraseproof.models import load_model
from phraseproof.tuning.examples import TuningExample
from phraseproof.tuning.tokens import tokenize_examples
from support.tiny_tunings import FAMILIES

EXAMPLE = TuningExample("Which letter is correct?", "the river", "A B C D")


def tokens(family: str, prompt_format: str = "alpaca", **changes: Any) -> Any:
    model: Any = load_model(str(FAMILIES[family]()))
    options: dict[str, Any] = {"max_tokens": 512, **changes}
    return tokenize_examples([EXAMPLE], model, prompt_format=prompt_format, **options)


def test_a_llama_reads_alpacas_prompt_and_is_trained_on_the_answer_and_its_end() -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(FAMILIES["llama"]())
    (row,) = tokens("llama").rows
    prompt = (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n### Instruction:\nWhich letter is correct?\n\n"
        "### Input:\nthe river\n\n### Response:"
    )
    assert [*row.context, *row.target] == [*tokenizer(f"{prompt} A B C D")["input_ids"], tokenizer.eos_token_id]
    assert tokenizer.decode(row.target).strip().startswith("A B C D")


def test_a_t5_reads_the_prompt_and_writes_the_answer() -> None:
    tokenizer: Any = AutoTokenizer.from_pretrained(FAMILIES["t5"]())
    (row,) = tokens("t5", "plain").rows
    assert list(row.context) == tokenizer("Which letter is correct?\n\nthe river")["input_ids"]
    assert list(row.target) == tokenizer("A B C D")["input_ids"]


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_long_answers_are_cut_or_left_out_and_long_prompts_are_left_out(family: str) -> None:
    whole = tokens(family, "plain")
    (row,) = whole.rows
    assert whole.truncated == 0
    limit = len(row.target) - 1 + (len(row.context) if family == "llama" else 0)
    if family == "t5":  # the answer has a limit of its own, and the prompt is shorter than it here
        limit = max(limit, len(row.context))
        long = TuningExample(EXAMPLE.instruction, EXAMPLE.input, "A B C D " * 20)
        model: Any = load_model(str(FAMILIES[family]()))
        cut = tokenize_examples([long], model, prompt_format="plain", max_tokens=limit)
        left = tokenize_examples([long], model, prompt_format="plain", max_tokens=limit, too_long="skip")
        assert len(cut.rows[0].target) == limit
    else:
        cut, left = (
            tokens(family, "plain", max_tokens=limit),
            tokens(family, "plain", max_tokens=limit, too_long="skip"),
        )
        assert cut.rows[0].target == row.target[:-1]
    assert (cut.truncated, cut.kept) == (1, (0,))
    assert (left.rows, left.kept) == ((), ())
    assert tokens(family, "plain", max_tokens=2).rows == ()
