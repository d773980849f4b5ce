from __future__ import annotations

import sys

import pytest
from rouge_score.rouge_scorer import RougeScorer

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.registry import metric
from phraseproof.scoring.texts.rouge import Rouge

TEXTS = ("The keys were found by a child.", "", "Children finding keys, keys and more keys")
REFERENCES = ("A child found the keys of the car.", "Keys found by children")


@pytest.mark.parametrize("name", ["rouge1", "rouge2", "rougeL"])
@pytest.mark.parametrize("text", TEXTS)
def test_the_best_reference_has_the_f1_of_rouge_score_with_stemming(name: str, text: str) -> None:
    outcome = Outcome("1", 0.0, text=text, reference=REFERENCES[0], other_references=REFERENCES[1:])
    scorer = RougeScorer([name], use_stemmer=True)
    expected = max(scorer.score(each, text)[name].fmeasure for each in REFERENCES)
    assert metric(name).score(outcome) == expected
    assert name in (metric(name).signature or "")


def test_a_script_that_the_package_does_not_know_is_refused() -> None:
    metric("rouge2").require(["Zürich wählt, l'été dernier"])
    with pytest.raises(UsageError, match=r"sees only 0% of the references' letters .*--metric chrf"):
        metric("rouge2").require(["Ключи нашёл ребёнок."])


def test_a_missing_package_is_one_line_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'phraseproof\[text\]'"):
        Rouge("rouge2").require(["a"])
