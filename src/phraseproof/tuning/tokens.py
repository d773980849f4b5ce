"""Examples as token ids, in the model's prompt format and by the tokenization rules of scoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.engine.training.bucketing import TargetRow
from phraseproof.errors import UsageError
from phraseproof.instructions.render import format_prompt

if TYPE_CHECKING:
    from phraseproof.models.huggingface.trainable import ModelToTrain
    from phraseproof.tuning.examples import TuningExample
    from phraseproof.tuning.settings import TooLong

_EXAMPLES_AT_ONCE = 1024


class ExampleTokens(NamedTuple):
    """Tokenized examples.

    Attributes:
        rows: prompt and answer of the examples that are used, special tokens included, in their order.
        kept: the numbers of these examples among all.
        truncated: how many answers of `rows` were cut.
        unknown: how many tokens of answers the tokenizer does not know.
    """

    rows: tuple[TargetRow, ...]
    kept: tuple[int, ...]
    truncated: int = 0
    unknown: int = 0

    @property
    def read(self) -> int:
        """The number of tokens of prompts and answers."""
        return sum(len(row.context) + len(row.target) for row in self.rows)

    @property
    def trained(self) -> int:
        """The number of tokens of answers."""
        return sum(len(row.target) for row in self.rows)


def tokenize_examples(
    examples: Sequence[TuningExample],
    model: ModelToTrain,
    *,
    prompt_format: str,
    max_tokens: int,
    too_long: TooLong = "truncate",
) -> ExampleTokens:
    """Tokenize examples as scoring does; the answer ends in the tokenizer's EOS token, if it has one and is whole.

    Args:
        examples: any number of examples.
        model: its tokenizer, prompt format and limits are used; its weights are not loaded.
        prompt_format: `plain`, `alpaca` or `chat`.
        max_tokens: the largest number of tokens; the model's own limit, if that is smaller.
        too_long: what is done with longer examples, see `TuningSettings`.

    Raises:
        UsageError: an answer that shares a token with its prompt, or has no tokens.
        ModelError: the chat template cannot render an example.
    """
    limit = max_tokens if model.context_limit is None else min(max_tokens, model.context_limit)
    eos: int | None = model.tokenizer.eos_token_id
    rows: list[TargetRow] = []
    kept: list[int] = []
    truncated = 0
    for start in range(0, len(examples), _EXAMPLES_AT_ONCE):
        some = examples[start : start + _EXAMPLES_AT_ONCE]
        prompts = [format_prompt(each.rendered(), prompt_format=prompt_format, chat_model=model) for each in some]
        for offset, (example, each) in enumerate(zip(some, model.encode(prompts), strict=True)):
            (answer,) = each.options
            if not each.apart or not answer:
                what = "shares a token with its prompt" if answer else "has no tokens"
                raise UsageError(
                    f"the answer {example.output[:40]!r} {what}",
                    where=example.source or f"example {start + offset + 1}",
                    hint="Try another --prompt-format",
                )
            target = answer if eos is None or answer[-1] == eos else (*answer, eos)
            room = limit - len(each.context) if model.is_decoder_only else limit
            if len(each.context) > limit or room < 1 or (len(target) > room and too_long == "skip"):
                continue
            truncated += len(target) > room
            rows.append(TargetRow(tuple(each.context), tuple(target[:room])))
            kept.append(start + offset)
    unknown = model.tokenizer.unk_token_id
    count = 0 if unknown is None or unknown == eos else sum(row.target.count(unknown) for row in rows)
    return ExampleTokens(tuple(rows), tuple(kept), truncated, count)
