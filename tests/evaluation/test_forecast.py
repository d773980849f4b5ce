"""What an evaluation would cost, by hand."""

from __future__ import annotations

from pathlib import Path

from phraseproof.core import Example, Kind, ModelIdentity, OptionScores, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from support.reading_task import CLEAR, make_evaluation, make_task, wording


def test_forecast_counts_what_is_missing(tmp_path: Path) -> None:
    evaluation = make_evaluation()
    before = evaluation.forecast(tmp_path)
    assert (before.cells, before.cells_missing, before.prompts_missing) == (2, 2, 14)
    assert before.tokens is not None
    # By hand: "Where does X stand in a dictionary?" has 7 words, "X?" has 1; two options of one word each.
    assert before.tokens.asked == 7 * (2 * 7 + 2) + 7 * (2 * 1 + 2)
    assert before.tokens.unique == 7 * (7 + 2) + 7 * (1 + 2)
    assert not (tmp_path / "run.json").exists()
    evaluation.run(tmp_path)
    after = evaluation.forecast(tmp_path)
    assert (after.cells, after.cells_missing, after.prompts_missing) == (2, 0, 0)


def test_tokens_of_a_large_task_are_extrapolated_from_a_sample() -> None:
    """Every prompt has the same number of words, so that the sample's mean is exact."""
    examples = tuple(Example(f"e{n}", {"question": f"word{n}"}, ("a", "b"), (1.0, 0.0)) for n in range(250))
    task = Task("t", Kind.BINARY, "c", examples)
    groups = {"mine": {"t": [wording("one", "now {{ question }}"), wording("two", "{{ question }}")]}}
    found = prepare(ScriptedModel(), [task], groups, EvaluationSpec()).forecast()
    assert (found.prompts, found.sampled_prompts) == (500, 200)
    assert found.tokens is not None
    # Two options of one word each: 2 (w + 1) words in one pass per option, w + 2 with the prompt computed once.
    assert found.tokens == (250 * (2 * 3) + 250 * (2 * 2), 250 * (2 + 2) + 250 * (1 + 2))


def test_a_model_that_cannot_count_tokens_still_has_a_plan() -> None:
    class Plain:
        identity = ModelIdentity("plain", "1", "none")

        def score_options(self, *_: object, **__: object) -> list[OptionScores]:
            raise AssertionError("a forecast scores nothing")

    found = prepare(Plain(), [make_task()], {"mine": {"letters": [CLEAR]}}, EvaluationSpec()).forecast()
    assert (found.cells, found.prompts, found.tokens, found.sampled_prompts) == (1, 7, None, 7)
