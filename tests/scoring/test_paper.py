from __future__ import annotations

from phraseproof.scoring.paper import SCORER


def test_the_model_multiplies_and_the_scorer_compares() -> None:
    assert SCORER.values([-3.0, -2.0], ["a long option", "x"]) == [-3.0, -2.0]
    assert SCORER.model_method == "paper"
