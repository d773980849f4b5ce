"""How far apart a model's hidden states of different examples are: the scale that distances between wordings have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phraseproof.errors import NotEnoughDataError

if TYPE_CHECKING:
    from phraseproof.store.vectors import TaskVectors


def example_spread(vectors: TaskVectors, reference: str) -> float:
    """The mean Euclidean distance between two examples under the same wording.

    A training that shrinks all hidden states shrinks this and the distance between wordings in the same proportion.

    Args:
        vectors: of one task.
        reference: the group of wordings whose means are taken.

    Raises:
        NotEnoughDataError: the task has one example, or no wording of the group.
    """
    from scipy.spatial.distance import pdist

    rows = [place for place, group in enumerate(vectors.groups) if group == reference]
    if not rows or vectors.array.shape[1] < 2:
        raise NotEnoughDataError(
            f"distances of examples of {vectors.task!r} need two of them, and a wording of the group {reference!r}",
            got=f"{vectors.array.shape[1]} and {len(rows)}",
        )
    array = np.asarray(vectors.array, dtype=np.float64)
    return float(np.mean([pdist(array[row]).mean() for row in rows]))
