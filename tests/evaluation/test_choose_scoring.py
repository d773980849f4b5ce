from __future__ import annotations

from collections.abc import Sequence

import pytest

from phraseproof.core import ChosenMethod
from phraseproof.errors import UsageError
from phraseproof.evaluation.choose_scoring import choose_scoring
from phraseproof.models.scripted import ScriptedModel


class Choosing(ScriptedModel):
    """A model whose trials find `first_token`."""

    def choose_method(self, method: str | None, options: Sequence[tuple[str, ...]]) -> ChosenMethod:
        self.asked = method, options
        return ChosenMethod(method or "first_token", ScriptedModel(), ("why",))


def test_a_model_in_this_process_scores_by_log_likelihoods_unless_another_is_asked_for() -> None:
    model = ScriptedModel()
    assert choose_scoring(model, "auto", [])[:2] == ("loglikelihood", model)
    assert choose_scoring(model, "paper", [])[:2] == ("paper", model)
    with pytest.raises(UsageError, match="unknown scoring method 'x'"):
        choose_scoring(model, "x", [])


def test_a_served_model_is_asked_and_gives_the_model_that_is_set_up() -> None:
    model = Choosing()
    found = choose_scoring(model, "auto", [("A", "B")])
    assert model.asked == (None, [("A", "B")])
    assert (found.scoring, found.notes) == ("first_token", ("why",))
    assert found.model is not model
    # Scorers of one method need the same numbers of the model; the name stays.
    assert choose_scoring(model, "loglikelihood_norm", []).scoring == "loglikelihood_norm"
    assert model.asked[0] == "loglikelihood"
