"""Whether loading a model takes so little that it is done for an estimate."""

from __future__ import annotations

from phraseproof.core import ReportsSize

QUICK_BYTES = 2 * 2**30
"""Larger weights take too long to load for an estimate that the user did not request."""


def is_quick_to_load(model: object) -> bool:
    """Whether the model computes in this process and its weights are small and on this machine."""
    size = model.weight_bytes if isinstance(model, ReportsSize) else None
    return size is not None and size <= QUICK_BYTES
