"""BIG-bench's JSON tasks: the real files, BIG-bench's own layout, and what can be wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jinja2
import pytest

from phraseproof.core import Instruction, Kind, Relation, Task
from phraseproof.errors import FileError, PhraseproofError, TaskError, UsageError
from phraseproof.tasks import load_tasks
from phraseproof.tasks.bigbench import KNOWN


def load(name: str, data_dir: Path) -> Task:
    (task,) = load_tasks([name], data_dir=data_dir)
    return task


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def item(question: str, *, right: str = "yes", options: tuple[str, ...] = ("yes", "no")) -> dict[str, Any]:
    return {"input": question, "target_scores": {option: int(option == right) for option in options}}


def render(wording: Instruction, **fields: object) -> str:
    environment = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False)
    template = wording.template if wording.template is not None else f"{wording.ask}{wording.layout}"
    return environment.from_string(template).render(**fields)


# ---------------------------------------------------------------------------------------------------------- real files

REAL = {
    "code_line_description": (60, "BBL-QA", Kind.MULTIPLE_CHOICE),
    "conceptual_combinations": (103, "BBL-QA", Kind.MULTIPLE_CHOICE),
    "hindu_knowledge": (175, "BBL-QA", Kind.MULTIPLE_CHOICE),
    "known_unknowns": (46, "BBL-QA", Kind.MULTIPLE_CHOICE),
    "logical_deduction": (500, "BBL-QA", Kind.MULTIPLE_CHOICE),
    "novel_concepts": (32, "BBL-QA", Kind.MULTIPLE_CHOICE),
    "strange_stories": (53, "BBL-BC", Kind.BINARY),
    "strategyqa": (2290, "BBL-BC", Kind.BINARY),
    "intent_recognition": (693, "BBL-MC", Kind.MULTI_CLASS),
    "empirical_judgments": (99, "BBL-MC", Kind.MULTI_CLASS),
}


@pytest.mark.parametrize("name", REAL)
def test_real_counts_kinds_and_categories(shared_data: Path, name: str) -> None:
    task = load(f"bbl/{name}", shared_data)
    assert (len(task.examples), task.category, task.kind) == REAL[name]
    assert len({example.id for example in task.examples}) == len(task.examples)


@pytest.mark.parametrize("name", sorted(set(REAL) - {"conceptual_combinations"}))
def test_real_questions_and_options_are_exactly_the_files(shared_data: Path, name: str) -> None:
    folder = shared_data / "bbl" / name / (KNOWN[name].subtask or "")
    published = json.loads((folder / "task.json").read_text(encoding="utf-8"))["examples"]
    found = [
        (e.fields["question"], list(zip(e.choices, e.option_scores, strict=True)))
        for e in load(f"bbl/{name}", shared_data).examples
    ]
    assert found == [(row["input"], list(row["target_scores"].items())) for row in published]


def test_real_label_sets(shared_data: Path) -> None:
    labels = {
        name: {frozenset(example.choices) for example in load(f"bbl/{name}", shared_data).examples}
        for name in ("strange_stories", "strategyqa", "empirical_judgments")
    }
    assert labels == {
        "strange_stories": {frozenset({"yes", "no"})},
        "strategyqa": {frozenset({"Yes", "No"})},
        "empirical_judgments": {frozenset({"causal", "correlative", "neutral"})},
    }
    assert {len(e.choices) for e in load("bbl/intent_recognition", shared_data).examples} == {7}


def test_the_published_order_of_conceptual_combinations_would_give_the_answer_away(shared_data: Path) -> None:
    published = [
        row
        for path in (shared_data / "bbl" / "conceptual_combinations").glob("*/task.json")
        for row in json.loads(path.read_text(encoding="utf-8"))["examples"]
    ]
    assert all(next(iter(row["target_scores"].values())) == 1 for row in published)
    task = load("bbl/conceptual_combinations", shared_data)
    positions = Counter(example.target for example in task.examples)
    assert set(positions) == {0, 1, 2, 3}
    assert max(positions.values()) < 0.45 * len(task.examples)
    assert "options reordered" in task.source
    by_question = {row["input"]: row["target_scores"] for row in published}
    for example in task.examples:
        assert dict(zip(example.choices, example.option_scores, strict=True)) == by_question[example.fields["question"]]


def test_the_order_of_options_does_not_hang_on_other_examples(shared_data: Path) -> None:
    pooled = {e.id: e for e in load("bbl/conceptual_combinations", shared_data).examples}
    alone = load("bbl/conceptual_combinations/homonyms", shared_data)
    assert all(pooled[example.id] == example for example in alone.examples)


def test_the_papers_subtasks_and_the_others_by_name(shared_data: Path) -> None:
    stories = load("bbl/strange_stories", shared_data)
    assert "the subtask boolean, as in the paper" in stories.source
    same = load("bbl/strange_stories/boolean", shared_data)
    assert same.examples == stories.examples
    assert "as in the paper" not in same.source
    other = load("bbl/strange_stories/multiple_choice", shared_data)
    assert (len(other.examples), other.kind, other.category) == (121, Kind.MULTIPLE_CHOICE, "BBL-QA")
    assert load("bbl/logical_deduction/three_objects", shared_data).name == "bbl/logical_deduction/three_objects"
    assert {len(e.choices) for e in load("bbl/logical_deduction", shared_data).examples} == {5}


def test_fractional_credit_is_kept(shared_data: Path) -> None:
    examples = load("bbl/strange_stories/multiple_choice", shared_data).examples
    assert {score for example in examples for score in example.option_scores} == {0.0, 0.5, 1.0}


def test_parts_are_fields_where_every_input_has_them(shared_data: Path) -> None:
    concept = next(
        e for e in load("bbl/conceptual_combinations", shared_data).examples if "smelly" in e.fields["context"]
    )
    assert concept.fields["context"] == "Concept: smelly trucks."
    assert concept.fields["query"].startswith("Which of the following sentences")
    intent = load("bbl/intent_recognition", shared_data).examples[0]
    assert intent.fields["question"] == f"Utterance: {intent.fields['utterance']}"
    story = load("bbl/strange_stories", shared_data).examples[0]
    assert story.fields["context"].startswith("At school today John")
    assert story.fields["query"] == "Is it false what Ben said?"
    assert set(load("bbl/strategyqa", shared_data).examples[0].fields) == {"question"}
    assert "items" in load("bbl/novel_concepts", shared_data).examples[0].fields


def test_bbl_loads_what_is_there_and_names_what_is_not(shared_data: Path) -> None:
    warnings: list[str] = []
    tasks = load_tasks(["bbl"], data_dir=shared_data, warn=warnings.append)
    present = {name for name in REAL if KNOWN[name].in_bbl}
    assert {task.name for task in tasks} == {f"bbl/{name}" for name in present}
    (warning,) = warnings
    absent = [name for name, known in KNOWN.items() if known.in_bbl and name not in present]
    assert warning.endswith(f"lacks {len(absent)} of the 14 tasks of bbl, which are left out: {', '.join(absent)}")


def test_the_papers_fourteen_and_seven() -> None:
    counts = Counter(known.kind for known in KNOWN.values() if known.in_bbl)
    assert counts == {Kind.MULTIPLE_CHOICE: 8, Kind.BINARY: 4, Kind.MULTI_CLASS: 2}
    closer_look = {
        "intent_recognition",
        "empirical_judgments",
        "conceptual_combinations",
        "language_identification",
        "logical_sequence",
        "crash_blossom",
        "epistemic_reasoning",
    }
    assert closer_look <= set(KNOWN)


def test_the_designers_wording_is_big_benchs_prompt(shared_data: Path) -> None:
    task = load("bbl/intent_recognition", shared_data)
    (wording,) = task.instructions
    data = json.loads((shared_data / "bbl/intent_recognition/task.json").read_text())
    prompt = render(wording, **task.examples[0].fields, choices=task.examples[0].choices)
    assert prompt + (wording.target_delimiter or "") == (
        data["task_prefix"] + task.examples[0].fields["question"] + data["example_output_prefix"]
    )
    assert (wording.name, wording.relation) == ("task_designer/json", Relation.TASK_DESIGNER)
    assert wording.ask == data["task_prefix"]
    code = load("bbl/code_line_description", shared_data)
    text = render(code.instructions[0], **code.examples[0].fields, choices=code.examples[0].choices)
    listed = "".join(f"\n  choice: {choice}" for choice in code.examples[0].choices)
    expected = f"\nPython code:\n{code.examples[0].fields['question']}{listed}\n\nEnglish language description:"
    assert (text, code.instructions[0].target_delimiter) == (expected, "\n")


# ------------------------------------------------------------------------------------------------------- made-up files


@pytest.mark.parametrize("place", ["bbl/made_up", "made_up", "bigbench/benchmark_tasks/made_up"])
def test_layouts_and_inferred_kinds(tmp_path: Path, place: str) -> None:
    write(tmp_path / place / "task.json", {"examples": [item("one?"), item("two?", right="no", options=("no", "yes"))]})
    task = load("bbl/made_up", tmp_path)
    assert (task.kind, task.category) == (Kind.BINARY, "BBL-BC")
    assert [example.id for example in task.examples] == ["0", "1"]
    assert task.examples[1].choices == ("no", "yes")


def test_kinds_by_labels(tmp_path: Path) -> None:
    three = ("red", "green", "blue")
    write(tmp_path / "colours" / "task.json", {"examples": [item("a", right="red", options=three)] * 2})
    write(tmp_path / "mixed" / "task.json", {"examples": [item("a"), item("b", right="red", options=three)]})
    assert load("bbl/colours", tmp_path).kind is Kind.MULTI_CLASS
    assert load("bbl/mixed", tmp_path).category == "BBL-QA"


def test_bbq_lite_goes_by_both_its_names(tmp_path: Path) -> None:
    folder = tmp_path / "bigbench/benchmark_tasks/bbq_lite_json"
    write(folder / "task.json", {"name": "bbq_lite_json"})
    for subtask in ("age_ambig", "age_disambig"):
        write(folder / subtask / "task.json", {"examples": [item(f"{subtask}?")]})
    task = load("bbl/bbq_lite_json", tmp_path)
    assert task.name == "bbl/bbq_lite"
    assert [example.id for example in task.examples] == ["age_ambig/0", "age_disambig/0"]
    assert load("bbl/bbq_lite/age_ambig", tmp_path).examples[0].fields["question"] == "age_ambig?"
    assert len(task.instructions) == 1


def test_differently_worded_subtasks_have_no_common_wording(tmp_path: Path) -> None:
    write(tmp_path / "pair" / "task.json", {"name": "pair"})
    write(tmp_path / "pair" / "a" / "task.json", {"task_prefix": "First.", "examples": [item("a")]})
    write(tmp_path / "pair" / "b" / "task.json", {"task_prefix": "Second.", "examples": [item("b")]})
    assert load("bbl/pair", tmp_path).instructions == ()
    assert load("bbl/pair/a", tmp_path).instructions[0].ask == "First."


def test_parts_are_left_out_if_one_input_lacks_them(tmp_path: Path) -> None:
    write(tmp_path / "intent_recognition" / "task.json", {"examples": [item("Utterance: a"), item("b")]})
    assert all(set(e.fields) == {"question"} for e in load("bbl/intent_recognition", tmp_path).examples)


def test_an_order_that_tells_is_warned_of(tmp_path: Path) -> None:
    write(tmp_path / "leaky" / "task.json", {"examples": [item(f"{index}?") for index in range(20)]})
    warnings: list[str] = []
    load_tasks(["bbl/leaky"], data_dir=tmp_path, warn=warnings.append)
    assert "the best option has the same position" in warnings[0]


def test_none_of_the_fourteen_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="none of the 14 BIG-bench tasks found"):
        load_tasks(["bbl"], data_dir=tmp_path)


def test_an_absent_task_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"no data for 'bbl/winowhy'.*benchmark_tasks/winowhy/task.json"):
        load("bbl/winowhy", tmp_path)


@pytest.mark.parametrize("name", ["bbl/../x", "bbl/a/b/c", "bbl/", "bbl/a b", "bbl//x"])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises((UsageError, TaskError)):
        load(name, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a BIG-bench task"),
        ('{"examples": []}', "the task has no examples"),
        ('{"name": "x"}', "no examples, neither here nor in subtask folders"),
        ('{"examples": ["x"]}', r"examples\[0\]: not an example"),
        ('{"examples": [{"target_scores": {"a": 1, "b": 0}}]}', "no `input` text"),
        ('{"examples": [{"input": "q", "target": "a"}]}', "without `target_scores` are not supported"),
        ('{"examples": [{"input": "q"}]}', "no `target_scores` of two or more"),
        ('{"examples": [{"input": "q", "target_scores": {"a": 1}}]}', "no `target_scores` of two or more"),
        ('{"examples": [{"input": "q", "target_scores": {"a": "1", "b": 0}}]}', "the credit of 'a' is not a number"),
        (
            '{"task_prefix": 3, "examples": [{"input": "q", "target_scores": {"a": 1, "b": 0}}]}',
            "task_prefix is not text",
        ),
    ],
)
def test_broken_files_are_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "made_up").mkdir()
    (tmp_path / "made_up" / "task.json").write_text(content)
    with pytest.raises(PhraseproofError, match=message) as caught:
        load("bbl/made_up", tmp_path)
    assert "\n" not in str(caught.value)


def test_wrong_subtasks(tmp_path: Path) -> None:
    write(tmp_path / "flat" / "task.json", {"examples": [item("a")]})
    write(tmp_path / "deep" / "task.json", {"name": "deep"})
    write(tmp_path / "deep" / "one" / "task.json", {"examples": [item("a")]})
    with pytest.raises(TaskError, match="the task flat has no subtasks"):
        load("bbl/flat/one", tmp_path)
    with pytest.raises(TaskError, match=r"no subtask 'two' \(expected one of: one\)"):
        load("bbl/deep/two", tmp_path)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "made_up").mkdir()
    (tmp_path / "made_up" / "task.json").write_bytes(b'{"examples": "\xff"}')
    with pytest.raises(FileError, match="not UTF-8 text"):
        load("bbl/made_up", tmp_path)
