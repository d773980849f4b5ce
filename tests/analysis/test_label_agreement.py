from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.metrics import cohen_kappa_score

from phraseproof.analysis.label_agreement import Label, label_agreement
from phraseproof.core import Cell, Outcome
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage

GRADES = (1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 3, 4)
LABELS = (1, 2, 2, 4, 5, 4, 5, 3, 1, 1, 2, 4)


def write(folder: Path, grades: tuple[int, ...] = GRADES, *, wordings: int = 1) -> Run:
    store = RunStore(folder, {"model": {"name": "m"}, "scoring": "generate"})
    for number in range(wordings):
        cell = Cell(
            f"{number:032x}",
            "t",
            "T",
            f"c/{number}",
            "g",
            0,
            0,
            len(grades) + 1,
            scoring="generate",
            metric="judge:x@y",
        )
        store.register([cell], {"groups": {"g": {}}})
        rows = [
            Outcome(f"e{place}", (grade - 1) / 4, text="a", reference="b", statistics=((grade - 1) / 4, 1.0))
            for place, grade in enumerate(grades)
        ]
        store.write(cell, [*rows, Outcome("unread", 0.0, text="a", reference="b", statistics=(0.0, 0.0))], Usage())
    return load_run(folder)


def labels(values: tuple[int, ...] = LABELS) -> list[Label]:
    return [Label(f"e{place}", value) for place, value in enumerate(values)]


def test_correlations_and_kappa_are_those_of_numpy_and_scikit_learn(tmp_path: Path) -> None:
    given = [*labels(), Label("unread", 3), Label("nowhere", 3)]
    found = label_agreement(write(tmp_path), given, scale=(1, 5))
    assert found.findings["pearson"].estimate == pytest.approx(np.corrcoef(GRADES, LABELS)[0, 1])
    assert found.findings["spearman"].estimate == pytest.approx(np.corrcoef(rankdata(GRADES), rankdata(LABELS))[0, 1])
    kappa = cohen_kappa_score(GRADES, LABELS, weights="quadratic")
    assert found.findings["kappa"].estimate == pytest.approx(kappa)
    for each in found.findings.values():
        assert each.low is not None
        assert each.high is not None
        assert each.low < each.estimate < each.high <= 1
    assert (found.texts, found.unreadable, found.unmatched) == (len(LABELS), 1, 1)


def test_texts_of_one_example_are_resampled_together(tmp_path: Path) -> None:
    one = label_agreement(write(tmp_path / "one"), labels())
    named = [each._replace(instruction=f"c/{number}") for number in range(3) for each in labels()]
    three = label_agreement(write(tmp_path / "three", wordings=3), named)
    # Three copies of every text hold no more information than one.
    (a, b) = (each.findings["pearson"] for each in (one, three))
    assert (a.low, a.high) == pytest.approx((b.low, b.high))
    assert (three.texts, a.estimate) == (3 * len(LABELS), pytest.approx(b.estimate))


def test_what_defines_no_agreement_is_refused(tmp_path: Path) -> None:
    run = write(tmp_path / "run")
    with pytest.raises(NotEnoughDataError, match=r"too few labelled texts .*got 3 with a value, 0 labels"):
        label_agreement(run, labels()[:3])
    with pytest.raises(NotEnoughDataError, match="all 12 labels are 2, and no agreement is defined"):
        label_agreement(run, labels((2,) * len(LABELS)))
    with pytest.raises(UsageError, match="a label is not on the scale"):
        label_agreement(run, labels(), scale=(1, 3))
    with pytest.raises(UsageError, match=r"the label of example 'e0' fits 2 texts. Add the columns"):
        label_agreement(write(tmp_path / "two", wordings=2), labels())
    assert np.isfinite(label_agreement(run, labels()).findings["pearson"].estimate)
