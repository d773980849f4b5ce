"""What a network is run on in training."""

from __future__ import annotations

from typing import NamedTuple


class TargetRow(NamedTuple):
    """One prompt and what is to follow it, as token ids. Neither is empty."""

    context: tuple[int, ...]
    target: tuple[int, ...]
