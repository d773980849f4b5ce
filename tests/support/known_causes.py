"""Values of options whose causes of spread are known: priors and skill that were put in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues


def known_values(
    priors: Floats,
    skill: Sequence[float] | Floats,
    *,
    examples: int,
    seed: int = 0,
    labels: Sequence[float] | None = None,
    draws: Floats | None = None,
) -> OptionValues:
    """A task whose log-probabilities are prior + skill * (option is right) + noise of example and outcome.

    Args:
        priors: [W, C] of each wording.
        skill: [W]
        labels: [C] how often each option is right; all equally by default.
        draws: [W, D, C] what each draw of demonstrations adds to the prior.
    """
    rng = np.random.default_rng(seed)
    count = priors.shape[1]
    right = rng.permutation(np.arange(examples) % count) if labels is None else rng.choice(count, examples, p=labels)
    added = priors[:, None] if draws is None else priors[:, None] + draws
    wordings, per = added.shape[:2]
    rows = wordings * per
    values = rng.normal(size=(rows, examples, count)) + 0.5 * rng.normal(size=(examples, count))
    values += added.reshape(rows, 1, count)
    values[:, np.arange(examples), right] += np.repeat(np.asarray(skill), per)[:, None]
    names = tuple(f"label {number}" for number in range(count))
    return OptionValues(
        "t",
        "C",
        0,
        groups=("g",) * rows,
        wordings=tuple(f"c/w{row // per}" for row in range(rows)),
        seeds=tuple(row % per for row in range(rows)),
        identities=("",) * rows,
        examples=tuple(f"e{number}" for number in range(examples)),
        values=values,
        has_option=np.ones((examples, count), dtype=bool),
        credits=np.eye(count)[right],
        classes=np.broadcast_to(np.arange(count), values.shape),
        class_names=(names,) * rows,
        by_position=(False,) * rows,
        scoring="loglikelihood",
    )
