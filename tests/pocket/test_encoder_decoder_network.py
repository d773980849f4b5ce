"""The pocket's encoder-decoder: a folder that anyone can load, a start that binds neighbours, and that it learns."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

from phraseproof.pocket.encoder_decoder_network import (
    EncoderDecoderSize,
    ParameterGroup,
    answer_loss,
    new_encoder_decoder,
    parameter_groups,
)

WORDS = 50
PADDING, END = 0, 2
TINY = EncoderDecoderSize(width=32, encoder_layers=2, decoder_layers=2, heads=2, feed_forward=32)


def fresh(size: EncoderDecoderSize = TINY, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    network = new_encoder_decoder(size, WORDS, padding=PADDING, end=END)
    network.set_attn_implementation("eager")
    return network.eval()


def test_it_has_the_shape_that_was_asked_for() -> None:
    network = fresh(EncoderDecoderSize(width=48, encoder_layers=3, decoder_layers=2, heads=4, feed_forward=40))
    with torch.no_grad():
        found = network(
            input_ids=torch.randint(3, WORDS, (2, 9)), decoder_input_ids=torch.zeros(2, 3, dtype=torch.long)
        )
    assert found.logits.shape == (2, 3, WORDS)
    assert found.encoder_last_hidden_state.shape == (2, 9, 48)
    assert (len(network.encoder.block), len(network.decoder.block)) == (3, 2)
    assert network.decoder.block[0].layer[1].EncDecAttention.q.weight.shape == (48, 48)
    assert network.encoder.block[0].layer[1].DenseReluDense.wi_0.weight.shape == (40, 48)


def test_the_saved_folder_is_an_ordinary_one(tmp_path: Path) -> None:
    network = fresh()
    prompt = torch.randint(3, WORDS, (3, 8))
    expected = network.generate(prompt, max_new_tokens=2)
    network.save_pretrained(tmp_path)
    loaded: Any = AutoModelForSeq2SeqLM.from_pretrained(tmp_path).eval()
    weights = network.state_dict()
    assert all(torch.equal(weights[name], weight) for name, weight in loaded.state_dict().items())
    assert torch.equal(loaded.generate(prompt, max_new_tokens=2), expected)
    assert (loaded.config.decoder_start_token_id, loaded.config.eos_token_id) == (PADDING, END)


def test_a_seed_gives_the_same_weights_and_another_seed_gives_others() -> None:
    first, again, other = (fresh(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["shared.weight"], other["shared.weight"])


@pytest.mark.parametrize(("width", "heads"), [(32, 2), (128, 4)])
def test_two_heads_of_the_encoder_start_by_looking_at_the_neighbours(width: int, heads: int) -> None:
    network = fresh(EncoderDecoderSize(width, 1, 1, heads, 64))
    with torch.no_grad():
        weights = network.encoder(torch.randint(3, WORDS, (1, 24)), output_attentions=True).attentions[0][0]
    back = weights[0].diagonal(offset=-1)
    ahead = weights[1].diagonal(offset=1)
    assert min(back.min(), ahead.min()) > 0.7
    # The others start anywhere.
    for head in range(2, heads):
        assert weights[head].max() < 0.7


def test_it_starts_out_saying_the_word_that_it_looks_at() -> None:
    """With a prompt of one word, cross-attention has nothing else to look at."""
    network = fresh(EncoderDecoderSize(128, 3, 2, 4, 64))
    prompts = torch.arange(3, WORDS)[:, None]
    with torch.no_grad():
        logits = network(input_ids=prompts, decoder_input_ids=torch.full_like(prompts, PADDING)).logits[:, 0]
    # Three layers of random weights lie over it; by chance it would be one word in fifty.
    assert (logits.argmax(-1) == prompts[:, 0]).float().mean() > 0.4


def test_padding_on_either_side_changes_nothing() -> None:
    network = fresh()
    prompt, padding = torch.randint(3, WORDS, (1, 7)), torch.full((1, 4), PADDING)
    start = torch.full((1, 1), PADDING)

    def logits(*parts: torch.Tensor) -> torch.Tensor:
        ids = torch.cat(parts, dim=1)
        return network(input_ids=ids, attention_mask=(ids != PADDING).long(), decoder_input_ids=start).logits

    with torch.no_grad():
        alone = logits(prompt)
        torch.testing.assert_close(logits(padding, prompt), alone)
        torch.testing.assert_close(logits(prompt, padding), alone)


def test_every_weight_learns_at_one_rate() -> None:
    network = fresh()
    groups = parameter_groups(network, weight_decay=0.1)
    grouped = [id(weight) for group in groups for weight in group["params"]]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == {id(weight) for weight in network.parameters()}

    def group_of(weight: torch.Tensor) -> ParameterGroup:
        return next(group for group in groups if any(weight is each for each in group["params"]))

    attention = network.encoder.block[0].layer[0].SelfAttention
    head_width = TINY.width / TINY.heads
    assert group_of(attention.q.weight)["rate"] == pytest.approx(1 / math.sqrt(head_width))
    assert group_of(attention.k.weight)["rate"] == 1
    assert group_of(network.shared.weight)["rate"] > 1
    # What a step takes off a weight is rate times decay: the same for all matrices, nothing for tables and norms.
    assert {round(group["rate"] * group["weight_decay"], 9) for group in groups} == {0.0, 0.1}
    undecayed = (
        network.shared.weight,
        attention.relative_attention_bias.weight,
        network.encoder.final_layer_norm.weight,
    )
    assert all(group_of(weight)["weight_decay"] == 0 for weight in undecayed)


def test_it_learns_to_look_up_a_value_by_its_key() -> None:
    """`a 1 b 2 c 3 ? b` -> `2`, in some seconds."""
    network = fresh(EncoderDecoderSize(64, 2, 2, 4, 64)).train()
    groups = parameter_groups(network, weight_decay=0.0)
    optimizer = torch.optim.AdamW([{key: group[key] for key in ("params", "weight_decay")} for group in groups])
    for group, source in zip(optimizer.param_groups, groups, strict=True):
        group["lr"] = 1e-3 * source["rate"]
    draw = random.Random(0)

    def questions(count: int) -> tuple[list[list[int]], list[list[int]]]:
        prompts: list[list[int]] = []
        answers: list[list[int]] = []
        for _ in range(count):
            keys, values = draw.sample(range(4, 10), 3), draw.sample(range(10, 16), 3)
            asked = draw.randrange(3)
            prompts.append([*(word for pair in zip(keys, values, strict=True) for word in pair), 3, keys[asked]])
            answers.append([values[asked], END])
        return prompts, answers

    for _ in range(150):
        answer_loss(network, *questions(32)).backward()
        optimizer.step()
        optimizer.zero_grad()
    prompts, answers = questions(200)
    said = network.eval().generate(torch.tensor(prompts), max_new_tokens=2)[:, 1:]
    right = (said == torch.tensor(answers)).all(dim=1).float().mean()
    assert right > 0.9  # who cannot tell which value is asked for is right in 33%


def test_the_loss_is_that_of_the_answers_words() -> None:
    """Against a sum by hand over single rows, which have no padding."""
    network = fresh()
    prompts, answers = [[5, 6, 7, 8], [9, 10]], [[11, 12, END], [13, END]]
    total = 0.0
    for prompt, answer in zip(prompts, answers, strict=True):
        decoder_input = torch.tensor([[PADDING, *answer[:-1]]])
        with torch.no_grad():
            logits = network(input_ids=torch.tensor([prompt]), decoder_input_ids=decoder_input).logits[0]
        total -= sum(float(row.log_softmax(-1)[word]) for row, word in zip(logits, answer, strict=True))
    assert float(answer_loss(network, prompts, answers).detach()) == pytest.approx(total / 5, abs=1e-5)
