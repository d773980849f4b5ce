"""An evaluation is checked before anything is computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.errors import InstructionError, ModelError, RunError, UsageError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.represent import represent
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.reduction.calibrate import calibrate
from support import tiny_models
from support.reading_task import CLEAR, VAGUE, Knowing, make_evaluation, make_task, wording


def test_a_wording_that_names_what_the_task_lacks_stops_before_anything_is_scored() -> None:
    with pytest.raises(InstructionError, match="passage") as caught:
        make_evaluation(Knowing(), wording("lost", "{{ passage }}", origin="mine.yaml:3"))
    assert "mine.yaml:3" in str(caught.value)


def test_a_task_without_a_wording_is_an_error() -> None:
    with pytest.raises(UsageError, match="no wording fits"):
        prepare(Knowing(), [make_task()], {"mine": {}}, EvaluationSpec())


def test_unknown_scoring() -> None:
    with pytest.raises(UsageError, match="loglikelihood_norm"):
        make_evaluation(scoring="vibes")


def test_two_texts_of_one_name_are_refused_and_one_text_twice_is_not() -> None:
    twin = replace(VAGUE, id="clear", origin="other.yaml:2")
    with pytest.raises(UsageError, match=r"other\.yaml:2: two different wordings are called 'mine/clear'"):
        prepare(Knowing(), [make_task()], {"a": {"letters": [CLEAR]}, "b": {"letters": [twin]}}, EvaluationSpec())
    groups = {"a": {"letters": [CLEAR]}, "b": {"letters": [replace(CLEAR, source="a book")]}}
    planned = prepare(Knowing(), [make_task()], groups, EvaluationSpec()).planned
    assert [each.cell.group for each in planned] == ["a", "b"]
    assert len({each.cell.identity for each in planned}) == 1


def test_the_settings_are_resolved_and_the_tasks_sampled() -> None:
    evaluation = prepare(Knowing(), [make_task()], {"a": {"letters": [CLEAR]}}, EvaluationSpec(limit=3))
    assert evaluation.settings.prompt_format == "plain"
    assert [len(task.examples) for task in evaluation.tasks] == [3]
    assert [len(task.examples) for task in evaluation.whole_tasks] == [7]


def test_every_wording_is_rendered_for_every_task_before_the_run() -> None:
    """A template that fails only for one kind of example stops the run here, not in the middle."""
    model = Knowing()
    fails = wording("fails", "{{ question[10] }}")
    with pytest.raises(InstructionError):
        make_evaluation(model, CLEAR, fails)
    assert model.asked == []


def in_prompt() -> tuple[Task, dict[str, dict[str, list[Instruction]]]]:
    texts = [("the king", "is red"), ("a queen", "goes south"), ("it", "is white")]
    examples = [
        Example(str(n), {"who": who, "end": end}, ("here", "there far away"), (1.0, 0.0))
        for n, (who, end) in enumerate(texts)
    ]
    made = wording("in-prompt", "{{ who }} {{ choice }}", answer="{{ choice }}", continuation="{{ end }}")
    return Task("t", Kind.BINARY, "T", tuple(examples)), {"a": {"t": [made]}}


def test_options_in_the_prompt_are_scored_alone_and_refused_where_they_cannot_be(tmp_path: Path) -> None:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    task, groups = in_prompt()
    evaluation = prepare(model, [task], groups, EvaluationSpec())
    run = evaluation.run(tmp_path / "run")
    rows = run.query_rows("SELECT * FROM outcomes ORDER BY example_id")

    def alone(example: Example, choice: str) -> float:
        prompt = Prompt(f"{example.fields['who']} {choice}", (str(example.fields["end"]),))
        return model.score_options([prompt])[0].logprobs[0]

    expected = [[alone(example, choice) for choice in example.choices] for example in task.examples]
    assert [row["option_logprobs"] for row in rows] == [pytest.approx(values, abs=1e-5) for values in expected]
    with pytest.raises(ModelError, match=r"scripted.* cannot compare one text after several prompts"):
        prepare(Knowing(), [task], groups, EvaluationSpec())
    for scoring in ("generate", "paper"):
        with pytest.raises(UsageError, match="log-likelihoods of what follows are compared"):
            prepare(model, [task], groups, EvaluationSpec(scoring=scoring))
    with pytest.raises(UsageError, match="has no one representation"):
        represent(evaluation, tmp_path / "vectors")
    with pytest.raises(RunError, match="which no prompt without content has"):
        calibrate(run, "contextual", evaluation=evaluation)
