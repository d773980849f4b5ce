"""How far a judge of pairs prefers a place: both orders of each pair were asked (arXiv 2306.05685)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.estimators.clustered_share import clustered_share
from phraseproof.analysis.grids import metric_of
from phraseproof.core import Finding
from phraseproof.scoring.texts.pair_statistics import PairStatistics

if TYPE_CHECKING:
    from phraseproof.analysis.grids import Floats, Ints
    from phraseproof.store.queries import Run

NO_PREFERENCE = 0.5
"""The share of choices that the first place wins where the judge prefers no place: pairs are shown in both orders."""


class PositionBias(NamedTuple):
    """What a judge of pairs was asked in a run, and what its answers depend on.

    Attributes:
        texts: all texts of the run.
        asked: pairs with a readable answer in both orders.
        equal: pairs of equal texts, which count as ties without a question.
        unreadable: pairs with an answer that names no result.
        lacking: texts for whose example the other run has none.
        disagreement: the share of the asked pairs whose two orders have different results; `None` without any.
        first_place: the share of choices, answers that are no tie, in which the text shown first wins; `None` without
            any.
    """

    texts: int
    asked: int
    equal: int
    unreadable: int
    lacking: int
    disagreement: Finding | None
    first_place: Finding | None

    @property
    def preferred_place(self) -> int | None:
        """The place, 1 or 2, that the judge prefers by more than chance; `None` where that is not shown."""
        found = self.first_place
        if found is None or found.low is None or found.high is None or found.low <= NO_PREFERENCE <= found.high:
            return None
        return 1 if found.low > NO_PREFERENCE else 2


def position_bias(run: Run) -> PositionBias | None:
    """The position bias of the judge of a run's selected metric; `None` where it judged no pairs.

    Intervals are over examples: pairs of one example under several wordings are not independent.

    Raises:
        RunError: no cell is done, or a cell is damaged.
    """
    if not metric_of(run).is_graded:
        return None
    rows = run.query_rows(
        "SELECT task, example_id, statistics FROM outcomes WHERE len(statistics) = ? ORDER BY ALL",
        [len(PairStatistics._fields)],
    )
    if not rows:
        return None
    pairs = np.array([row["statistics"] for row in rows])
    first, second = pairs[:, 1], pairs[:, 2]
    asked, read = pairs[:, 3] == 1, pairs[:, 4] == 1
    compared = asked & read
    names = np.array([f"{row['task']}\0{row['example_id']}" for row in rows])
    examples = np.unique(names, return_inverse=True)[1]
    # The text wins in the first place, or the other text does while the text is in the second one.
    first_wins = (first == 1).astype(float) + (second == 0)
    choices = (first != 0.5).astype(float) + (second != 0.5)
    return PositionBias(
        len(pairs),
        int(compared.sum()),
        int((~asked & read).sum()),
        int((asked & ~read).sum()),
        int((~asked & ~read).sum()),
        _share("disagreement", examples, (first != second).astype(float), compared.astype(float)),
        _share("first_place", examples, first_wins, np.where(compared, choices, 0.0)),
    )


def _share(name: str, examples: Ints, hits: Floats, counts: Floats) -> Finding | None:
    """The share of hits where there are counts, its observations clustered by example."""
    if not counts.any():
        return None
    of_example: Floats = np.bincount(examples, counts).astype(np.float64)
    found: Floats = np.bincount(examples, np.where(counts > 0, hits, 0.0)).astype(np.float64)
    return clustered_share(name, found[of_example > 0], of_example[of_example > 0])
