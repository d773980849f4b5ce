from __future__ import annotations

from typing import cast

import pytest
import torch

from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.loop.batches import rows_of, run_groups
from phraseproof.alignment.pairs.tokens import SetTokens
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.training.trainable_model import TrainableModel
from support import tiny_models
from support.slow_losses import slow_logits

WITH_OPTIONS = SetTokens(
    (5, 6, 7), ((8, 9),), (), (20, 3), has_end=True, options=((21, 22, 3), (20, 3), (23, 3)), weights=(0.5, 0.3, 0.2)
)


def test_rows_are_the_reference_then_the_drawn_paraphrases_and_negations() -> None:
    tokens = [SetTokens((1,), ((2,), (3,)), ((4,), (5,)), (9,)), SetTokens((6,), ((7,),), (), (8,))]
    rows = rows_of(tokens, [Draw(0, (1,), (0,)), Draw(1, (0,), ())])
    assert [(row.context, row.target) for row in rows] == [
        ((1,), (9,)),
        ((3,), (9,)),
        ((4,), (9,)),
        ((6,), (8,)),
        ((7,), (8,)),
    ]


def test_a_drawn_wording_takes_the_references_place() -> None:
    tokens = [SetTokens((1,), ((2,), (3,)), (), (9,))]
    assert [row.context for row in rows_of(tokens, [Draw(0, (1,), (), has_reference=False)])] == [(3,)]
    assert [row.context for row in rows_of(tokens, [Draw(0, (), ())])] == [(1,)]


def test_options_have_rows_of_their_own_but_for_the_target() -> None:
    rows = rows_of([WITH_OPTIONS], [Draw(0, (0,), ())])
    assert [(row.context, row.target) for row in rows] == [
        ((5, 6, 7), (20, 3)),
        ((8, 9), (20, 3)),
        *(((5, 6, 7), option) for option in ((21, 22, 3), (23, 3))),
        *(((8, 9), option) for option in ((21, 22, 3), (23, 3))),
    ]


@pytest.mark.parametrize("without_graph", [True, False])
@pytest.mark.parametrize("folder", [tiny_models.tiny_t5, tiny_models.tiny_llama])
def test_the_options_logits_are_those_of_single_rows(folder: object, without_graph: bool) -> None:
    model = cast(HuggingFaceModel, load_model(str(folder()), ModelOptions(device="cpu")))  # type: ignore[operator]
    soft = SoftPrompt.create(
        model.network, n=3, placement="input", init="random-vocabulary", seed=1, tokenizer=model.tokenizer
    )
    trainable = TrainableModel(model.network, soft, joined=model.is_decoder_only, pad_id=model.pad_id)
    plain = SetTokens((4, 4), ((5,),), (), (9, 3), labelled=False, has_end=False)
    first, second = run_groups(
        trainable,
        [plain, WITH_OPTIONS],
        [Draw(0, (0,), ()), Draw(1, (0,), ())],
        need_prefix_states=False,
        reference_needs_gradient=not without_graph,
    )
    assert (first.options, first.labelled) == (None, False)
    found = second.options
    assert found is not None
    assert found.weights is not None
    assert found.weights.tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert soft.virtual is not None
    for wording, context in enumerate((WITH_OPTIONS.reference, *WITH_OPTIONS.paraphrases)):
        for place, option in enumerate(WITH_OPTIONS.options):
            expected = slow_logits(model, soft.virtual, context, option)
            torch.testing.assert_close(found.logits[wording, place, : len(option)], expected, rtol=1e-4, atol=1e-4)
            assert found.targets[wording, place, : len(option)].tolist() == list(option)
            assert found.scored[wording, place].sum() == len(option) - 1
    (gradient,) = torch.autograd.grad(found.logits[0].sum(), [soft.virtual], allow_unused=True, retain_graph=True)
    assert (gradient is None or not gradient.any()) == without_graph
