"""Prompts that do not fit the model: at most two lines per task."""

from __future__ import annotations

from pathlib import Path

from phraseproof.core import OptionScores, Outcome, Prompt, PromptRemark
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.prompt_notes import PromptNotes
from support.reading_task import CLEAR, VAGUE, Knowing, make_evaluation
from support.stored_cells import make_cell


def test_prompts_that_are_cut_are_counted_and_told(tmp_path: Path) -> None:
    class Short(Knowing):
        def altered(self, prompt: Prompt, scores: OptionScores) -> OptionScores:
            return scores._replace(truncated=3 if "fjord" in prompt.text else 0)

    told: list[str] = []

    class Listening(SilentObserver):
        def warned(self, message: str) -> None:
            told.append(message)

    run = make_evaluation(Short(), CLEAR).run(tmp_path, observer=Listening())
    cut = run.query("SELECT example_id, truncated_tokens FROM outcomes WHERE truncated_tokens > 0").to_pylist()
    assert cut == [{"example_id": "fjord", "truncated_tokens": 3}]
    assert told == [
        "letters under mine/clear: 1 of 7 prompts did not fit the model's context and were cut from the left"
    ]
    told.clear()
    make_evaluation(Short(), CLEAR, VAGUE).run(tmp_path / "two", observer=Listening())
    assert told == [
        "letters under mine/clear: 1 of 7 prompts did not fit the model's context and were cut from the left",
        "letters: 2 of 14 prompts were cut from the left, in 2 cells",
    ]


def test_tasks_are_counted_apart_and_whole_prompts_are_not_mentioned() -> None:
    said: list[str] = []

    class Listening(SilentObserver):
        def warned(self, message: str) -> None:
            said.append(message)

    cuts = PromptNotes(Listening())
    whole, cut = Outcome("a", 1.0), Outcome("b", 1.0, truncated_tokens=2)
    cuts.count(make_cell(task="fits"), [whole, whole], {})
    cuts.count(make_cell(task="long", instruction="mine/one"), [whole, cut], {})
    cuts.count(make_cell(task="long", instruction="mine/two"), [cut, cut], {})
    cuts.count(make_cell(task="long", instruction="mine/three"), [whole, whole], {})
    cuts.count(make_cell(task="once"), [cut, whole], {})
    cuts.sum_up()
    assert [line.split(":")[0] for line in said] == ["long under mine/one", "once under mine/one", "long"]
    assert said[-1] == "long: 3 of 6 prompts were cut from the left, in 2 cells"


def test_remarks_are_counted_over_all_prompts_of_a_task(tmp_path: Path) -> None:
    class Noting(Knowing):
        def altered(self, prompt: Prompt, scores: OptionScores) -> OptionScores:
            both = PromptRemark.DOUBLED_BOS | PromptRemark.OPTION_BEGINS_ANOTHER
            remarks = {"fjord": int(both), "kiwi": int(PromptRemark.NO_BOS)}
            return scores._replace(remarks=next((value for word, value in remarks.items() if word in prompt.text), 0))

    said: list[str] = []

    class Listening(SilentObserver):
        def warned(self, message: str) -> None:
            said.append(message)

    make_evaluation(Noting(), CLEAR, VAGUE).run(tmp_path, observer=Listening())
    assert [line.split(" prompts ")[0] for line in said] == ["letters: 2 of 14", "letters: 2 of 14"]
    assert "two BOS" in said[0]
    assert "begins another" in said[1]
