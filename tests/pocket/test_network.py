"""The pocket's decoder against a Llama written out by hand, and its first head against a closed formula."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import LlamaForCausalLM

from phraseproof.pocket.network import SIZES, DecoderSize, new_network
from phraseproof.pocket.world import vocabulary

WORDS = 50
TINY = DecoderSize(width=48, layers=2, heads=2, feed_forward=40)


def fresh(size: DecoderSize = TINY, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    network = new_network(size, WORDS, padding=0, end=2).eval()
    network.set_attn_implementation("eager")
    return network


def normed(hidden: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return weight * hidden / (hidden.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()


def rotated(heads: torch.Tensor) -> torch.Tensor:
    """Rotary embedding of (heads, positions, width): entry i and entry i + width/2 are a pair, with base 1000."""
    _, positions, width = heads.shape
    rate = 1000.0 ** (-torch.arange(0, width, 2) / width)
    angle = torch.arange(positions)[:, None] * rate
    first, second = heads[..., : width // 2], heads[..., width // 2 :]
    return torch.cat([first * angle.cos() - second * angle.sin(), second * angle.cos() + first * angle.sin()], dim=-1)


def by_hand(weights: dict[str, torch.Tensor], size: DecoderSize, ids: torch.Tensor) -> torch.Tensor:
    """Logits of a Llama with biases in attention and tied embeddings, for one row without padding."""
    positions, head_width = len(ids), size.width // size.heads
    embeddings = weights["model.embed_tokens.weight"]
    hidden = embeddings[ids]
    unseen = torch.ones(positions, positions).triu(1).bool()
    for layer in range(size.layers):
        of_layer = {name.removeprefix(f"model.layers.{layer}."): weight for name, weight in weights.items()}

        def project(name: str, values: torch.Tensor, of: dict[str, torch.Tensor] = of_layer) -> torch.Tensor:
            return values @ of[f"self_attn.{name}.weight"].T + of[f"self_attn.{name}.bias"]

        values = normed(hidden, of_layer["input_layernorm.weight"])
        query, key, value = (
            project(name, values).reshape(positions, size.heads, head_width).transpose(0, 1)
            for name in ("q_proj", "k_proj", "v_proj")
        )
        scores = rotated(query) @ rotated(key).transpose(1, 2) / math.sqrt(head_width)
        mixed = scores.masked_fill(unseen, -math.inf).softmax(-1) @ value
        hidden = hidden + project("o_proj", mixed.transpose(0, 1).reshape(positions, size.width))
        values = normed(hidden, of_layer["post_attention_layernorm.weight"])
        gate, up = (values @ of_layer[f"mlp.{name}.weight"].T for name in ("gate_proj", "up_proj"))
        hidden = hidden + (gate * gate.sigmoid() * up) @ of_layer["mlp.down_proj.weight"].T
    return normed(hidden, weights["model.norm.weight"]) @ embeddings.T


@pytest.mark.parametrize("size", [TINY, DecoderSize(96, 3, 3, 64)])
def test_logits_are_those_of_a_llama_by_hand(size: DecoderSize) -> None:
    network = fresh(size)
    ids = torch.randint(3, WORDS, (17,))
    with torch.no_grad():
        found = network(input_ids=ids[None]).logits[0]
        expected = by_hand(dict(network.state_dict()), size, ids)
    assert found.std() > 0.01
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("name", "parameters"), [("tiny", 315_936), ("small", 708_736), ("medium", 1_347_680)])
def test_sizes_have_the_parameters_that_the_model_card_names(name: str, parameters: int) -> None:
    size = SIZES[name]
    network = new_network(size, len(vocabulary()), padding=0, end=2)
    attention = 4 * (size.width**2 + size.width)
    layer = attention + 3 * size.width * size.feed_forward + 2 * size.width
    assert parameters == len(vocabulary()) * size.width + size.layers * layer + size.width
    assert network.num_parameters() == parameters


def test_a_seed_gives_the_same_weights_and_another_seed_gives_others() -> None:
    first, again, other = (fresh(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["model.embed_tokens.weight"], other["model.embed_tokens.weight"])


@pytest.mark.parametrize("width", [64, 128])
def test_the_first_head_starts_by_attending_to_the_previous_position(width: int) -> None:
    network = fresh(DecoderSize(width, 1, width // 32, 64))
    with torch.no_grad():
        weights = network(torch.randint(3, WORDS, (1, 24)), output_attentions=True).attentions[0][0, 0]
    back = torch.tensor([weights[position, position - 1] for position in range(2, 24)])
    assert back.min() > 0.8


def test_without_words_the_first_head_attends_by_a_closed_formula() -> None:
    """Zero embeddings leave the biases: scores are 49/sqrt(32) times the sum of cos((distance - 1) * angle)."""
    network = fresh(DecoderSize(64, 1, 2, 64))
    with torch.no_grad():
        network.model.embed_tokens.weight.zero_()
        weights = network(torch.full((1, 12), 3), output_attentions=True).attentions[0][0, 0]
    angles = [1000.0 ** (-2 * pair / 32) for pair in range(5)]
    for position in range(12):
        scores = [
            7.0**2 / math.sqrt(32) * sum(math.cos((position - other - 1) * angle) for angle in angles)
            for other in range(position + 1)
        ]
        expected = torch.tensor(scores).softmax(0)
        torch.testing.assert_close(weights[position, : position + 1], expected, atol=1e-5, rtol=1e-4)


def test_the_first_head_writes_the_start_of_the_word_that_it_attends_to() -> None:
    """Its value is the first part of the normed input, whichever the word."""
    network = fresh()
    head_width = TINY.width // TINY.heads
    values = torch.randn(5, TINY.width)
    weights = network.state_dict()
    projected = values @ weights["model.layers.0.self_attn.v_proj.weight"].T
    torch.testing.assert_close(projected[:, :head_width], values[:, :head_width])
