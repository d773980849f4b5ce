"""Which columns of an exhibit's table are numbers."""

from __future__ import annotations

from phraseproof.studies.exhibit import ExhibitTable


def test_names_come_first_and_texts_last() -> None:
    table = ExhibitTable("title", ("model", "task", "mean", "Std", "remark"), (), num_names=2, num_texts=1)
    assert list(table.numbers) == [2, 3]
