"""The vocabulary is projected at chosen places only."""

from __future__ import annotations

import torch

from phraseproof.engine.training.projection import ProjectedPlaces
from support import tiny_models


def test_logits_are_those_of_the_chosen_places() -> None:
    network = tiny_models.llama_network(64).eval()
    ids = torch.tensor([[5, 9, 14, 3], [8, 21, 2, 17]])
    places = torch.tensor([[0, 3], [1, 2]])
    with torch.no_grad():
        whole = network(input_ids=ids).logits
        with ProjectedPlaces(network, places) as projected:
            output = network(input_ids=ids)
        assert output.logits.shape[1] == 2, "the head saw two places per row"
        expected = torch.stack([whole[row, chosen] for row, chosen in enumerate(places)])
        assert torch.allclose(projected.logits(output), expected, atol=1e-5)
        assert network(input_ids=ids).logits.shape == whole.shape
