"""Every architecture scores as transformers does for one prompt and one option alone, or is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from phraseproof.engine.length_thresholds import RotaryRegimes
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.ways import NetworkFacts, Way, Ways, check_causal, one_line_refusals
from support import architectures, tiny_models
from support.architecture_audit import Audit, audit
from support.architecture_table import table

CAUSAL, SEQ2SEQ = architectures.names()
FAST = "one row without padding"
PACKED = (
    "llama", "qwen2", "qwen3", "gemma2", "gemma3_text", "mistral", "phi3", "gpt2", "gpt_neox", "mixtral", "olmo2", "t5",
)  # fmt: skip


def check(name: str, found: Audit) -> None:
    recorded = table()[name]
    if found.refused:
        assert recorded.refused, found.refused
        assert type(found.refused) is str
        assert "\n" not in found.refused
        return
    assert found.worst < 1e-4
    assert found.path == recorded.path, "docs/architectures.md is old: python -m support.architecture_table"


@pytest.mark.parametrize("name", CAUSAL)
def test_decoder_only_architectures(name: str) -> None:
    check(name, audit(name, encoder_decoder=False))


@pytest.mark.parametrize("name", SEQ2SEQ)
def test_encoder_decoder_architectures(name: str) -> None:
    check(name, audit(name, encoder_decoder=True))


def test_the_table_in_the_docs_has_every_architecture() -> None:
    assert list(table()) == [*CAUSAL, *SEQ2SEQ]


@pytest.mark.parametrize("name", PACKED)
def test_common_architectures_keep_the_fast_path(name: str) -> None:
    assert table()[name].path.startswith(FAST)


Scorer = Callable[..., list[list[float]]]


def ways(fast: Scorer, alone: Scorer, *thresholds: int) -> Ways:
    facts = NetworkFacts(
        tiny_models.llama_network(64),
        64,
        lambda context, option: min(context, 100 - option),
        thresholds,
        RotaryRegimes(None, True),
        0,
        None,
    )
    by_size: Callable[[Any], int] = lambda batch: max(len(request.context) for request in batch)  # noqa: E731
    return Ways([Way("fast", fast, by_size)], Way("alone", alone, by_size), facts)


def scores(requests: Any, _: BatchLimit) -> list[list[float]]:
    return [[float(len(request.context) + sum(option)) for option in request.options] for request in requests]


def test_a_way_that_fails_beyond_a_threshold_is_taken_before_it() -> None:
    from phraseproof.engine.trial import Lengths, trial_requests

    def fails_beyond(requests: Any, limit: BatchLimit) -> list[list[float]]:
        if max(len(request.context) for request in requests) > 32:
            raise IndexError("index out of range in self")
        return scores(requests, limit)

    chosen = ways(fails_beyond, scores, 32)
    short, long = (trial_requests(Lengths(size), 64, lambda context, _: context) for size in (0, 40))
    assert chosen.of(short).name == "fast"
    assert chosen.of(long).name == "alone"


def test_a_network_that_gives_other_scores_each_time_is_refused() -> None:
    draw = torch.Generator().manual_seed(0)

    def random(requests: Any, limit: BatchLimit) -> list[list[float]]:
        return [[float(torch.rand((), generator=draw)) for _ in request.options] for request in requests]

    with pytest.raises(ModelError, match="other log-probabilities each time"):
        _ = ways(scores, random).of_short_requests


def test_what_a_network_raises_becomes_one_line() -> None:
    with pytest.raises(ModelError, match=r"LlamaForCausalLM cannot compute these prompts .*no such place") as caught:  # noqa: SIM117
        with one_line_refusals(tiny_models.llama_network(64)):
            raise IndexError("no such\nplace")
    assert "\n" not in str(caught.value)
    with pytest.raises(torch.OutOfMemoryError), one_line_refusals(tiny_models.llama_network(64)):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


def test_a_masked_language_model_is_refused_by_name() -> None:
    from transformers import BertConfig, BertLMHeadModel

    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 64}
    for is_decoder in (True, False):
        config = BertConfig(intermediate_size=64, is_decoder=is_decoder, **sizes)
        bert = tiny_models.seeded(lambda config=config: BertLMHeadModel(config)).eval()

        def logits(tokens: Any, bert: Any = bert) -> torch.Tensor:
            with torch.no_grad():
                return bert(input_ids=torch.tensor([list(tokens)])).logits

        if is_decoder:
            check_causal(bert, range(10, 22), logits)
        else:
            with pytest.raises(ModelError, match=r"BertLMHeadModel cannot score text.*the type 'bert'"):
                check_causal(bert, range(10, 22), logits)
