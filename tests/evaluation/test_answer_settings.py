"""Scorer, metric and maximum length by the kinds of tasks, and a free-text run from its plan to stored outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import GREEDY, AnswerRules, Kind, ModelIdentity, Prompt, Sampling
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.evaluation.answer_settings import answer_settings, named_reading, under_scoring
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.scoring.registry import metric
from support import reading_task
from support.free_texts import METRIC, REFERENCES, TEXTS, Writer, make_evaluation, notes, register


@pytest.fixture(autouse=True)
def _metric(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


def test_texts_are_generated_stored_with_their_references_and_scored(tmp_path: Path) -> None:
    run = make_evaluation().run(tmp_path)
    assert (run.settings["scoring"], {cell.metric for cell in run.cells}) == ("generate", {METRIC})
    rows = run.query_rows("SELECT * FROM outcomes ORDER BY instruction, example_id")
    assert [row["score"] for row in rows] == [0, 0, 0, 1, 0, 1]  # gist writes nothing; the second note is no reference
    assert [row["text"] for row in rows[3:]] == list(TEXTS)
    assert [(row["reference"], *row["other_references"]) for row in rows[3:]] == list(REFERENCES)
    assert all(row["predicted"] is None and row["target"] is None and list(row["options"]) == [] for row in rows)
    assert {row.instruction: row.mean_score for row in run.wording_scores()} == {"mine/gist": 0, "mine/short": 2 / 3}


def test_nothing_is_written_twice_and_a_larger_sample_keeps_the_maximum(tmp_path: Path) -> None:
    make_evaluation(Writer(), limit=1).run(tmp_path, self_test=False)
    model = Writer()
    make_evaluation(model).run(tmp_path, self_test=False)
    assert len(model.asked) == 4
    assert model.limits == [24]
    again = Writer()
    make_evaluation(again).run(tmp_path)
    assert again.asked == []


def test_the_maximum_length_covers_the_references() -> None:
    """The longest of four references has five words: 1.5 times that, rounded up, and 16."""
    evaluation = make_evaluation()
    assert evaluation.settings.max_new_tokens == 24
    assert evaluation.settings.generation["max_new_tokens"] == 24
    assert "at most 24 tokens per answer (--max-new-tokens)" in evaluation.notes[0]
    given = make_evaluation(max_new_tokens=7)
    assert given.settings.max_new_tokens == 7
    assert given.notes == ()
    assert given.planned[0].cell.identity != evaluation.planned[0].cell.identity


def test_one_very_long_reference_of_many_does_not_decide() -> None:
    task = notes()
    examples = tuple(replace(task.examples[1], id=str(number), fields={"text": str(number)}) for number in range(199))
    long = replace(task.examples[1], id="long", reference="word " * 500)
    settings = answer_settings(Writer(), [replace(task, examples=(*examples, long))], EvaluationSpec(metric=METRIC))
    assert settings.max_new_tokens == 21  # 1.5 times three words


def test_a_model_without_a_tokenizer_counts_bytes() -> None:
    class Bare:
        identity = ModelIdentity("bare", "1", "Bare")

    settings = answer_settings(Bare(), [notes()], EvaluationSpec(metric=METRIC))
    assert settings.max_new_tokens == 28  # 23 bytes are 8 tokens of 3 bytes
    assert "counted as 3 bytes each" in settings.notes[0]


def test_tasks_with_options_keep_their_scorer_metric_and_maximum() -> None:
    evaluation = prepare(
        reading_task.Knowing(), [reading_task.make_task()], {"a": {"letters": [reading_task.CLEAR]}}, EvaluationSpec()
    )
    settings = evaluation.settings
    assert (settings.scoring, settings.metric, settings.max_new_tokens) == ("loglikelihood", "accuracy", 256)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (
            "scoring",
            "loglikelihood",
            r"^--scoring: .*'loglikelihood' compares answer options, and the task 'notes' has",
        ),
        ("scoring", "first_token", r"Leave out --scoring, which means generate for summarization"),
        ("metric", "accuracy", r"^--metric: the metric 'accuracy' scores the chosen option.*which means rouge2"),
        ("metric", "vibes", r"unknown metric 'vibes'"),
    ],
)
def test_what_needs_options_is_refused_in_one_line(option: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        answer_settings(Writer(), [notes()], EvaluationSpec().with_changes(**{option: value}))


def test_a_text_metric_is_refused_for_tasks_with_options() -> None:
    with pytest.raises(
        UsageError, match=r"^--metric: .*compares texts with references, and the task 'letters' has opt"
    ):
        prepare(
            reading_task.Knowing(),
            [reading_task.make_task()],
            {"a": {"letters": [reading_task.CLEAR]}},
            EvaluationSpec(metric=METRIC),
        )


def test_one_run_has_one_form_of_answers(tmp_path: Path) -> None:
    letters = reading_task.make_task()
    with pytest.raises(UsageError, match=r"got letters \(binary\) and notes \(summarization\).*two runs"):
        answer_settings(Writer(), [notes(), letters], EvaluationSpec())
    make_evaluation().run(tmp_path)
    groups = {"a": {"letters": [reading_task.CLEAR]}}
    other = prepare(Writer(), [letters], groups, EvaluationSpec(scoring="generate", max_new_tokens=24))
    with pytest.raises(UsageError, match="two runs"):
        other.run(tmp_path)


def test_kinds_with_different_default_metrics_need_one_by_name() -> None:
    tasks = [notes(), notes(Kind.TRANSLATION, "phrases")]
    with pytest.raises(UsageError, match=r"^--metric: .*got rouge2 \(notes\), bleu \(phrases\)"):
        answer_settings(Writer(), tasks, EvaluationSpec())
    assert answer_settings(Writer(), tasks, EvaluationSpec(metric=METRIC)).metric == METRIC


def test_demonstrations_show_references() -> None:
    evaluation = make_evaluation(num_fewshot=1)
    prompt = evaluation.prompts(evaluation.planned[0])[0]
    assert prompt.text.endswith(TEXTS[0])
    shown = [
        number for number, references in enumerate(REFERENCES) if f"{TEXTS[number]} {references[0]}" in prompt.text
    ]
    assert shown in ([1], [2])
    assert prompt.options == ()


def test_the_self_test_compares_texts_alone_and_together(tmp_path: Path) -> None:
    class Drifting(Writer):
        def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
            texts = super().generate(prompts, max_new_tokens=max_new_tokens, sampling=sampling)
            return texts if len(texts) == 1 else [f"{text} drifted" for text in texts]

    run = make_evaluation().run(tmp_path)
    assert run.content["self_test"]["batch invariance"]["detail"].startswith("2 of 2 texts are equal")
    checks = make_evaluation(Drifting()).check()
    assert [(check.name, check.passed) for check in checks] == [("batch invariance", False)]


def test_a_forecast_counts_what_is_read_and_written() -> None:
    found = make_evaluation().forecast()
    assert found.is_free_text
    assert found.tokens is not None
    # Both wordings add words of their own to the notes' 4, 5 and 5.
    assert found.tokens.unique == 2 * 14 + 3 * 2 + 3 * 3
    assert found.most.output_tokens == 6 * 24


def test_a_share_of_the_grid_has_no_corpus_metric() -> None:
    with pytest.raises(NotEnoughDataError, match=r"a share of the grid .* bleu .*Leave out --budget"):
        make_evaluation(metric="bleu", budget="50%")


def test_the_signature_of_the_metric_is_in_the_run(tmp_path: Path) -> None:
    run = make_evaluation(metric="bleu").run(tmp_path / "run")
    assert run.content["metrics"] == {"bleu": {"signature": metric("bleu").signature}}
    # Of the three texts two are their references, and under the other wording all are empty.
    assert {row.instruction: row.num_examples for row in run.wording_scores()} == {"mine/short": 3, "mine/gist": 3}
    values = {row.instruction: row.mean_score for row in run.wording_scores()}
    assert values["mine/gist"] == 0
    assert 0.5 < values["mine/short"] < 1


@pytest.mark.parametrize(
    ("scoring", "fields", "resolved"),
    [
        ("loglikelihood", {"extract": "last_line"}, "loglikelihood"),
        ("generate", {}, "generate"),
        ("generate", {"extract": "last_line"}, "generate:last_line"),
        ("generate:option_text", {"extract": "last_line"}, "generate:option_text"),
        ("generate", {"reasoning": True}, "generate:conclusion"),
        ("generate", {"reasoning": True, "extract": "last_line"}, "generate:last_line"),
    ],
)
def test_the_way_to_read_is_in_the_scorers_name(scoring: str, fields: dict[str, object], resolved: str) -> None:
    spec = EvaluationSpec().with_changes(**fields)
    assert named_reading(scoring, spec, [reading_task.make_task()])["scoring"] == resolved


@pytest.mark.parametrize("fields", [{"extract": "last_line"}, {"reasoning": True}, {"scoring": "generate:auto"}])
def test_texts_without_options_are_not_read(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="'notes' has no options to read"):
        make_evaluation(**fields)


def test_a_scorer_of_a_run_with_several_takes_what_has_an_effect() -> None:
    spec = EvaluationSpec(scoring="loglikelihood,generate:conclusion", reasoning="Think.", temperature=0.5, limit=3)
    alone = under_scoring(spec, "loglikelihood")
    assert (alone.scoring, alone.reasoning, alone.temperature, alone.limit) == ("loglikelihood", False, 0.0, 3)
    texts = under_scoring(spec, "generate:conclusion")
    assert (texts.scoring, texts.reasoning, texts.temperature) == ("generate:conclusion", "Think.", 0.5)


def test_what_a_task_says_of_its_answers_is_the_default() -> None:
    own = replace(notes(), answers=AnswerRules(metric="f1", stop=("\n", "Q:"), max_new_tokens=9))
    found = answer_settings(Writer(), [own], EvaluationSpec())
    assert (found.metric, found.stop, found.max_new_tokens) == ("f1", ("\n", "Q:"), 9)
    assert found.notes == (
        "an answer ends before '\\n' or 'Q:', as the task says (--stop)",
        "at most 9 tokens per answer, as the task says (--max-new-tokens)",
    )
    asked = answer_settings(Writer(), [own], EvaluationSpec(metric="exact_match", stop=("x",), max_new_tokens=3))
    assert (asked.metric, asked.stop, asked.max_new_tokens, asked.notes) == ("exact_match", ("x",), 3, ())


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (AnswerRules(metric="exact_match", stop=("\n",), max_new_tokens=9), "the tasks have different metrics"),
        (AnswerRules(metric="f1", stop=("Q:",), max_new_tokens=9), "end answers at different texts"),
        (AnswerRules(metric="f1", stop=("\n",)), r"different maximum lengths of an answer.*9 \(a\), no number \(b\)"),
    ],
)
def test_tasks_that_say_different_things_need_two_runs(rules: AnswerRules, problem: str) -> None:
    first = replace(notes(), name="a", answers=AnswerRules(metric="f1", stop=("\n",), max_new_tokens=9))
    with pytest.raises(UsageError, match=problem):
        answer_settings(Writer(), [first, replace(notes(), name="b", answers=rules)], EvaluationSpec())
