"""BIG-bench from the hub's layout, with prompts rendered as BIG-bench renders them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import TaskError
from phraseproof.tasks import load_tasks
from phraseproof.tasks.bigbench_hub import extract_inputs
from support.local_hub import LocalHub


def rendered(data: dict[str, Any], row: dict[str, Any], shuffle: random.Random) -> str:
    """BIG-bench's default format (docs/doc.md of its repository), stripped as the hub's copy is."""
    options = sorted(row["target_scores"])
    shuffle.shuffle(options)
    separator = data.get("choice_prefix", "\n  choice: ")
    listed = "".join(separator + option for option in options) if data.get("append_choices_to_input", True) else ""
    start = data.get("task_prefix", "") + data.get("example_input_prefix", "\nQ: ")
    return (start + row["input"] + listed + data.get("example_output_prefix", "\nA: ")).strip()


def hub_rows(data: dict[str, Any]) -> list[dict[str, Any]]:
    shuffle = random.Random(0)
    return [
        {
            "inputs": rendered(data, row, shuffle),
            "targets": [max(row["target_scores"], key=row["target_scores"].get)],
            "multiple_choice_targets": list(row["target_scores"]),
            "multiple_choice_scores": [int(score) for score in row["target_scores"].values()],
        }
        for row in data["examples"]
    ]


def read_all(folder: Path) -> list[dict[str, Any]]:
    """A task's JSON, or those of its subtasks, as the hub pools them."""
    top = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    if "examples" in top:
        return [top]
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*/task.json"))]


@pytest.mark.parametrize(
    "name",
    [
        "code_line_description",
        "conceptual_combinations",
        "empirical_judgments",
        "hindu_knowledge",
        "intent_recognition",
        "known_unknowns",
        "logical_deduction",
        "novel_concepts",
        "strange_stories",
        "strategyqa",
    ],
)
def test_real_tasks_come_out_of_the_hub_as_they_are_in_their_files(
    shared_data: Path, local_hub: LocalHub, name: str
) -> None:
    rows = [row for data in read_all(shared_data / "bbl" / name) for row in hub_rows(data)]
    local_hub.add("hails/bigbench", {f"{name}_zero_shot": {"default": rows}})
    warnings: list[str] = []
    (served,) = load_tasks([f"bbl/{name}"], warn=warnings.append)
    (local,) = load_tasks([f"bbl/{name}"], data_dir=shared_data)
    assert local_hub.calls == [("hails/bigbench", f"{name}_zero_shot", "default", None)]
    assert warnings == []
    assert (served.kind, served.category) == (local.kind, local.category)
    assert [(e.fields, e.choices, e.option_scores) for e in served.examples] == [
        (e.fields, e.choices, e.option_scores) for e in local.examples
    ]
    if name not in ("conceptual_combinations",):  # pooled subtasks are numbered through on the hub
        assert [e.id for e in served.examples] == [e.id for e in local.examples]
    assert served.instructions[0].name == "task_designer/hub"
    assert f"hub hails/bigbench, config {name}_zero_shot, split default" in served.source


def test_other_subtasks_that_the_number_of_options_tells(shared_data: Path, local_hub: LocalHub) -> None:
    rows = [row for data in read_all(shared_data / "bbl/logical_deduction") for row in hub_rows(data)]
    local_hub.add("hails/bigbench", {"logical_deduction_zero_shot": {"default": rows}})
    (task,) = load_tasks(["bbl/logical_deduction/seven_objects"])
    assert len(task.examples) == 700
    assert task.examples[3].id == "seven_objects/3"


def test_subtasks_that_cannot_be_told_apart_are_refused(local_hub: LocalHub) -> None:
    with pytest.raises(TaskError, match=r"serves the subtasks of bbq_lite pooled.*--data-dir"):
        load_tasks(["bbl/bbq_lite/age_ambig"])
    assert local_hub.calls == []


def row(inputs: str, choices: list[str], scores: list[int]) -> dict[str, Any]:
    return {"inputs": inputs, "multiple_choice_targets": choices, "multiple_choice_scores": scores}


def test_bbq_lite_is_asked_for_by_big_benchs_name(local_hub: LocalHub) -> None:
    rows = [row(f"Q: {name}?\n  choice: a\n  choice: b\nA:", ["a", "b"], [0, 1]) for name in ("who", "what")]
    local_hub.add("hails/bigbench", {"bbq_lite_json_zero_shot": {"default": rows}})
    (task,) = load_tasks(["bbl/bbq_lite"])
    assert [example.fields["question"] for example in task.examples] == ["who?", "what?"]
    assert task.name == "bbl/bbq_lite"


def test_prompts_that_cannot_be_undressed_are_kept_with_a_warning(local_hub: LocalHub) -> None:
    local_hub.add("hails/bigbench", {"odd_zero_shot": {"default": [row("Only one", ["a", "b"], [0, 1])]}})
    warnings: list[str] = []
    (task,) = load_tasks(["bbl/odd"], warn=warnings.append)
    assert task.examples[0].fields["question"] == "Only one"
    assert "could not be taken apart" in warnings[0]
    assert "inputs as served" in task.source
    assert task.instructions == ()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("q", [], [])], "without options are not supported"),
        ([row("q", ["a", "b"], [1])], "2 options with 1 credits"),
        ([{"inputs": "q"}], "the column 'multiple_choice_targets' is missing"),
    ],
)
def test_rows_that_are_no_use(local_hub: LocalHub, rows: list[dict[str, Any]], message: str) -> None:
    local_hub.add("hails/bigbench", {"odd_zero_shot": {"default": rows}})
    with pytest.raises(TaskError, match=message):
        load_tasks(["bbl/odd"])


def test_without_a_hub_the_way_out_is_said() -> None:
    with pytest.raises(TaskError, match=r"hails/bigbench.*cannot be reached.*--data-dir"):
        load_tasks(["bbl"])


word = st.text("abc ?", min_size=1, max_size=12)


@given(
    questions=st.lists(word, min_size=2, max_size=6, unique=True),
    options=st.lists(word, min_size=2, max_size=4, unique=True),
    prefix=st.sampled_from(["", "Task.\n", "Two\nlines.\n\n"]),
    seed=st.randoms(use_true_random=False),
)
def test_extracting_undoes_rendering(
    questions: list[str], options: list[str], prefix: str, seed: random.Random
) -> None:
    inputs: list[str] = []
    for question in questions:
        listed = seed.sample(options, len(options))
        inputs.append(f"{prefix}Q: {question}" + "".join(f"\n  choice: {choice}" for choice in listed) + "\nA:")
    extracted = extract_inputs(inputs, [options] * len(inputs), "Q: ")
    assert extracted is not None
    assert extracted.questions == questions
    assert extracted.frame.input_prefix == f"{prefix}Q: "
    assert extracted.frame.append_choices
