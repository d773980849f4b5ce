"""Pairs as tokens: dressed in the model's prompt format by the very rules that scoring follows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.alignment.pair import Pair
from phraseproof.core import Example, FormatsChat, Instruction, Model, Prompt
from phraseproof.errors import UsageError
from phraseproof.instructions.render import build_prompt, resolve_format
from phraseproof.instructions.template import CompiledInstruction, compile_instruction

if TYPE_CHECKING:
    from phraseproof.models.huggingface.model import HuggingFaceModel
    from phraseproof.models.huggingface.tokenization import PromptTokens

_PAIRS_AT_ONCE = 256


class PairTokens(NamedTuple):
    """One pair as a model reads it: token ids, special tokens included.

    Attributes:
        reference: the prompt in the reference wording.
        paraphrases, negations: the same in the others, parallel to the pair's.
        target: what follows each of them, the end-of-text token included.
    """

    reference: tuple[int, ...]
    paraphrases: tuple[tuple[int, ...], ...]
    negations: tuple[tuple[int, ...], ...]
    target: tuple[int, ...]


def tokenise_pairs(
    pairs: Sequence[Pair],
    model: HuggingFaceModel,
    *,
    prompt_format: str = "auto",
    max_length: int | None = None,
    reserved: int = 0,
) -> list[PairTokens]:
    """Tokens of pairs, as the model scores them: joint, BOS and white space by the rules of
    `models/huggingface/tokenization.py`.

    Training differs from scoring in three ways.

    * The target ends in the tokenizer's EOS token, where it has one: on encoder-decoder models, as their targets always
      do in training, and on decoder-only ones, so that the model learns to stop.
    * All wordings of a pair have the same target tokens, since their distributions are compared token by token. Where
      prompts end in different white space, its tokens count to the prompt (decoder-only) or are left out
      (encoder-decoder).
    * Nothing is cut. Cut from the left, a prompt would lose the very instruction that is aligned.

    Args:
        pairs: any number.
        model: only its tokenizer, prompt format and limits are asked for; weights are not loaded.
        prompt_format: `auto`, `plain`, `alpaca` or `chat`.
        max_length: the most tokens that go in; `None` is the model's own limit, if it has one.
        reserved: how many of them the soft prompt takes.

    Returns:
        One `PairTokens` a pair, in their order.

    Raises:
        UsageError: a target longer than the context, a prompt that leaves no room for it, a target that shares a token
            with the prompt or is written in other tokens after one wording than after another; names the pair.
        ModelError: a chat template that cannot render a pair.
    """
    # A cached property serves as the protocol's property, which type checkers do not know.
    format_name = resolve_format(prompt_format, cast("Model", model))
    limit = model.context_limit if max_length is None else max_length
    room = _Room(None if limit is None else limit - reserved, limit, joined=model.joined)
    tokens: list[PairTokens] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        prompts = [prompts_of(pair, prompt_format=format_name, chat_model=model) for pair in some]
        encoded = iter(model.encode([prompt for group in prompts for prompt in group]))
        for offset, (pair, group) in enumerate(zip(some, prompts, strict=True)):
            where = pair.source or f"pair {start + offset + 1}"
            own = _pair_tokens(pair, [next(encoded) for _ in group], model, where)
            room.check(pair, own, where)
            tokens.append(own)
    return tokens


def prompts_of(pair: Pair, *, prompt_format: str, chat_model: FormatsChat | None = None) -> list[Prompt]:
    """A pair's prompts: in the reference wording, its paraphrases, its negations; the target is their one option.

    Args:
        pair: the pair.
        prompt_format: `plain`, `alpaca` or `chat`.
        chat_model: the model whose chat template writes a `chat` prompt.
    """
    compiled = _frame(bool(pair.input.strip()), pair.separator, pair.joint, ask_last=pair.ask_last)
    return [
        build_prompt(
            compiled,
            Example("", {"wording": text, "laid_out": pair.input}, (pair.target,), (1.0,)),
            demonstrations=(),
            prompt_format=prompt_format,
            chat_model=chat_model,
        )
        for text in pair.wordings
    ]


@lru_cache(maxsize=64)
def _frame(has_input: bool, separator: str, joint: str | None, *, ask_last: bool) -> CompiledInstruction:
    """A wording whose ask and layout are fields: rendered texts pass through it as they are."""
    parts = {"ask": "{{ wording }}", "layout": "{{ laid_out }}"} if has_input else {"template": "{{ wording }}"}
    return compile_instruction(
        Instruction(
            id="pair",
            collection="alignment",
            ask=parts.get("ask"),
            layout=parts.get("layout"),
            template=parts.get("template"),
            ask_last=ask_last,
            separator=separator,
            answer="{{ choice }}",
            target_delimiter=joint,
        )
    )


def _pair_tokens(pair: Pair, encoded: Sequence[PromptTokens], model: HuggingFaceModel, where: str) -> PairTokens:
    for text, each in zip(pair.wordings, encoded, strict=True):
        if not each.apart:
            raise UsageError(
                f"the target {pair.target[:40]!r} shares a token with the prompt in the wording {text[-40:]!r}",
                where=where,
                hint="Give an answer_prefix that parts them, such as a space",
            )
    written = [each.options[0] for each in encoded]
    if not all(written):
        raise UsageError(f"the target {pair.target[:60]!r} has no tokens of its own after the prompt", where=where)
    target = _common_end(written)
    contexts: list[tuple[int, ...]] = []
    for index, (each, own) in enumerate(zip(encoded, written, strict=True)):
        before = own[: len(own) - len(target)]
        if before and model.tokenizer.decode(before).strip():
            other = next(place for place, option in enumerate(written) if option != own)
            raise UsageError(
                f"the target {pair.target[:40]!r} is written in other tokens after {pair.wordings[index][-40:]!r} "
                f"than after {pair.wordings[other][-40:]!r}",
                where=where,
                hint="End all wordings alike, or give an answer_prefix that stands apart from them",
            )
        contexts.append(each.context + before if model.joined else each.context)
    eos: int | None = model.tokenizer.eos_token_id
    if eos is not None and target[-1] != eos:
        target = (*target, eos)
    last = 1 + len(pair.paraphrases)
    return PairTokens(contexts[0], tuple(contexts[1:last]), tuple(contexts[last:]), target)


def _common_end(sequences: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The longest run of tokens that ends all of them."""
    size = 0
    for tokens in zip(*(reversed(sequence) for sequence in sequences), strict=False):
        if len(set(tokens)) > 1:
            break
        size += 1
    return sequences[0][len(sequences[0]) - size :]


class _Room(NamedTuple):
    """What fits: `tokens` beside the soft prompt, of `limit` in all."""

    tokens: int | None
    limit: int | None
    joined: bool

    def check(self, pair: Pair, own: PairTokens, where: str) -> None:
        """Raise a `UsageError` if the target, or a prompt together with it, is longer than the context."""
        if self.tokens is None or self.limit is None:
            return
        # A last token is only predicted, never read; an encoder-decoder has room of its own for its target.
        most = self.tokens if self.joined else self.limit
        beside = f", {self.limit - self.tokens} of them the soft prompt's" if self.tokens < self.limit else ""
        if len(own.target) > most:
            raise UsageError(
                f"the target {pair.target[:60]!r} is longer than the model's context",
                expected=f"at most {self.limit} tokens{beside if self.joined else ''}",
                got=f"{len(own.target)} tokens",
                where=where,
                hint="Shorten the target, or leave the pair out",
            )
        needed = len(own.target) - 1 if self.joined else 0
        for text, context in zip(pair.wordings, (own.reference, *own.paraphrases, *own.negations), strict=True):
            if len(context) + needed > self.tokens:
                together = f" and {needed} of the target" if needed else ""
                raise UsageError(
                    f"the prompt that begins {text[:40]!r} does not fit into the model's context",
                    expected=f"at most {self.limit} tokens{beside}",
                    got=f"{len(context)} tokens of the prompt{together}",
                    where=where,
                    hint="Shorten the example, or leave the pair out: cut from the left it would lose its instruction",
                )
