"""The scale of hidden states, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.example_spread import example_spread
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.vectors import TaskVectors


def vectors(array: list[list[list[float]]]) -> TaskVectors:
    names = tuple(f"w{n}" for n in range(len(array)))
    examples = tuple(f"e{n}" for n in range(len(array[0])))
    groups = ("observed", "observed", "unobserved")[: len(array)]
    return TaskVectors("task", "C", 0, names, groups, examples, np.array(array, dtype=np.float32))


def test_it_is_the_mean_over_pairs_of_examples_and_wordings() -> None:
    triangle = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]  # sides 3, 4 and 5
    line = [[0.0, 0.0], [6.0, 0.0], [12.0, 0.0]]  # 6, 6 and 12
    far = [[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]]
    assert example_spread(vectors([triangle, line, far]), "observed") == pytest.approx((4 + 8) / 2)


def test_one_example_has_no_spread() -> None:
    with pytest.raises(NotEnoughDataError, match="need two of them"):
        example_spread(vectors([[[1.0, 2.0]], [[1.0, 2.0]]]), "observed")
    with pytest.raises(NotEnoughDataError, match="wording of the group 'mine'"):
        example_spread(vectors([[[1.0], [2.0]]]), "mine")
