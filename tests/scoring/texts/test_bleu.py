from __future__ import annotations

import sys

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.registry import metric
from phraseproof.scoring.texts.bleu import Bleu
from support.corpora import corpora, references_by_place

METRIC = metric("bleu")


@pytest.mark.parametrize("corpus", corpora(), ids=lambda corpus: f"{len(corpus)} texts")
def test_many_texts_have_the_corpus_bleu_of_sacrebleu(corpus: list[Outcome]) -> None:
    sums = np.array([METRIC.example_statistics(outcome) for outcome in corpus]).sum(axis=0)
    expected = BLEU().corpus_score([outcome.text or "" for outcome in corpus], references_by_place(corpus)).score
    assert 100 * METRIC.aggregate(sums, len(corpus)) == pytest.approx(expected, abs=1e-9)


def test_resamples_are_computed_at_once() -> None:
    corpus = corpora()[0]
    statistics = np.array([METRIC.example_statistics(outcome) for outcome in corpus])
    counts = np.random.default_rng(1).integers(0, 3, size=(20, len(corpus))).astype(float)
    found = METRIC.aggregate(counts @ statistics, len(corpus))
    for drawn, value in zip(counts, found, strict=True):
        texts = [outcome for outcome, times in zip(corpus, drawn, strict=True) for _ in range(int(times))]
        expected = BLEU().corpus_score([outcome.text or "" for outcome in texts], references_by_place(texts)).score
        assert 100 * value == pytest.approx(expected, abs=1e-9)


def test_the_score_of_one_text_is_sentence_bleu() -> None:
    for outcome in corpora()[0]:
        expected = BLEU(effective_order=True).sentence_score(outcome.text or "", list(outcome.references)).score
        assert METRIC.score(outcome) == pytest.approx(expected / 100)
        assert 0 <= METRIC.score(outcome) <= 1


def test_tokenizer_and_signature() -> None:
    assert str(METRIC.signature).startswith("case:mixed|eff:no|tok:13a|smooth:exp|version:")
    chinese = Outcome("1", 0.0, text="\u6211\u7231\u5317\u4eac\u57ce", reference="\u6211\u7231\u5317\u4eac\u5e02")
    assert "tok:zh" in str(metric("bleu:zh").signature)
    assert metric("bleu:zh").score(chinese) > METRIC.score(chinese)
    with pytest.raises(UsageError, match=r"unknown tokenizer 'klingon' of BLEU .*13a"):
        metric("bleu:klingon").require(["a"])


def test_a_missing_package_is_one_line_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics.bleu", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'phraseproof\[text\]'"):
        Bleu().require(["a"])
