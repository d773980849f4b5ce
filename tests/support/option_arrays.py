"""Option values of one task, from arrays, without a run."""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues


def option_values(values: Floats, targets: Ints | None = None) -> OptionValues:
    """Wordings c/w0, c/w1, ... of one task; no option where all values [R, E, C] are minus infinity.

    Args:
        targets: [E] the right options; the first ones by default.
    """
    rows, examples, options = values.shape
    has_option = np.asarray(~np.isneginf(values).all(axis=0))
    right = np.zeros(examples, dtype=np.intp) if targets is None else np.asarray(targets, dtype=np.intp)
    return OptionValues(
        "t",
        "C",
        0,
        groups=("g",) * rows,
        wordings=tuple(f"c/w{row}" for row in range(rows)),
        seeds=(0,) * rows,
        identities=tuple(f"i{row}" for row in range(rows)),
        examples=tuple(f"e{place}" for place in range(examples)),
        values=values,
        has_option=has_option,
        credits=np.eye(options)[right],
        classes=np.broadcast_to(np.where(has_option, np.arange(options), -1), values.shape).astype(np.intp),
        class_names=(tuple(f"option {place + 1}" for place in range(options)),) * rows,
        by_position=(True,) * rows,
        scoring="loglikelihood",
    )
