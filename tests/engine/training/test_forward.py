"""The packed pass equals a plain full pass, a row at a time: logits, gradients, states."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import T5GemmaForConditionalGeneration

from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.engine.training.forward import TargetForward, TargetRow
from phraseproof.engine.training.packed_seq2seq_lm import PackedSeq2SeqLMForTraining
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import architecture_audit, architectures, tiny_models

ROWS = [
    TargetRow(tuple(range(5, 17)), (9, 31, 40)),
    TargetRow(tuple(range(40, 49)), (9, 31, 40)),
    TargetRow(tuple(range(60, 140)), (12,)),
    TargetRow((7,), (8, 8)),
    TargetRow(tuple(range(40, 49)), (12, 3)),
]


def model_of(family: str) -> HuggingFaceModel:
    model = load_model(str(tiny_models.TRAINABLE[family]()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    return model


def soft_of(model: HuggingFaceModel, placement: str = "input") -> SoftPrompt:
    return SoftPrompt.create(
        model.network, n=3, placement=placement, init="random-vocabulary", seed=2, tokenizer=model.tokenizer
    )


def forward_of(model: HuggingFaceModel, soft: SoftPrompt | None) -> TargetForward:
    return TargetForward(model.network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=soft)


def plain_logits(model: HuggingFaceModel, soft: SoftPrompt | None, row: TargetRow) -> torch.Tensor:
    """The model's own full forward on one row, with its soft prompt at the input."""
    network = model.network
    read = row.context + row.target if model.is_decoder_only else row.context
    inputs = network.get_input_embeddings()(torch.tensor([read]))
    if soft is not None:
        inputs = torch.cat([soft.weight[None], inputs], dim=1)
    mask = torch.ones(inputs.shape[:2], dtype=torch.long)
    if model.is_decoder_only:
        return network(inputs_embeds=inputs, attention_mask=mask).logits[0, -len(row.target) - 1 : -1]
    return network(inputs_embeds=inputs, attention_mask=mask, labels=torch.tensor([row.target])).logits[0]


def scalar(pieces: list[torch.Tensor], rows: list[TargetRow]) -> torch.Tensor:
    """Some number that depends on every logit."""
    return torch.stack(
        [
            piece.logsumexp(-1).sum() - piece[range(len(row.target)), row.target].sum()
            for piece, row in zip(pieces, rows, strict=True)
        ]
    ).sum()


@pytest.mark.parametrize("with_soft", [True, False])
@pytest.mark.parametrize("family", tiny_models.TRAINABLE)
def test_logits_and_gradients_equal_a_plain_pass(family: str, with_soft: bool) -> None:
    model = model_of(family)
    soft = soft_of(model) if with_soft else None
    found = forward_of(model, soft)(ROWS)
    width = max(len(row.target) for row in ROWS)
    assert found.logits.shape[:2] == found.targets.shape == found.mask.shape == (len(ROWS), width)
    assert found.logits.dtype == torch.float32
    ours = [logits[mask] for logits, mask in zip(found.logits, found.mask, strict=True)]
    plain = [plain_logits(model, soft, row) for row in ROWS]
    for row, logits, expected, targets in zip(ROWS, ours, plain, found.targets.tolist(), strict=True):
        assert logits.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-4)
        assert targets == [*row.target, *[-100] * (width - len(row.target))]
    assert not found.logits[~found.mask].any()
    if soft is not None:
        (gradient,) = torch.autograd.grad(scalar(ours, ROWS), soft.weight)
        (expected,) = torch.autograd.grad(scalar(plain, ROWS), soft.weight)
        assert float((gradient - expected).norm()) <= 1e-4 * float(expected.norm())


def changing_network(name: str) -> Any:
    """A network whose rotary frequencies change at 32 tokens."""
    if name != "t5gemma":
        return architecture_audit.network(name, encoder_decoder=False)
    config = architectures.tiny_config(name)
    for part in (config.encoder, config.decoder):
        part.max_position_embeddings = 32
        part.rope_parameters = {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0}
    return tiny_models.seeded(lambda: T5GemmaForConditionalGeneration(config))


@pytest.mark.parametrize("with_soft", [True, False])
@pytest.mark.parametrize("name", ["phi3/longrope", "llama/dynamic", "t5gemma"])
def test_rows_on_both_sides_of_a_rotary_threshold_equal_plain_passes(name: str, with_soft: bool) -> None:
    def network() -> Any:
        return tiny_models.spread_weights(changing_network(name), std=0.2).eval()

    trained, rows = network(), [*ROWS, TargetRow(tuple(range(30, 58)), (9, 31, 40, 7, 12)), TargetRow((9,) * 31, (8,))]
    assert {bool(len(row.context) > 32) for row in rows} == {True, False}
    soft = None
    if with_soft:
        trained.requires_grad_(False)
        ids: Any = tiny_models.llama_tokenizer()
        soft = SoftPrompt.create(trained, n=3, placement="input", init="random-vocabulary", seed=2, tokenizer=ids)
    joined = not trained.config.is_encoder_decoder
    found = TargetForward(trained, joined=joined, pad_id=0, soft=soft)(rows)
    ours = [logits[mask] for logits, mask in zip(found.logits, found.mask, strict=True)]
    # Another network for each row: some keep the frequencies of the longest text that they have read.
    plain: list[torch.Tensor] = []
    gradients: list[torch.Tensor] = []
    for row in rows:
        other = network()
        embeddings = other.get_input_embeddings()
        virtual = torch.zeros(0, 32) if soft is None else soft.weight
        read = row.context + row.target[:-1] if joined else row.context
        inputs = torch.cat([virtual, embeddings(torch.tensor(read))])[None]
        decoder = {} if joined else {"decoder_input_ids": torch.tensor([[1, *row.target[:-1]]])}
        logits = other(inputs_embeds=inputs, use_cache=False, **decoder).logits[0, -len(row.target) :]
        plain.append(logits)
        weight = soft.weight if soft is not None else other.get_output_embeddings().weight
        gradients += torch.autograd.grad(scalar([logits], [row]), weight, retain_graph=True)
    for logits, expected in zip(ours, plain, strict=True):
        assert logits.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-4)
    weight = soft.weight if soft is not None else trained.get_output_embeddings().weight
    (gradient,) = torch.autograd.grad(scalar(ours, rows), weight)
    expected = torch.stack(gradients).sum(0)
    assert float((gradient - expected).norm()) <= 1e-4 * float(expected.norm())


@pytest.mark.parametrize("placement", ["input", "layers"])
@pytest.mark.parametrize("family", ["t5", "bart", "llama", "gemma2"])
def test_rows_do_not_depend_on_their_company(family: str, placement: str) -> None:
    model = model_of(family)
    forward = forward_of(model, soft_of(model, placement))
    with torch.no_grad():
        together = forward(ROWS)
        for index, row in enumerate(ROWS):
            alone = forward([row]).logits[0]
            assert together.logits[index, : len(row.target)].numpy() == pytest.approx(alone.numpy(), abs=1e-4)


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_rows_without_a_graph_have_the_same_logits_and_no_gradient(family: str) -> None:
    model = model_of(family)
    soft = soft_of(model)
    forward = forward_of(model, soft)
    found, whole = forward(ROWS, without_graph=[0, 2]), forward(ROWS)
    assert found.logits.detach().numpy() == pytest.approx(whole.logits.detach().numpy(), abs=1e-4)
    (all_rows,) = torch.autograd.grad(found.logits.square().sum(), soft.weight)
    (kept_rows,) = torch.autograd.grad(whole.logits[[1, 3, 4]].square().sum(), soft.weight)
    assert all_rows.numpy() == pytest.approx(kept_rows.numpy(), rel=1e-3, abs=1e-3)
    assert not forward(ROWS[:1], without_graph=[0]).logits.requires_grad


def test_states_at_the_soft_prompt_are_the_encoders() -> None:
    model = model_of("t5")
    soft = soft_of(model)
    states = forward_of(model, soft)(ROWS, need_prefix_states=True).prefix_states
    assert states is not None
    for row, found in zip(ROWS, states, strict=True):
        inputs = torch.cat([soft.weight, model.network.get_input_embeddings()(torch.tensor(row.context))])
        expected = model.network.get_encoder()(inputs_embeds=inputs[None]).last_hidden_state[0, :3]
        assert found.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-4)
    with pytest.raises(ValueError, match="encoder"):
        forward_of(model_of("llama"), soft_of(model_of("llama")))(ROWS, need_prefix_states=True)
    with pytest.raises(ValueError, match="soft prompt"):
        forward_of(model, None)(ROWS, need_prefix_states=True)


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_all_weights_can_be_trained_too(family: str) -> None:
    model = model_of(family)
    network: Any = model.network.requires_grad_(True)
    forward = forward_of(model, None)
    found = forward(ROWS[:2])
    scalar(list(found.logits), ROWS[:2]).backward()
    ours = {name: value.grad.clone() for name, value in network.named_parameters() if value.grad is not None}
    network.zero_grad()
    scalar([plain_logits(model, None, row) for row in ROWS[:2]], ROWS[:2]).backward()
    for name, value in network.named_parameters():
        if value.grad is not None:
            assert float((ours[name] - value.grad).norm()) <= 1e-3 * float(value.grad.norm()) + 1e-6, name


@pytest.mark.parametrize("placement", ["input", "layers"])
def test_the_frozen_weights_get_no_gradient(placement: str) -> None:
    model = model_of("llama")
    soft = soft_of(model, placement)
    forward_of(model, soft)(ROWS).logits.square().sum().backward()
    assert all(parameter.grad is None for parameter in model.network.parameters())
    assert all(parameter.grad is not None for parameter in soft.parameters())


@pytest.mark.parametrize(
    ("family", "projection", "read"),
    [("t5", "SelfAttention.q", [12 + 9 + 80 + 1 + 4 * 3]), ("llama", "q_proj", [3 + 14 + 11 + 80 + 2 + 2])],
)
def test_a_frozen_models_layers_read_no_padding(family: str, projection: str, read: list[int]) -> None:
    model = model_of(family)
    model.network.requires_grad_(False)
    forward = forward_of(model, soft_of(model))
    forward(ROWS)  # what is tried at the first use is not counted
    first = next(module for name, module in model.network.named_modules() if name.endswith(projection))
    found: list[int] = []
    first.register_forward_pre_hook(lambda _, arguments: found.append(arguments[0].shape[:-1].numel()))
    forward(ROWS)
    assert found == read


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_a_bfloat16_model_with_a_soft_prompt_is_packed_and_near_to_float32(family: str) -> None:
    model = load_model(str(tiny_models.TRAINABLE[family]()), ModelOptions(device="cpu", dtype="bfloat16"))
    assert isinstance(model, HuggingFaceModel)
    model.network.requires_grad_(False)
    soft = soft_of(model)
    forward = forward_of(model, soft)
    assert forward.is_packed
    found = forward(ROWS)
    ours = [logits[mask] for logits, mask in zip(found.logits, found.mask, strict=True)]
    (gradient,) = torch.autograd.grad(scalar(ours, ROWS), soft.weight)
    model.network.float()
    plain = [plain_logits(model, soft, row) for row in ROWS]
    (expected,) = torch.autograd.grad(scalar(plain, ROWS), soft.weight)
    for logits, wanted in zip(ours, plain, strict=True):
        assert float((logits - wanted).detach().norm()) < 0.02 * float(wanted.detach().norm())
    assert float((gradient - expected).norm()) < 0.03 * float(expected.norm())


def test_float16_is_not_packed() -> None:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", dtype="float16"))
    assert isinstance(model, HuggingFaceModel)
    model.network.requires_grad_(False)
    assert not forward_of(model, soft_of(model)).is_packed


@pytest.mark.parametrize("error", [TypeError, RuntimeError])
def test_the_trial_refuses_another_network_and_hides_no_failure(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error("in the pass")

    model = model_of("t5")
    monkeypatch.setattr(PackedSeq2SeqLMForTraining, "logits", fails)
    forward = forward_of(model, soft_of(model))
    if error is TypeError:  # arguments that the network does not pass on
        assert not forward.is_packed
        return
    with pytest.raises(RuntimeError, match="in the pass"):
        _ = forward.is_packed
