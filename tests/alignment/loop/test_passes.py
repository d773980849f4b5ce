"""From pairs to the losses of a method on a network: equal to plain loops, in whatever passes the batches run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from phraseproof.alignment.loop import passes as passes_module
from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.loop.passes import Passes
from phraseproof.alignment.methods import METHODS, LossSettings
from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.pairs.tokens import tokenize_pairs
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.training.loss_terms import LossTerms
from phraseproof.training.trainable_model import TrainableModel
from support import tiny_models
from support.slow_losses import slow_terms
from support.tiny_trainings import adapter, train

PAIRS = [
    ParaphraseSet(
        "Choose.", ("Which of the four is the correct option?", "Answer the question."), "the red king", "north of the"
    ),
    ParaphraseSet("Never.", ("Not always, but often before.", "Less."), "seven", "left"),
]
DRAWS = [Draw(index, (0, 1), ()) for index in range(2)]


def passes_over(
    folder: Path, method: str = "pt+kl", placement: str = "input"
) -> tuple[HuggingFaceModel, SoftPrompt, Passes]:
    model = load_model(str(folder))
    assert isinstance(model, HuggingFaceModel)
    soft = SoftPrompt.create(
        model.network, n=3, placement=placement, init="random-vocabulary", seed=1, tokenizer=model.tokenizer
    )
    trainable = TrainableModel(model.network, soft, joined=model.is_decoder_only, pad_id=model.pad_id)
    vocabulary = model.network.get_input_embeddings().weight.shape[0]
    accelerator = Accelerator(cpu=True)
    return model, soft, Passes(trainable, accelerator, METHODS[method], LossSettings(), vocabulary_size=vocabulary)


@pytest.mark.parametrize("folder", [tiny_models.tiny_t5, tiny_models.tiny_llama, tiny_models.tiny_gpt2])
def test_the_papers_loss_of_a_model(folder: Callable[[], Path]) -> None:
    model, soft, passes = passes_over(folder())
    assert soft.virtual is not None
    tokens = tokenize_pairs(PAIRS, model, prompt_format="plain")
    assert len({len(each.target) for each in tokens}) == 2, "so that targets are padded"
    expected = [slow_terms(model, soft.virtual.detach(), each) for each in tokens]
    alone = passes.training_losses(tokens, [[draw] for draw in DRAWS])
    for found, (ce, kl) in zip(alone, expected, strict=True):
        assert found.ce.item() == pytest.approx(ce, rel=2e-5)
        assert found.kl is not None
        assert found.kl.item() == pytest.approx(kl, rel=2e-5)
        assert found.total.item() == pytest.approx(0.2 * ce + 0.8 * kl, rel=2e-5)
    (both,) = passes.training_losses(tokens, [DRAWS])
    assert both.total.item() == pytest.approx(sum(0.2 * ce + 0.8 * kl for ce, kl in expected) / 2, rel=2e-5)
    both.total.backward()
    gradients = [parameter.grad for parameter in soft.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() and gradient.any() for gradient in gradients)


def test_batches_share_a_pass_only_where_nothing_is_padded() -> None:
    model, _, packed = passes_over(tiny_models.tiny_llama())
    tokens = tokenize_pairs(PAIRS, model, prompt_format="plain")
    batches = [[draw] for draw in DRAWS]
    packed.training_losses(tokens, batches)  # the first pass tests on the model whether it can be packed
    assert packed.join(tokens, batches) == [batches]
    _, _, padded = passes_over(tiny_models.tiny_llama(), placement="layers")
    assert padded.join(tokens, batches) == [[batch] for batch in batches]


def test_means_leave_out_terms_that_a_method_lacks() -> None:
    _, _, passes = passes_over(tiny_models.tiny_t5(), "pt")
    terms = [LossTerms(torch.tensor(value), torch.tensor(2 * value)) for value in (1.0, 4.0)]
    assert passes.mean(terms) == (2.5, 5.0, None, None)


def passes_of(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of rows of each later pass of a training."""
    from phraseproof.engine.training.forward import TargetForward

    sizes: list[int] = []
    plain = TargetForward.__call__

    def counted(self: TargetForward, rows: Any, **named: Any) -> Any:
        sizes.append(len(rows))
        return plain(self, rows, **named)

    monkeypatch.setattr(TargetForward, "__call__", counted)
    return sizes


@pytest.mark.parametrize("folder", [tiny_models.tiny_t5, tiny_models.tiny_llama])
def test_the_batches_of_a_step_share_a_pass_and_give_the_losses_they_have_alone(
    folder: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = passes_of(monkeypatch)
    changes: dict[str, Any] = {"gradient_accumulation": 3, "paraphrases_per_batch": 1, "max_steps": 3}
    train(folder(), tmp_path / "joined", **changes)
    assert 3 * 2 in sizes, "three batches of a reference and a paraphrase"
    sizes.clear()
    monkeypatch.setattr(
        passes_module, "merge_small_batches", lambda batches, _: [range(i, i + 1) for i in range(len(batches))]
    )
    train(folder(), tmp_path / "apart", **changes)
    assert set(sizes) == {2}
    assert adapter(tmp_path / "joined").numpy() == pytest.approx(adapter(tmp_path / "apart").numpy(), abs=1e-4)
    logs = [
        [
            line["loss"]
            for line in map(json.loads, (tmp_path / name / "training.jsonl").read_text().splitlines())
            if line["step"]
        ]
        for name in ("joined", "apart")
    ]
    assert logs[0] == pytest.approx(logs[1], abs=1e-5)
