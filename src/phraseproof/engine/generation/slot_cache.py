"""Keys and values of texts that are being written: one slot per text, and what several texts share stored once."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

_ROUNDED_TOKENS = 32
"""Room grows in steps of this number of tokens, so that it seldom grows."""


@dataclass(eq=False)
class SharedBeginning:
    """The first tokens of several texts.

    Attributes:
        tokens: how many, a soft prompt's included.
        users: how many texts that begin with them are not complete yet.
        layers: by layer, their keys and values, each [key heads, tokens, head width].
    """

    tokens: int
    users: int
    layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = field(
        default_factory=dict[int, tuple[torch.Tensor, torch.Tensor]]
    )


class SlotCache:
    """The keys and values of texts, by layer. Slots are numbered without gaps, so that active texts are one slice.

    Attributes:
        lengths: of each slot, how many of its own tokens are stored, those of its shared beginning not counted.
        shared: of each slot, its shared beginning, if it has one.
    """

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.shared: list[SharedBeginning | None] = []
        self._slots = self._tokens = 0
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __len__(self) -> int:
        """How many texts have a slot."""
        return len(self.lengths)

    @property
    def token_bytes(self) -> int:
        """The memory of one token's keys and values, in all layers that were stored to."""
        return sum(
            int(side.shape[1] * side.shape[3]) * side.element_size()
            for sides in self._layers.values()
            for side in sides
        )

    def reserve(self, slots: int, tokens: int) -> None:
        """Make room for this number of slots of this number of tokens each; what is stored stays."""
        self._slots = max(self._slots, slots)
        if tokens > self._tokens:
            self._tokens = -(-tokens // _ROUNDED_TOKENS) * _ROUNDED_TOKENS

    def add(self, length: int, shared: SharedBeginning | None) -> int:
        """The number of a new slot, whose first `length` tokens are stored with `store`."""
        self.lengths.append(length)
        self.shared.append(shared)
        return len(self.lengths) - 1

    def store(self, layer: int, slot: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Store the first own tokens of a slot, [key heads, tokens, head width]."""
        for side, given in zip(self.layer(layer, keys, values), (keys, values), strict=True):
            side[slot, :, : given.shape[1]] = given

    def layer(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The room of a layer, [slots, key heads, tokens, head width].

        Args:
            keys, values: some of that layer, [key heads, tokens, head width], for their shape and type.
        """
        known = self._layers.get(layer)
        if known is None or known[0].shape[0] < self._slots or known[0].shape[2] < self._tokens:
            grown: list[torch.Tensor] = []
            for number, like in enumerate((keys, values)):
                # Zeros: what is hidden is multiplied by zero, and zero times NaN would be NaN.
                side = like.new_zeros(self._slots, like.shape[0], self._tokens, like.shape[2])
                if known is not None:
                    old = known[number]
                    side[: old.shape[0], :, : old.shape[2]] = old
                grown.append(side)
            self._layers[layer] = grown[0], grown[1]
        return self._layers[layer]

    def drop(self, slot: int) -> None:
        """Free a slot; the last one takes its number."""
        if (shared := self.shared[slot]) is not None:
            shared.users -= 1
            if not shared.users:
                shared.layers.clear()
        last = len(self.lengths) - 1
        if slot != last:
            size = self.lengths[last]
            for sides in self._layers.values():
                for side in sides:
                    side[slot, :, :size] = side[last, :, :size]
            self.lengths[slot], self.shared[slot] = self.lengths[last], self.shared[last]
        self.lengths.pop()
        self.shared.pop()
