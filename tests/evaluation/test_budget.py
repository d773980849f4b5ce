"""A share of the grid: balanced, nested, resumable, never taken for the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import RunError, UsageError
from phraseproof.evaluation.budget import choose_cells
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.spec_types import read_share
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run

NUM_EXAMPLES = 40
NUM_WORDINGS = 5


class Counting(ScriptedModel):
    """The scripted model, keeping count of the prompts that it scores."""

    def __init__(self) -> None:
        super().__init__()
        self.scored: list[str] = []

    def score_options(self, prompts: Any, **options: Any) -> Any:
        self.scored += [prompt.text for prompt in prompts]
        return super().score_options(prompts, **options)


def make_task(size: int = NUM_EXAMPLES) -> Task:
    examples = tuple(
        Example(f"e{n}", {"question": f"Is {n} even?"}, ("yes", "no"), (1.0, 0.0) if n % 2 == 0 else (0.0, 1.0))
        for n in range(size)
    )
    return Task("numbers", Kind.BINARY, "sums", examples)


def wordings(count: int = NUM_WORDINGS) -> list[Instruction]:
    return [
        Instruction(id=f"w{n}", collection="mine", template=f"{'please ' * n}{{{{ question }}}}", answer="{{ choice }}")
        for n in range(count)
    ]


def make(model: ScriptedModel, budget: float | None, **changes: Any) -> Evaluation:
    task = make_task()
    groups = {"mine": {task.name: wordings()}}
    return prepare(model, [task], groups, EvaluationSpec(budget=budget, **changes))


def run(model: ScriptedModel, out: Path, budget: float | None, **changes: Any) -> Run:
    return make(model, budget, **changes).run(out, self_test=False)


@settings(max_examples=60)
@given(
    num_wordings=st.integers(1, 12),
    num_examples=st.integers(1, 30),
    counts=st.tuples(st.integers(0, 400), st.integers(0, 400)),
    seed=st.integers(0, 5),
)
def test_the_choice_is_balanced_and_nested(
    num_wordings: int, num_examples: int, counts: tuple[int, int], seed: int
) -> None:
    small, large = (choose_cells(num_wordings, num_examples, count, seed) for count in sorted(counts))
    for count, chosen in zip(sorted(counts), (small, large), strict=True):
        sizes = [len(members) for members in chosen]
        assert sum(sizes) == min(count, num_wordings * num_examples)
        assert max(sizes) - min(sizes) <= 1
        assert all(members == sorted(set(members)) for members in chosen)
        uses = [sum(example in members for members in chosen) for example in range(num_examples)]
        # Near the whole grid the last places are forced: wordings must take what they do not have yet.
        assert max(uses) - min(uses) <= (2 if 2 * count <= num_wordings * num_examples else 4)
    assert all(set(few) <= set(many) for few, many in zip(small, large, strict=True))


def test_wordings_share_no_more_examples_than_they_must_and_neighbours_mix() -> None:
    chosen = choose_cells(20, 200, 200, 0)
    assert sorted(example for members in chosen for example in members) == list(range(200))
    # Four times round: two wordings never meet on all examples, or abilities could not be told from difficulties.
    twice = choose_cells(20, 200, 800, 0)
    pairs = [len(set(a) & set(b)) for n, a in enumerate(twice) for b in twice[:n]]
    assert max(pairs) < 20
    assert sum(pair > 0 for pair in pairs) > 150


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), (" 12.5 % ", 0.125), ("100%", 1.0)])
def test_a_budget_is_a_percentage(text: str, share: float) -> None:
    assert read_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["5", "0.05", "0%", "101%", "-3%", "nan%", "inf%", "%", "", "five%"])
def test_anything_else_is_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="not a share of the grid"):
        read_share(text)


def test_only_the_share_is_scored_and_cells_say_so(tmp_path: Path) -> None:
    model = Counting()
    done = run(model, tmp_path, 0.1)
    assert len(model.scored) == len(set(model.scored)) == 20
    assert done.share < 1
    assert done.share == pytest.approx(0.1)
    assert [(cell.num_examples, cell.grid_examples) for cell in done.cells] == [(4, NUM_EXAMPLES)] * NUM_WORDINGS
    assert done.content["tasks"]["numbers"]["num_examples"] == NUM_EXAMPLES
    assert len(done.outcomes()) == 20
    with pytest.raises(RunError, match="holds 10% of its grid"):
        done.wording_scores()
    again = Counting()
    run(again, tmp_path, 0.1)
    assert again.scored == []


def test_every_wording_gets_an_example_however_small_the_budget(tmp_path: Path) -> None:
    model = Counting()
    done = run(model, tmp_path, 0.0001)
    assert len(model.scored) == NUM_WORDINGS
    assert {cell.num_examples for cell in done.cells} == {1}


def test_widening_computes_only_what_is_new_and_the_whole_equals_a_run_without_budget(tmp_path: Path) -> None:
    first, second, third = Counting(), Counting(), Counting()
    run(first, tmp_path / "a", 0.1)
    half = run(second, tmp_path / "a", 0.5)
    assert not set(first.scored) & set(second.scored)
    assert len(first.scored) + len(second.scored) == 100
    assert len(half.outcomes()) == 100
    whole = run(third, tmp_path / "a", None)
    assert len(third.scored) == 100
    assert whole.share == 1
    assert whole.share == 1.0
    plain = run(Counting(), tmp_path / "b", None)
    assert [cell.identity for cell in whole.cells] == [cell.identity for cell in plain.cells]
    assert whole.wording_scores() == plain.wording_scores()
    order = "SELECT * FROM outcomes ORDER BY instruction, example_id"
    assert whole.query(order).to_pylist() == plain.query(order).to_pylist()
    tokens = [each.content["usage"]["tokens_computed"] for each in (whole, plain)]
    assert abs(tokens[0] - tokens[1]) <= NUM_WORDINGS * 3, "what was passed on is accounted for, but for rounding"


def test_narrowing_computes_nothing(tmp_path: Path) -> None:
    run(Counting(), tmp_path, None)
    model = Counting()
    few = run(model, tmp_path, 0.1)
    assert model.scored == []
    assert few.share < 1
    assert len(few.outcomes()) == 20


def test_a_dry_run_counts_only_what_is_new(tmp_path: Path) -> None:
    model = Counting()
    assert make(model, 0.1).forecast().prompts == 20
    run(model, tmp_path, 0.1)
    assert make(model, 0.1).forecast(tmp_path).prompts_missing == 0
    forecast = make(model, 0.5).forecast(tmp_path)
    assert (forecast.prompts, forecast.prompts_missing) == (100, 80)
    assert forecast.tokens is not None
    assert make(model, None).forecast(tmp_path).prompts_missing == 180


def test_a_budget_of_everything_is_no_budget(tmp_path: Path) -> None:
    assert [job.cell for job in make(Counting(), 1.0).planned] == [job.cell for job in make(Counting(), None).planned]


def test_demonstrations_are_those_of_the_whole_task() -> None:
    few = make(Counting(), 0.1, num_fewshot=(2,))
    whole = make(Counting(), None, num_fewshot=(2,))
    texts = {prompt.text for job in whole.planned for prompt in whole.prompts(job)}
    assert {prompt.text for job in few.planned for prompt in few.prompts(job)} < texts


def test_an_edited_wording_is_computed_anew(tmp_path: Path) -> None:
    task = make_task()
    run(Counting(), tmp_path, 0.1)
    edited = [Instruction(id="w0", collection="mine", template="Now: {{ question }}", answer="{{ choice }}")]
    model = Counting()
    groups = {"mine": {task.name: [*edited, *wordings()[1:]]}}
    prepare(model, [task], groups, EvaluationSpec(budget=0.1)).run(tmp_path, self_test=False)
    assert len(model.scored) == 4
    assert all(text.startswith("Now: ") for text in model.scored)


def test_python_takes_a_budget_as_the_command_line_does(tmp_path: Path) -> None:
    task = make_task()
    path = tmp_path / "w.yaml"
    path.write_text('{"name": "w", "instructions": [{"id": "a", "template": "{{ question }}", "answer": "text"}]}')
    done = evaluate(ScriptedModel(), task, {"mine": path}, tmp_path / "run", budget="25%")
    assert done.share == pytest.approx(0.25)
    with pytest.raises(UsageError, match="not a share"):
        EvaluationRequest.of(ScriptedModel(), task, {"mine": path}, budget="25")
