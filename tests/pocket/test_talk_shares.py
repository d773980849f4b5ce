"""The shares of talk: what is measured of a model, and the shares that follow from it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.pocket.network import DecoderSize, new_network
from phraseproof.pocket.talk_shares import Accuracies, Item, accuracy, measure, next_shares, questions
from phraseproof.pocket.wordings import KINDS, slot, wordings
from phraseproof.pocket.world import vocabulary

TARGET_GAP = 10.0


def accuracies(observed: float = 100.0, gap: float = 10.0) -> Accuracies:
    return Accuracies(dict.fromkeys(KINDS, observed), dict.fromkeys(KINDS, observed - gap))


@pytest.mark.parametrize(("gap", "change"), [(0.0, 0.015), (5.0, 0.0075), (10.0, 0.0), (20.0, -0.015), (90.0, -0.03)])
def test_a_share_grows_if_the_gap_is_too_small_and_shrinks_if_it_is_too_large(gap: float, change: float) -> None:
    shares = next_shares(dict.fromkeys(KINDS, 0.04), accuracies(gap=gap), target_gap=TARGET_GAP)
    assert shares == pytest.approx(dict.fromkeys(KINDS, 0.04 + change))


def test_observed_wordings_come_first() -> None:
    shares = next_shares(dict.fromkeys(KINDS, 0.04), accuracies(observed=90, gap=0), target_gap=TARGET_GAP)
    assert all(share < 0.04 for share in shares.values())


def test_every_kind_has_its_own_share() -> None:
    both = Accuracies(dict.fromkeys(KINDS, 100.0), {"choose": 70.0, "label": 90.0, "has": 100.0})
    shares = next_shares(dict.fromkeys(KINDS, 0.04), both, target_gap=TARGET_GAP)
    assert shares["choose"] < shares["label"] < shares["has"]


@given(st.floats(-0.08, 0.16), st.floats(0, 100), st.floats(0, 100))
def test_shares_stay_within_bounds(share: float, observed: float, validation: float) -> None:
    seen = Accuracies(dict.fromkeys(KINDS, observed), dict.fromkeys(KINDS, validation))
    found = next_shares(dict.fromkeys(KINDS, share), seen, target_gap=TARGET_GAP)
    assert all(-0.08 <= value <= 0.16 for value in found.values())


def test_the_distance_is_zero_at_the_target_gap_with_observed_wordings_correct() -> None:
    assert accuracies().distance(TARGET_GAP) == 0
    assert accuracies(gap=13).distance(TARGET_GAP) == pytest.approx(27**0.5)  # three kinds, three points off each
    assert accuracies(observed=99).distance(TARGET_GAP) == pytest.approx(3**0.5)


def test_questions_come_in_every_wording_of_every_attribute_and_are_the_same_every_time() -> None:
    asked = questions("validation", 2)
    assert asked == questions.__wrapped__("validation", 2)
    words = vocabulary()
    for kind, items in asked.items():
        assert len(items) == 2 * 8 * len(wordings("validation")[kind])
        first = [words[index] for index in items[0].prompt]
        template = wordings("validation")[kind][0].words
        assert all(slot(word) is not None or word == said for word, said in zip(template, first, strict=False))
        assert all(0 <= item.target < len(item.options) for item in items)


def test_accuracy_compares_options_only() -> None:
    """A model that always prefers a higher index of the vocabulary is right where the target is the highest option."""

    def model(input_ids: torch.Tensor) -> Any:
        return SimpleNamespace(last_hidden_state=torch.zeros(*input_ids.shape, 1))

    network: Any = SimpleNamespace(
        config=SimpleNamespace(pad_token_id=0),
        model=model,
        lm_head=lambda hidden: torch.arange(50.0).expand(len(hidden), 50),
    )
    asked = {"choose": [Item([3, 4], [5, 9], 1), Item([3], [9, 5], 1)], "has": [Item([3, 4, 5], [7, 6, 5], 0)]}
    assert accuracy(network, asked) == {"choose": 50.0, "has": 100.0}


def test_how_many_are_asked_together_changes_nothing() -> None:
    torch.manual_seed(0)
    network = new_network(DecoderSize(64, 1, 2, 64), len(vocabulary()), padding=0, end=2).eval()
    items = questions("observed", 1)["choose"]
    together = accuracy(network, {"choose": items})["choose"]
    alone = [accuracy(network, {"choose": [item]})["choose"] for item in items]
    assert together == pytest.approx(sum(alone) / len(alone))


def test_an_untrained_model_is_at_chance() -> None:
    torch.manual_seed(0)
    network = new_network(DecoderSize(64, 1, 2, 64), len(vocabulary()), padding=0, end=2).eval()
    seen = measure(network)
    assert all(5 < percent < 75 for percent in (*seen.observed.values(), *seen.validation.values()))
