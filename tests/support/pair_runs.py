"""Runs whose texts a judge compared in pairs, from the results of both orders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phraseproof.core import Cell, Outcome
from phraseproof.scoring.texts.pair_statistics import PairStatistics
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage


def write_pair_run(folder: Path, *wordings: Sequence[PairStatistics]) -> Run:
    """A run with the statistics of the examples e0, e1, ... under each wording c/0, c/1, ..."""
    store = RunStore(folder, {"model": {"name": "m"}, "scoring": "generate"})
    for number, pairs in enumerate(wordings):
        cell = Cell(
            f"{number:032x}",
            "t",
            "T",
            f"c/{number}",
            "g",
            0,
            0,
            len(pairs),
            scoring="generate",
            metric="judge:pairs@m",
        )
        store.register([cell], {"groups": {"g": {}}})
        rows = [
            Outcome(f"e{place}", pair.score, text="a", reference="b", statistics=tuple(pair))
            for place, pair in enumerate(pairs)
        ]
        store.write(cell, rows, Usage())
    return load_run(folder)
