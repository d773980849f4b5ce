"""The size of the disease: what is read off a model, and how what it hears next follows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.pocket.dosage import Item, Reading, accuracy, next_doses, questions, read
from phraseproof.pocket.network import Size, new_network
from phraseproof.pocket.wordings import KINDS, slot, wordings
from phraseproof.pocket.world import vocabulary

AIM = 10.0


def reading(observed: float = 100.0, lost: float = 10.0) -> Reading:
    return Reading(dict.fromkeys(KINDS, observed), dict.fromkeys(KINDS, observed - lost))


@pytest.mark.parametrize(("lost", "change"), [(0.0, 0.015), (5.0, 0.0075), (10.0, 0.0), (20.0, -0.015), (90.0, -0.03)])
def test_a_dose_grows_where_too_little_is_lost_and_shrinks_where_too_much_is(lost: float, change: float) -> None:
    doses = next_doses(dict.fromkeys(KINDS, 0.04), reading(lost=lost), aim=AIM)
    assert doses == pytest.approx(dict.fromkeys(KINDS, 0.04 + change))


def test_observed_wordings_come_first() -> None:
    doses = next_doses(dict.fromkeys(KINDS, 0.04), reading(observed=90, lost=0), aim=AIM)
    assert all(dose < 0.04 for dose in doses.values())


def test_kinds_are_dosed_each_for_itself() -> None:
    both = Reading(dict.fromkeys(KINDS, 100.0), {"choose": 70.0, "label": 90.0, "has": 100.0})
    doses = next_doses(dict.fromkeys(KINDS, 0.04), both, aim=AIM)
    assert doses["choose"] < doses["label"] < doses["has"]


@given(st.floats(-0.08, 0.16), st.floats(0, 100), st.floats(0, 100))
def test_doses_stay_within_bounds(dose: float, observed: float, validation: float) -> None:
    seen = Reading(dict.fromkeys(KINDS, observed), dict.fromkeys(KINDS, validation))
    found = next_doses(dict.fromkeys(KINDS, dose), seen, aim=AIM)
    assert all(-0.08 <= value <= 0.16 for value in found.values())


def test_a_model_is_nearest_where_it_loses_the_aim_and_knows_observed_wordings() -> None:
    assert reading().distance(AIM) == 0
    assert reading(lost=13).distance(AIM) == pytest.approx(27**0.5)  # three kinds, three points off each
    assert reading(observed=99).distance(AIM) == pytest.approx(3**0.5)


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

    network = SimpleNamespace(
        config=SimpleNamespace(is_encoder_decoder=False, pad_token_id=0),
        model=model,
        lm_head=lambda hidden: torch.arange(50.0).expand(len(hidden), 50),
    )
    asked = {"choose": [Item([3, 4], [5, 9], 1), Item([3], [9, 5], 1)], "has": [Item([3, 4, 5], [7, 6, 5], 0)]}
    assert accuracy(network, asked) == {"choose": 50.0, "has": 100.0}


def test_how_many_are_asked_together_changes_nothing() -> None:
    torch.manual_seed(0)
    network = new_network(Size(64, 1, 2, 64), len(vocabulary()), padding=0, end=2).eval()
    items = questions("observed", 1)["choose"]
    together = accuracy(network, {"choose": items})["choose"]
    alone = [accuracy(network, {"choose": [item]})["choose"] for item in items]
    assert together == pytest.approx(sum(alone) / len(alone))


def test_an_untrained_model_is_at_chance() -> None:
    torch.manual_seed(0)
    network = new_network(Size(64, 1, 2, 64), len(vocabulary()), padding=0, end=2).eval()
    seen = read(network)
    assert all(5 < percent < 75 for percent in (*seen.observed.values(), *seen.validation.values()))
