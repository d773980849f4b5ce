"""The training data of alignment: paraphrase sets from the user's file, from a task, or from Alpaca's data.

The command line and the file format call a paraphrase set a *pair*, after its smallest case: two wordings.
"""

from __future__ import annotations

from phraseproof.alignment.pairs.from_alpaca import pairs_from_alpaca
from phraseproof.alignment.pairs.from_task import pairs_from_task
from phraseproof.alignment.pairs.pair_file import load_pairs, save_pairs
from phraseproof.alignment.pairs.paraphrase_set import (
    ParaphraseSet,
    TeacherRecord,
    TextOrigin,
    wording_hashes,
    wording_names,
)

__all__ = [
    "ParaphraseSet",
    "TeacherRecord",
    "TextOrigin",
    "load_pairs",
    "pairs_from_alpaca",
    "pairs_from_task",
    "save_pairs",
    "wording_hashes",
    "wording_names",
]
