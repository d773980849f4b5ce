"""Examples whose prompts are too long under some wording are left out, under all wordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Example, Instruction, Kind, Prompt, Sampling, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.prompt_limit import fitting_task
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.instructions.template import compile_instruction
from phraseproof.reports.build.readings import reading_lines
from phraseproof.store.queries import load_run
from support.free_texts import METRIC, Writer, register

SHORT = Instruction("short", "mine", ask="Sum up:", layout="{{ text }}")
LONG = Instruction("long", "mine", ask="Sum up what follows in one sentence:", layout="{{ text }}")
WORDS = 40
"""Example n has n + 1 words."""
TASK = Task(
    "texts",
    Kind.SUMMARIZATION,
    "c",
    tuple(Example(f"e{n:02}", {"text": " ".join(["word"] * (n + 1))}, reference="word") for n in range(WORDS)),
    data="texts",
)


class Echo(Writer):
    """Writes one word, whatever it reads."""

    def _text(self, prompt: Prompt, _sampling: Sampling) -> str:
        return prompt.text.split()[-1]


@pytest.fixture(autouse=True)
def _metric(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)


def evaluation(*wordings: Instruction, task: Task = TASK, **options: str | int) -> Evaluation:
    spec = EvaluationSpec().with_changes(**{"metric": METRIC, **options})
    return prepare(Echo(), [task], {"mine": {task.name: list(wordings)}}, spec)


def lengths(found: Evaluation) -> list[int]:
    return [len(example.fields["text"].split()) for example in found.tasks[0].examples]


def test_an_example_must_fit_under_every_wording() -> None:
    # The longest wording has seven words, and the scripted model counts words as tokens.
    assert lengths(evaluation(SHORT, max_prompt_tokens=12)) == list(range(1, 11))
    both = evaluation(SHORT, LONG, max_prompt_tokens=12)
    assert lengths(both) == list(range(1, 6))
    assert both.notes[-1] == "texts: 5 of 40 examples (12.5%) have a prompt of at most 12 tokens under every wording"
    for each in both.planned:
        assert all(len(prompt.text.split()) <= 12 for prompt in both.prompts(each))
    assert both.settings.max_new_tokens == evaluation(SHORT).settings.max_new_tokens


def test_demonstrations_count() -> None:
    # With one demonstration, an example has the words of another one and its answer more.
    found = evaluation(SHORT, max_prompt_tokens=40, num_fewshot=1)
    assert 0 < len(lengths(found)) < len(lengths(evaluation(SHORT, max_prompt_tokens=40)))
    for each in found.planned:
        assert all(len(prompt.text.split()) <= 40 for prompt in found.prompts(each))


def test_of_a_prompt_per_option_the_one_with_the_most_tokens_counts() -> None:
    options = ("a b c d", "a-very-long-word")
    examples = tuple(Example(str(n), {"text": "word " * n}, options, (1.0, 0.0)) for n in range(1, 4))
    task = Task("t", Kind.BINARY, "t", examples)
    wording = compile_instruction(Instruction("w", "mine", template="{{ text }}{{ choice }}", continuation="so"))
    found = fitting_task(Echo(), task, {"mine": [wording]}, EvaluationSpec(prompt_format="plain", max_prompt_tokens=6))
    assert [example.id for example in found.task.examples] == ["1", "2"]


@pytest.mark.parametrize("limit", [1, 3, 7, 40])
def test_a_sample_is_that_of_the_examples_that_fit_and_larger_ones_hold_it(limit: int) -> None:
    everything = evaluation(SHORT, LONG, max_prompt_tokens=30)
    sampled = evaluation(SHORT, LONG, max_prompt_tokens=30, limit=limit)
    fits = replace(TASK, examples=everything.tasks[0].examples)
    expected = evaluation(SHORT, LONG, task=fits, limit=limit)
    assert [each.id for each in sampled.tasks[0].examples] == [each.id for each in expected.tasks[0].examples]
    assert sampled.fitting[0].kept == min(limit, len(fits.examples))
    assert sampled.fitting[0].examined <= 40


def test_the_share_is_stored_and_reported_and_a_growing_sample_reuses_texts(tmp_path: Path) -> None:
    evaluation(SHORT, max_prompt_tokens=30, limit=3).run(tmp_path, self_test=False)
    grown = evaluation(SHORT, max_prompt_tokens=30, limit=8)
    model = grown.model
    assert isinstance(model, Echo)
    grown.run(tmp_path, self_test=False)
    assert len(model.asked) == 5
    run = load_run(tmp_path)
    fitting = run.content["tasks"]["texts"]["fitting"]
    assert fitting == {"max_prompt_tokens": 30, "kept": 8, "examined": grown.fitting[0].examined}
    share = f"8 of {fitting['examined']} ({100 * 8 / fitting['examined']:.1f}%)"
    line = f"texts: only examples with prompts of at most 30 tokens under every wording, {share}"
    assert line in reading_lines(run)


def test_without_a_maximum_nothing_is_recorded(tmp_path: Path) -> None:
    run = evaluation(SHORT, limit=2).run(tmp_path, self_test=False)
    assert "fitting" not in run.content["tasks"]["texts"]


def test_what_cannot_be_counted_or_kept_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"^--max-prompt-tokens: no example of texts has a prompt of at most 2 tokens"):
        evaluation(SHORT, max_prompt_tokens=2)
    with pytest.raises(UsageError, match=r"^--max-prompt-tokens: a number that cannot be used: expected at least 1"):
        evaluation(SHORT, max_prompt_tokens=0)
