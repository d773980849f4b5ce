from __future__ import annotations

from phraseproof.scoring.loglikelihood import SCORER


def test_log_probabilities_are_compared_as_they_are() -> None:
    assert SCORER.values([-3.0, -2.0], ["a long option", "x"]) == [-3.0, -2.0]
    assert SCORER.model_method == "loglikelihood"
