"""Computes logits at chosen places only, in networks that would compute them for every token."""

from __future__ import annotations

from typing import Protocol, Self

from torch import Tensor
from torch.utils.hooks import RemovableHandle

from phraseproof.engine.network import Network


class HasLogits(Protocol):
    """The output of a network with a language model's head."""

    logits: Tensor


class ProjectedPlaces:
    """A context in which a decoder-only network computes logits at some places only.

    Args:
        network: a network whose output head reads hidden states [rows, tokens, width].
        places: for each row, the tokens whose logits are computed, [rows, kept].
    """

    def __init__(self, network: Network, places: Tensor) -> None:
        self._head = network.get_output_embeddings()
        self._places = places
        self._is_done = False
        self._handle: RemovableHandle | None = None

    def __enter__(self) -> Self:
        if self._head is not None:
            # A hook on the head: `logits_to_keep` of transformers takes the same places for every row, and rows differ.
            self._handle = self._head.register_forward_pre_hook(self._pick_states)
        return self

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            self._handle.remove()

    def logits(self, output: HasLogits) -> Tensor:
        """[rows, kept, vocabulary], whether or not the network called its head as a module."""
        logits: Tensor = output.logits
        # Some networks use the head's weights without calling the head; then all logits are here and are cut now.
        return logits if self._is_done else self._pick(logits)

    def _pick_states(self, _: object, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        self._is_done = True
        return (self._pick(arguments[0]), *arguments[1:])

    def _pick(self, values: Tensor) -> Tensor:
        return values.gather(1, self._places[..., None].expand(-1, -1, values.shape[-1]))
