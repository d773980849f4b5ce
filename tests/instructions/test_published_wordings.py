"""The proof that the template language can say what people really wrote.

Every wording of the paper's release is rewritten in our language as a person would write it, and renders, character by
character, what the release's own code rendered: prompt, options and target. The data is read here with the standard
library alone, so that nothing but the template language is on trial.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from phraseproof.core import Example, Instruction
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.importers.paper import wording_of
from phraseproof.instructions.template import compile_instruction, literal, quoted

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
PLACEHOLDER = re.compile(r"\{(question|choice_\d+)\}")
FOLDERS = {"Strange_Stories": "strange_stories/boolean", "Logical_Deduction": "logical_deduction/five_objects"}
PLACEHOLDER_OF_LABELS = {"upper": "{letter}", "lower": "{lower}", "digit": "{number}"}

pytestmark = pytest.mark.skipif(
    not (DATA / "paper" / "instructions.jsonl").exists(), reason="the paper's released wordings are not on this machine"
)


class Row(NamedTuple):
    wording: dict[str, Any]
    example: Example
    prompt: str
    labels: list[str]
    target: str


# ------------------------------------------------------------------------------------- from the release to our language


def to_entry(number: int, wording: dict[str, Any]) -> dict[str, Any]:
    """One released wording, as an entry of a collection's YAML file."""
    if wording["choices"] is True:
        template = filled(wording["before"]) + options(wording) + filled(wording["after"])
    else:
        template = filled(wording["template"])
    return {
        "id": f"{number:03} {wording['id']}",
        "for": wording["task"].lower(),
        "template": template,
        "answer": answer(wording["label_space"]),
    }


def filled(text: str) -> str:
    parts = PLACEHOLDER.split(text)
    texts = [literal(part) for part in parts[::2]]
    names = [
        f"{{{{ choices[{name[7:]}] }}}}" if name.startswith("choice_") else f"{{{{ {name} }}}}" for name in parts[1::2]
    ]
    return "".join(text + name for text, name in zip(texts, [*names, ""], strict=True))


def options(wording: dict[str, Any]) -> str:
    first, each = wording["first_prefix"], wording["prefix"]
    assert each.endswith(first), (first, each)
    form = first.replace("{label}", PLACEHOLDER_OF_LABELS.get(wording["labels"], "")) + "{choice}"
    separator = each[: len(each) - len(first)]
    return f"{{{{ choices | enumerate({quoted(form)}, separator={quoted(separator)}) }}}}"


def answer(label_space: str | list[str]) -> str | list[str]:
    if label_space == "options":
        return "text"
    alphabet = [chr(ord("A") + index) for index in range(len(label_space))]
    if label_space == alphabet:
        return "letter"
    if label_space == [letter.lower() for letter in alphabet]:
        return "{{ letter | lower }}"
    return list(label_space)


def to_instruction(entry: dict[str, Any]) -> Instruction:
    """The entry without its detour through a file: a list of answers is indexed by plain Jinja."""
    written = entry["answer"]
    if isinstance(written, list):
        written = f"{{{{ [{', '.join(map(quoted, written))}][index] }}}}"
    written = {"letter": "{{ letter }}", "text": "{{ choice }}"}.get(written, written)
    return Instruction(id=entry["id"], collection="released", template=entry["template"], answer=written)


# ------------------------------------------------------------------------------------------- the benchmarks' own files


def published_examples(task: str) -> list[Example]:
    if task == "MMLU_General":
        rows: list[list[str]] = []
        for path in sorted((DATA / "mmlu").glob("*_test.csv")):
            with path.open(encoding="utf-8", newline="") as stream:
                rows += csv.reader(stream)
        return [
            make_example(
                row[0], {choice: float(letter == row[5]) for letter, choice in zip("ABCD", row[1:5], strict=True)}
            )
            for row in rows
            if len(set(row[1:5])) == 4
        ]
    folder = DATA / "bbl" / FOLDERS.get(task, task.lower())
    published = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("task.json"))]
    return [
        make_example(each["input"], each["target_scores"]) for file in published for each in file.get("examples", [])
    ]


def make_example(question: str, scores: dict[str, float]) -> Example:
    return Example(question, {"question": question}, tuple(scores), tuple(map(float, scores.values())))


def reordered(example: Example, choices: list[str]) -> Example:
    assert sorted(choices) == sorted(example.choices)
    scores = dict(zip(example.choices, example.option_scores, strict=True))
    return make_example(example.fields["question"], {choice: scores[choice] for choice in choices})


@pytest.fixture(scope="module")
def released() -> tuple[list[dict[str, Any]], list[Row]]:
    """All wordings, and every rendered prompt that has one, with its example as the benchmark published it."""
    wordings = jsonl("instructions.jsonl")
    by_name = {(wording["task"], wording["id"]): wording for wording in wordings}
    prompts = [row for row in jsonl("rendered_prompts.jsonl") if (row["task"], row["instruction"]) in by_name]
    together: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in prompts:
        together[row["task"], row["example"]].append(row)
    examples = {key: find_example(key[0], rows, by_name) for key, rows in together.items()}
    return wordings, [
        Row(
            wording=by_name[row["task"], row["instruction"]],
            example=examples[row["task"], row["example"]],
            prompt=row["prompt"],
            labels=row["labels"],
            target=row["target"],
        )
        for row in prompts
    ]


def jsonl(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "paper" / name).read_text(encoding="utf-8").splitlines()]


def find_example(task: str, rows: list[dict[str, Any]], by_name: dict[Any, Any]) -> Example:
    """The published example with these options whose question stands in all these prompts; of several, the longest."""
    # What is offered is seen in the wordings that are scored on the options' texts. For one benchmark the release lists
    # the options in another order than the benchmark does; for all others the order must be the published one.
    order = next(row["labels"] for row in rows if by_name[task, row["instruction"]]["label_space"] == "options")
    found = [
        each
        for each in published_examples(task)
        if set(each.choices) == set(order) and all(each.fields["question"] in row["prompt"] for row in rows)
    ]
    example = max(found, key=lambda each: len(each.fields["question"]))
    if task != "Conceptual_Combinations":
        assert list(example.choices) == order
    return reordered(example, order)


# ----------------------------------------------------------------------------------------------------------- the proof


def test_every_wording_and_every_prompt_that_has_one_is_covered(released: Any) -> None:
    wordings, rows = released
    assert len(wordings) == 835
    assert len(rows) == 1670
    covered = {(row.wording["task"], row.wording["id"]) for row in rows}
    assert covered == {(wording["task"], wording["id"]) for wording in wordings}


def test_every_wording_renders_what_the_release_renders(released: Any) -> None:
    wordings, rows = released
    compiled = {
        (wording["task"], wording["id"]): compile_instruction(to_instruction(to_entry(number, wording)))
        for number, wording in enumerate(wordings)
    }
    for row in rows:
        wording = compiled[row.wording["task"], row.wording["id"]]
        answers = wording.render_answers(row.example)
        assert wording.render_template(row.example) == row.prompt
        assert list(answers) == row.labels
        assert answers[row.example.target] == row.target


def test_wordings_survive_a_yaml_file(released: Any, tmp_path: Path) -> None:
    wordings, rows = released
    path = tmp_path / "released.yaml"
    entries = [to_entry(number, wording) for number, wording in enumerate(wordings)]
    path.write_text(yaml.safe_dump({"name": "released", "instructions": entries}, allow_unicode=True), encoding="utf-8")
    loaded = load_collection(str(path)).instructions
    compiled = {
        (wording["task"], wording["id"]): compile_instruction(instruction)
        for wording, instruction in zip(wordings, loaded, strict=True)
    }
    for row in rows:
        wording = compiled[row.wording["task"], row.wording["id"]]
        answers = wording.render_answers(row.example)
        assert wording.render_template(row.example) == row.prompt
        assert list(answers) == row.labels
        assert answers[row.example.target] == row.target


def test_the_importer_says_what_a_person_says(released: Any) -> None:
    wordings, rows = released
    compiled = {(wording["task"], wording["id"]): compile_instruction(wording_of(wording)) for wording in wordings}
    for row in rows:
        wording = compiled[row.wording["task"], row.wording["id"]]
        answers = wording.render_answers(row.example)
        assert wording.render_template(row.example) == row.prompt
        assert list(answers) == row.labels
        assert answers[row.example.target] == row.target
