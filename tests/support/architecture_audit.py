"""Scores of a tiny network of any architecture, through the public interface, beside plain passes of transformers."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from support import architectures, tiny_models

_LINES = tiny_models.sentences(60, seed=5)
_LETTERS = ("A", "B", "C", "D")
_ALONE = (0, 4, 6)
"""Of `prompts`: a short one, one beyond the windows, one at the context limit."""

_TEXTS = ("A", "red green blue of the king", "the heart", "seven")


class Audit(NamedTuple):
    """What was found.

    Attributes:
        path: how the model is scored, in its own words; empty where it was refused.
        worst: the largest difference from a plain pass, in nats.
        refused: the refusal, in one line; empty where the model was scored.
    """

    path: str
    worst: float
    refused: str


def folder(name: str, *, encoder_decoder: bool) -> Path:
    """A folder with a tiny network of this architecture and a tokenizer; drawn from a fixed seed."""
    drawn = tiny_models.spread_weights(network(name, encoder_decoder=encoder_decoder), std=0.2)
    return tiny_models.save(drawn, _tokenizer(encoder_decoder=encoder_decoder), f"audit-{name.replace('/', '-')}")


def network(name: str, *, encoder_decoder: bool) -> Any:
    """A tiny network of this architecture, with the weights that transformers draws for a fixed seed."""
    import transformers

    auto = transformers.AutoModelForSeq2SeqLM if encoder_decoder else transformers.AutoModelForCausalLM
    config = architectures.tiny_config(name)
    return tiny_models.seeded(lambda: auto.from_config(config))


@functools.cache
def _tokenizer(*, encoder_decoder: bool) -> Any:
    return tiny_models.t5_tokenizer() if encoder_decoder else tiny_models.llama_tokenizer()


def plain_pass(network: Any, context: Sequence[int], read: Sequence[int]) -> torch.Tensor:
    """Log-probabilities [1 + read tokens, vocabulary] of what follows a prompt and the first tokens of an option.

    One pass over both alone, without padding and without a cache.
    """
    ids = torch.tensor([list(context)])
    with torch.no_grad():
        if network.config.is_encoder_decoder:
            start = network.config.decoder_start_token_id
            logits = network(input_ids=ids, decoder_input_ids=torch.tensor([[start, *read]]), use_cache=False).logits[0]
        else:
            ids = torch.tensor([[*context, *read]])
            logits = network(input_ids=ids, use_cache=False).logits[0, len(context) - 1 :]
    return torch.log_softmax(logits.float(), dim=-1)


def plain_logprob(network: Any, context: Sequence[int], option: Sequence[int]) -> float:
    """The log-probability of an option after a prompt, from one plain pass."""
    return float(plain_pass(network, context, option[:-1])[range(len(option)), list(option)].sum())


def prompts() -> list[Prompt]:
    """Short ones and ones at the context limit, with letters and with texts, in an order of no meaning."""
    draw = random.Random(3)
    found = [
        Prompt(" ".join(draw.choice(_LINES).split()[:words]), options)
        for words, options in ((3, _LETTERS), (5, _TEXTS), (9, _LETTERS), (4, _TEXTS), (60, _TEXTS), (12, _TEXTS))
    ]
    long = "\n\n".join(draw.sample(_LINES, 6))
    return [*found, Prompt(long, _TEXTS), Prompt(long[40:], _LETTERS), Prompt(long[-130:], _TEXTS)]


def reference(path: Path, *, encoder_decoder: bool) -> Callable[[Sequence[int], Sequence[int]], float]:
    """Plain passes through a network of this folder, as if it had computed nothing before."""
    import transformers

    auto = transformers.AutoModelForSeq2SeqLM if encoder_decoder else transformers.AutoModelForCausalLM
    network: Any = auto.from_pretrained(path).eval()
    # These two keep something of what they have read.
    changes = any(hasattr(module, "set_attention_type") for module in network.modules())
    remembers = "dynamic" in str(network.config) or changes
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], torch.Tensor] = {}

    def score(context: Sequence[int], option: Sequence[int]) -> float:
        key = (tuple(context), tuple(option[:-1]))
        if key not in known:
            known[key] = plain_pass(copy.deepcopy(network) if remembers else network, *key)
        return float(known[key][range(len(option)), list(option)].sum())

    return score


def differences(model: Any, wanted: list[list[float]], chosen: Sequence[Prompt]) -> float:
    """The largest difference in nats of these prompts' scores, together and some of them alone.

    Alone are those of which others are longer in the same batch, and the longest. Alone or not, a score is compared
    with the plain pass of its prompt.
    """
    worst = 0.0
    for some in (list(chosen), *([chosen[place]] for place in _ALONE)):
        found = [scores.logprobs for scores in model.score_options(some)]
        for prompt, logprobs in zip(some, found, strict=True):
            of_prompt = wanted[list(chosen).index(prompt)]
            worst = max(worst, *(abs(one - other) for one, other in zip(logprobs, of_prompt, strict=True)))
    return worst


def audit(name: str, *, encoder_decoder: bool) -> Audit:
    """Score the prompts of `prompts` with a tiny network of this architecture."""
    from phraseproof.errors import ModelError

    path = folder(name, encoder_decoder=encoder_decoder)
    try:
        model: Any = load_model(str(path), ModelOptions(device="cpu"))
        chosen = prompts()
        model.score_options(chosen[:1])
        score = reference(path, encoder_decoder=encoder_decoder)
        wanted = [
            [score(_kept(context, option, model, encoder_decoder), option) for option in options]
            for context, options, _ in model.encode(chosen)
        ]
        worst = differences(model, wanted, chosen)
    except ModelError as error:
        return Audit("", 0.0, str(error))
    return Audit(model.executor.scoring_path().partition(";")[0], worst, "")


def _kept(context: Sequence[int], option: Sequence[int], model: Any, encoder_decoder: bool) -> Sequence[int]:
    limit: int | None = model.context_limit
    if limit is None:
        return context
    return context[-limit:] if encoder_decoder else context[-(limit - len(option) + 1) :]
