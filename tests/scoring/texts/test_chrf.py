from __future__ import annotations

import sys

import numpy as np
import pytest
from sacrebleu.metrics.chrf import CHRF

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError
from phraseproof.scoring.registry import metric
from phraseproof.scoring.texts.chrf import Chrf
from support.corpora import corpora, references_by_place


@pytest.mark.parametrize("words", [0, 2])
@pytest.mark.parametrize("corpus", corpora(), ids=lambda corpus: f"{len(corpus)} texts")
def test_many_texts_have_the_corpus_chrf_of_sacrebleu(corpus: list[Outcome], words: int) -> None:
    ours, theirs = Chrf(words), CHRF(word_order=words)
    sums = np.array([ours.example_statistics(outcome) for outcome in corpus]).sum(axis=0)
    expected = theirs.corpus_score([outcome.text or "" for outcome in corpus], references_by_place(corpus)).score
    assert 100 * ours.aggregate(sums, len(corpus)) == pytest.approx(expected, abs=1e-9)
    # The score of one text is the metric of a corpus of one.
    for outcome in corpus:
        alone = np.array(ours.example_statistics(outcome))
        assert ours.score(outcome) == pytest.approx(float(ours.aggregate(alone, 1)), abs=1e-12)


def test_the_signature_says_the_orders() -> None:
    assert str(metric("chrf").signature).startswith("case:mixed|eff:yes|nc:6|nw:0|space:no|version:")
    assert "nw:2" in str(metric("chrf:2").signature)


def test_a_missing_package_is_one_line_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.chrf", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'phraseproof\[text\]'"):
        Chrf().require(["a"])
