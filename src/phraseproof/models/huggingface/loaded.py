"""A model in memory: what loading leaves, for whatever computes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from phraseproof.models.huggingface.adapters import AttachedAdapter


class Ready(NamedTuple):
    """A network in memory, and what its family needs to know of it."""

    network: Any
    adapter: AttachedAdapter | None
    num_parameters: int
