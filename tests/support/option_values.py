"""Values of options that were not read from a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from phraseproof.analysis.option_values import OptionValues


def values_of(
    values: np.ndarray[Any, np.dtype[np.float64]],
    *,
    names: tuple[str, ...] = (),
    targets: np.ndarray[Any, np.dtype[np.intp]] | None = None,
    seeds: tuple[int, ...] = (),
    wordings: tuple[str, ...] = (),
) -> OptionValues:
    """A task with the same options in every example.

    Args:
        values: [R, E, C].
        names: of the options; `a`, `b`, ... by default.
        targets: [E] the right options; the first by default.
        seeds, wordings: of the rows; seed 0 and a wording per row by default.
    """
    rows, examples, options = values.shape
    credit = np.zeros((examples, options))
    credit[np.arange(examples), 0 if targets is None else targets] = 1.0
    return OptionValues(
        "t",
        "C",
        0,
        groups=("g",) * rows,
        wordings=wordings or tuple(f"c/w{row}" for row in range(rows)),
        seeds=seeds or (0,) * rows,
        identities=tuple(f"{row:032x}" for row in range(rows)),
        examples=tuple(f"e{place}" for place in range(examples)),
        values=values,
        has_option=np.ones((examples, options), dtype=bool),
        credits=credit,
        classes=np.broadcast_to(np.arange(options), values.shape).copy(),
        class_names=(names or tuple("abcdefgh"[:options]),) * rows,
        by_position=(False,) * rows,
        scoring="loglikelihood",
    )
