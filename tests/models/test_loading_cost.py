"""Only small weights on this machine are loaded for an estimate."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from phraseproof.models.loading_cost import QUICK_BYTES, is_quick_to_load
from phraseproof.models.scripted import ScriptedModel


@dataclass
class Sized(ScriptedModel):
    """A model of that size."""

    weight_bytes: int | None

    def __post_init__(self) -> None:
        super().__init__(lambda _prompt, option: 0.0)


@pytest.mark.parametrize(("size", "quick"), [(1000, True), (QUICK_BYTES + 1, False), (None, False)])
def test_small_weights_on_this_machine_load_quickly(size: int | None, *, quick: bool) -> None:
    assert is_quick_to_load(Sized(size)) is quick


def test_a_model_without_a_size_is_not_loaded() -> None:
    assert not is_quick_to_load(ScriptedModel(lambda _prompt, option: 0.0))
