"""Attention in blocks, the way of accelerators, run on a CPU: the same numbers, in calls that do not grow."""

from __future__ import annotations

import collections
import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.profiler import ProfilerActivity, profile

from phraseproof.engine.attention.block_sdpa import attend_in_blocks, in_blocks, move
from phraseproof.engine.packed_causal_lm import NO_SOFT_PROMPT, PackedCausalLM, VirtualTokens
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.plan.attention_blocks import AttentionQuery, plan_blocks
from phraseproof.engine.plan.prefix_tree import order_by_prefix
from phraseproof.engine.plan.request import Request
from phraseproof.engine.prefix_cache import CacheShape, KeyValuePrefix
from phraseproof.engine.probe import probe_causal_lm
from support import tiny_models
from support.block_asks import asks, pairs, row_of

Tokens = tuple[int, ...]

FEW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])


@functools.cache
def network_of(folder: Path) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    family = AutoModelForSeq2SeqLM if AutoConfig.from_pretrained(folder).is_encoder_decoder else AutoModelForCausalLM
    return family.from_pretrained(folder).eval()


def plain(network: Any, context: Tokens, option: Tokens) -> float:
    """One prompt, one option, through the model's own forward."""
    with torch.no_grad():
        if network.config.is_encoder_decoder:
            logits = network(input_ids=torch.tensor([context]), labels=torch.tensor([option])).logits[0]
        else:
            logits = network(input_ids=torch.tensor([context + option])).logits[0, len(context) - 1 : -1]
    return float(torch.log_softmax(logits.double(), -1)[range(len(option)), option].sum())


@st.composite
def works(draw: st.DrawFn) -> list[tuple[Tokens, tuple[Tokens, ...]]]:
    """Contexts of a few tokens, many with a common beginning, each with options that have one too."""
    token = st.integers(4, 40)
    beginnings = [tuple(draw(st.lists(token, min_size=1, max_size=12))) for _ in range(2)]
    found: dict[Tokens, tuple[Tokens, ...]] = {}
    for _ in range(draw(st.integers(1, 7))):
        context = draw(st.sampled_from(beginnings)) + tuple(draw(st.lists(token, max_size=9)))
        options = draw(st.lists(st.lists(st.integers(4, 6), min_size=1, max_size=4).map(tuple), min_size=1, max_size=4))
        found[context] = tuple(dict.fromkeys(options))
    return list(found.items())


def in_order(work: list[tuple[Tokens, tuple[Tokens, ...]]]) -> list[Request]:
    """Jobs as a schedule makes them, those after each other sharing what they can."""
    order = order_by_prefix([context for context, _ in work])
    kept = [*order.shared[1:], 0]
    return [
        Request(np.asarray(work[index][0], dtype=np.int32), work[index][1], shared=shared, kept=after)
        for index, shared, after in zip(order.indices, order.shared, kept, strict=True)
    ]


# ---------------------------------------------------------------------------------------------------- the arithmetic


@given(asks(), st.sampled_from([(4, 4), (4, 2), (3, 1)]), st.sampled_from([None, 2.0]), st.sampled_from([60, 10**6]))
def test_blocks_give_what_a_softmax_over_each_querys_keys_gives(
    some: list[AttentionQuery], heads: tuple[int, int], softcap: float | None, largest: int
) -> None:
    if softcap is not None:
        some = [ask for ask in some if not ask.causal]
        if not some:
            return
    rows, draw = row_of(some), torch.Generator().manual_seed(0)
    query = torch.randn(1, heads[0], rows, 8, generator=draw)
    key, value = (torch.randn(1, heads[1], 401 + rows, 8, generator=draw) for _ in range(2))
    plan = move(plan_blocks(some, rows, largest=largest), query, groups=heads[0] // heads[1])
    found = attend_in_blocks(query, key, value, plan, 0.5, softcap)
    expected = torch.zeros(1, rows, heads[0], 8, dtype=torch.double)
    keys, values = (side[0].repeat_interleave(heads[0] // heads[1], 0).double() for side in (key, value))
    for place, seen in (pair for ask in some for pair in pairs(ask)):
        scores = torch.einsum("hd,hkd->hk", query[0, :, place].double(), keys[:, sorted(seen)]) * 0.5
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        expected[0, place] = torch.einsum("hk,hkd->hd", scores.softmax(-1), values[:, sorted(seen)])
    assert torch.allclose(found.double(), expected, atol=1e-5)


def test_the_way_is_chosen_by_the_device() -> None:
    assert not in_blocks(torch.device("cpu"))
    assert in_blocks(torch.device("cuda", 0))
    assert in_blocks(torch.device("mps"))


# ------------------------------------------------------------------------------------------------------ whole models

DECODERS = {
    "llama": tiny_models.tiny_llama,
    "gemma2": tiny_models.tiny_gemma2,
    "gpt-neox": tiny_models.tiny_gpt_neox,
    "gpt2": tiny_models.tiny_gpt2,
}


@pytest.mark.parametrize("name", DECODERS)
@FEW
@given(work=works(), cut=st.integers(0, 7))
def test_a_decoder_in_blocks_equals_the_plain_model(
    name: str, work: list[tuple[Tokens, tuple[Tokens, ...]]], cut: int
) -> None:
    network = network_of(DECODERS[name]())
    with torch.inference_mode():
        packing = probe_causal_lm(network)
        assert packing is not None
        assert packing.last_layer is not None
        decoder = PackedCausalLM(network, last_layer=packing.last_layer, in_blocks=True)
        requests = in_order(work)
        # In two batches: the second goes on from what the first left.
        found = [scores for batch in (requests[:cut], requests[cut:]) if batch for scores in decoder.score(batch)]
        packing.last_layer.remove()
    for request, scores in zip(requests, found, strict=True):
        context = tuple(request.context.tolist())
        expected = [plain(network, context, option) for option in request.options]
        assert scores == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("absorbs", [True, False])
@FEW
@given(work=works())
def test_an_encoder_decoder_in_blocks_equals_the_plain_model(
    absorbs: bool, work: list[tuple[Tokens, tuple[Tokens, ...]]]
) -> None:
    packed, network = t5_in_blocks()
    with torch.inference_mode():
        requests = [Request(np.asarray(context, dtype=np.int32), options) for context, options in work]
        found = packed.score(requests, absorbs=absorbs)
    for (context, options), scores in zip(work, found, strict=True):
        assert scores == pytest.approx([plain(network, context, option) for option in options], abs=1e-4)


@functools.cache
def t5_in_blocks() -> tuple[PackedSeq2SeqLM, Any]:
    network = network_of(tiny_models.tiny_t5())
    return PackedSeq2SeqLM(network, in_blocks=True), network


def soft_prompts(network: Any, heads: int, *, encoder_decoder: bool) -> list[VirtualTokens]:
    draw = torch.Generator().manual_seed(3)
    sides = torch.randn(2, 2, heads, 5, 8, generator=draw)
    prefix = KeyValuePrefix(sides, CacheShape(2, heads, 8, False, encoder_decoder), network.config)
    return [
        NO_SOFT_PROMPT,
        VirtualTokens(virtual=torch.randn(5, 32, generator=draw)),
        VirtualTokens(prefix=prefix),
    ]


@pytest.mark.parametrize("kind", [0, 1, 2])
@FEW
@given(work=works())
def test_soft_prompts_in_blocks_equal_those_one_by_one(
    kind: int, work: list[tuple[Tokens, tuple[Tokens, ...]]]
) -> None:
    # One by one they equal PEFT's forward: test_soft_prompt.py.
    packed, t5 = t5_in_blocks()
    llama = network_of(tiny_models.tiny_llama())
    soft = soft_prompts(llama, 2, encoder_decoder=False)[kind]
    with torch.inference_mode():
        requests = in_order(work)
        ways = [PackedCausalLM(llama, soft, in_blocks=way).score(requests) for way in (True, False)]
        for one, other in zip(*ways, strict=True):
            assert one == pytest.approx(other, abs=1e-4)
        soft = soft_prompts(t5, 4, encoder_decoder=True)[kind]
        one_by_one = PackedSeq2SeqLM(t5, in_blocks=False)
        for one, other in zip(packed.score(requests, soft), one_by_one.score(requests, soft), strict=True):
            assert one == pytest.approx(other, abs=3e-4)  # a prefix of random keys: rounding reaches 1.2e-4


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_in_blocks_stays_near(dtype: torch.dtype) -> None:
    folder = tiny_models.tiny_llama()
    work = [((5, 9, 14, 3, 8, 21), ((7, 12), (30,))), ((5, 9, 14, 3, 8, 2, 2), ((7, 12), (7, 13, 4)))]
    network = network_of(folder)
    half = type(network).from_pretrained(folder, dtype=dtype).eval()
    with torch.inference_mode():
        found = PackedCausalLM(half, in_blocks=True).score(in_order(work))
    for request, scores in zip(in_order(work), found, strict=True):
        expected = [plain(network, tuple(request.context.tolist()), option) for option in request.options]
        assert scores == pytest.approx(expected, abs=0.3)


# ------------------------------------------------------------------------------------------------------------- calls


def similar(count: int) -> list[Request]:
    """Prompts of one length with options of two lengths, all sharing their first tokens."""
    draw = np.random.default_rng(2)
    work = [
        ((*range(5, 25), *draw.integers(4, 400, size=10).tolist()), ((7, 8), (7, 9, 4), (11,))) for _ in range(count)
    ]
    return in_order(work)


def calls(score: Any, requests: list[Request]) -> collections.Counter[str]:
    """How often each of torch's operators was called."""
    with torch.inference_mode(), profile(activities=[ProfilerActivity.CPU]) as seen:
        score(requests)
    events: Any = seen.events()
    return collections.Counter(event.name for event in events if event.name.startswith("aten::"))


@pytest.mark.parametrize("model", ["llama", "gemma2", "t5 absorbed", "t5 projected"])
def test_calls_do_not_grow_with_the_number_of_prompts(model: str) -> None:
    score: Any
    if model.startswith("t5"):
        packed, _ = t5_in_blocks()
        score = functools.partial(packed.score, absorbs=model == "t5 absorbed")
    else:
        decoder = PackedCausalLM(network_of(DECODERS[model]()), in_blocks=True)
        score = decoder.score

    calls(score, similar(4))
    few, many = calls(score, similar(8)), calls(score, similar(64))
    attention = "aten::softmax" if model == "gemma2" else "aten::scaled_dot_product_attention"
    assert many[attention] == few[attention] > 0
    assert many.total() <= few.total() + 10
    if not model.startswith("t5"):
        one_by_one = calls(PackedCausalLM(network_of(DECODERS[model]()), in_blocks=False).score, similar(64))
        assert one_by_one.total() > 3 * many.total()


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_a_pass_never_waits_for_a_number_from_the_device(kind: int) -> None:
    # Each of these would stop the host until an accelerator has done all that it was given.
    waits = {"aten::item", "aten::_local_scalar_dense", "aten::nonzero", "aten::is_nonzero", "aten::equal"}
    packed, t5 = t5_in_blocks()
    llama = network_of(tiny_models.tiny_llama())
    decoder = PackedCausalLM(llama, soft_prompts(llama, 2, encoder_decoder=False)[kind], in_blocks=True)
    soft = soft_prompts(t5, 4, encoder_decoder=True)[kind]
    for score in (decoder.score, functools.partial(packed.score, soft=soft)):
        calls(score, similar(4))
        found = calls(score, similar(8))
        assert found.total() > 100
        assert not waits & set(found)
