"""A user's own task, from YAML and every kind of data, and one line for everything that can be wrong with it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Kind, Task
from phraseproof.errors import PhraseproofError, TaskError
from phraseproof.identity import content_hash
from phraseproof.tasks.user_files import json_schema, load_file
from support.local_hub import LocalHub

TICKETS = """\
name: tickets
kind: multi_class
data: tickets.csv
fields: {message: body}
choices: [billing, bug, praise]
answer: team
"""
ROWS = 'body,team\nI was charged twice.,billing\n"It crashes,\nalways.",bug\nThank you!,praise\n'


def make(folder: Path, content: str = TICKETS, data: str | bytes = ROWS, name: str = "tickets.csv") -> Path:
    path = folder / "tickets.yaml"
    path.write_text(content, encoding="utf-8")
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def load(folder: Path, content: str = TICKETS, data: str | bytes = ROWS, name: str = "tickets.csv") -> Task:
    return load_file(make(folder, content, data, name))


def test_the_designs_example(tmp_path: Path) -> None:
    task = load(tmp_path)
    assert (task.name, task.kind, task.category) == ("tickets", Kind.MULTI_CLASS, "tickets")
    assert [dict(example.fields) for example in task.examples] == [
        {"message": "I was charged twice."},
        {"message": "It crashes,\nalways."},
        {"message": "Thank you!"},
    ]
    assert [example.target for example in task.examples] == [0, 1, 2]
    assert [example.id for example in task.examples] == ["0", "1", "2"]
    assert task.examples[0].choices == ("billing", "bug", "praise")
    assert task.source == str(tmp_path / "tickets.csv")
    assert task.demonstrations == ()


def test_paths_are_relative_to_the_file_and_a_category_can_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, TICKETS + "category: Support\n")
    monkeypatch.chdir(tmp_path.parent)
    assert load_file(Path(tmp_path.name) / "tickets.yaml").category == "Support"


def test_without_fields_every_column_but_the_answer_is_one(tmp_path: Path) -> None:
    content = TICKETS.replace("fields: {message: body}\n", "")
    data = ",body,index,team,note\n0,hello,7,bug,\n"
    assert load(tmp_path, content, data).examples[0].fields == {"body": "hello", "note": ""}


QUESTIONS = [
    {"q": "Sky?", "opts": ["red", "blue"], "a": "red", "b": "blue", "joined": "red|blue", "right": "blue"},
    {"q": "Grass?", "opts": ["green", "pink"], "a": "green", "b": "pink", "joined": "green|pink", "right": "green"},
]


@pytest.mark.parametrize(
    "choices",
    ["{column: opts}", "{column: joined, separator: '|'}", "{columns: [a, b]}"],
    ids=["list", "text", "columns"],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_options_of_each_row(tmp_path: Path, choices: str, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(QUESTIONS), path)
    elif suffix == "json":
        path.write_text(json.dumps(QUESTIONS, indent=1))
    else:
        path.write_text("\n".join(map(json.dumps, QUESTIONS)))
    content = f"name: quiz\nkind: multiple_choice\ndata: rows.{suffix}\nchoices: {choices}\nanswer: right\n"
    (tmp_path / "quiz.yaml").write_text(content)
    task = load_file(tmp_path / "quiz.yaml")
    assert [(e.fields["q"], e.choices, e.target) for e in task.examples] == [
        ("Sky?", ("red", "blue"), 1),
        ("Grass?", ("green", "pink"), 0),
    ]
    content_hash(task.examples)  # plain data, whatever the format


def test_rows_may_have_fewer_options_in_their_last_columns(tmp_path: Path) -> None:
    content = "name: quiz\nkind: multiple_choice\ndata: t.csv\nchoices: {columns: [A, B, C]}\nanswer: key\n"
    task = load(tmp_path, content, "q,A,B,C,key\nx,1,2,3,C\ny,1,2,,B\n", "t.csv")
    assert [example.choices for example in task.examples] == [("1", "2", "3"), ("1", "2")]
    with pytest.raises(PhraseproofError, match=r"t.csv:2: an option is empty"):
        load(tmp_path, content, "q,A,B,C,key\nx,1,,3,C\n", "t.csv")


def test_ids_and_settled_readings(tmp_path: Path) -> None:
    content = "name: n\nkind: multi_class\ndata: t.csv\nchoices: ['1', '2', '3']\nid: key\n"
    content += "answer: {column: right, as: index}\n"
    task = load(tmp_path, content, "key,right\n007,1\nNA,2\n", "t.csv")
    assert [(example.id, example.target) for example in task.examples] == [("007", 1), ("NA", 2)]


def test_demonstrations_from_the_first_rows_are_not_scored(tmp_path: Path) -> None:
    task = load(tmp_path, TICKETS + "demonstrations: {first: 2}\n")
    assert [example.id for example in task.demonstrations] == ["0", "1"]
    assert [example.id for example in task.examples] == ["2"]


def test_demonstrations_from_a_file_are_read_as_the_data_is(tmp_path: Path) -> None:
    (tmp_path / "shown.tsv").write_text("body\tteam\nWow\tpraise\n")
    task = load(tmp_path, TICKETS + "demonstrations: shown.tsv\n")
    assert [example.fields["message"] for example in task.demonstrations] == ["Wow"]
    (tmp_path / "shown.tsv").write_text("body\tteam\nWow\tC\n")
    with pytest.raises(PhraseproofError, match=r"shown.tsv:2, team: the answer 'C' is not one of the options"):
        load(tmp_path, TICKETS + "demonstrations: shown.tsv\n")


def test_data_and_demonstrations_from_the_hub(tmp_path: Path, local_hub: LocalHub) -> None:
    rows = [{"body": "hello", "team": 1}, {"body": "thanks", "team": 2}]
    local_hub.add("acme/tickets", {"en": {"test": rows, "train": rows[:1]}})
    content = TICKETS.replace("data: tickets.csv", "data: {hub: acme/tickets, config: en, revision: v1}")
    task = load(tmp_path, content + "demonstrations: {hub: acme/tickets, config: en, split: train}\n")
    assert local_hub.calls == [("acme/tickets", "en", "test", "v1"), ("acme/tickets", "en", "train", None)]
    assert [example.target for example in task.examples] == [1, 2]
    assert [example.fields["message"] for example in task.demonstrations] == ["hello"]
    assert task.source == "hub acme/tickets, config en, split test, revision v1"


def test_a_hub_out_of_reach(tmp_path: Path) -> None:
    content = TICKETS.replace("data: tickets.csv", "data: {hub: acme/absent}")
    with pytest.raises(TaskError, match=r"cannot be reached.*give its path as `data` instead"):
        load(tmp_path, content)


text = st.text(st.characters(codec="utf-8"), max_size=15)


@given(rows=st.lists(st.tuples(text, st.sampled_from(["billing", "bug", "praise"])), min_size=1, max_size=6))
def test_any_messages_in_csv_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("task")
    path = make(folder)
    with (folder / "tickets.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("body", "team"), *rows])
    task = load_file(path)
    assert [(e.fields["message"], e.choices[e.target]) for e in task.examples] == rows


@given(
    options=st.lists(text.filter(bool), min_size=2, max_size=5, unique=True),
    questions=st.lists(text, min_size=1, max_size=4),
    data=st.data(),
)
def test_any_options_in_yaml_and_json_come_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, options: list[str], questions: list[str], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("task")
    targets = data.draw(st.lists(st.sampled_from(options), min_size=len(questions), max_size=len(questions)))
    rows = [{"q": question, "a": target} for question, target in zip(questions, targets, strict=True)]
    (folder / "rows.json").write_text(json.dumps(rows))
    spec: dict[str, Any] = {
        "name": "any",
        "kind": "multiple_choice",
        "data": "rows.json",
        "choices": options,
        "answer": {"column": "a", "as": "text"},
    }
    (folder / "any.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    task = load_file(folder / "any.yaml")
    assert [(e.fields["q"], e.choices, e.choices[e.target]) for e in task.examples] == [
        (question, tuple(options), target) for question, target in zip(questions, targets, strict=True)
    ]


def swap(old: str, new: str) -> str:
    assert old in TICKETS
    return TICKETS.replace(old, new)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "tickets.yaml: the file is empty"),
        ("- a\n", r"tickets.yaml:1: not a mapping of fields to values"),
        ("name: [\n", r"tickets.yaml:2: not valid YAML"),
        (swap("answer:", "anwser:"), r"tickets.yaml:\d+, \w+: (unknown field 'anwser'|the field 'answer' is missing)"),
        (TICKETS + "colour: red\n", r"tickets.yaml:7, colour: unknown field 'colour' .*Known fields: name, kind"),
        (swap("name: tickets\n", ""), "the field 'name' is missing"),
        (swap("name: tickets", "name: two words"), r"tickets.yaml:1, name: .*got 'two words'"),
        (swap("multi_class", "multi"), r"tickets.yaml:2, kind: the value should be 'multiple_choice'"),
        (
            swap("multi_class", "summarization"),
            r"tickets.yaml:5, choices: a summarization task has no options. Leave out",
        ),
        (
            swap("choices: [billing, bug, praise]\n", ""),
            r"tickets.yaml:2, kind: the field 'choices' is missing .*options",
        ),
        (
            swap("answer: team", "answer: {columns: [team]}"),
            r"tickets.yaml:6, answer.columns: .* one column of right ans",
        ),
        (swap("multi_class", "binary"), r"tickets.yaml:5, choices: a binary task has two options .got 3"),
        (swap("data: tickets.csv", "data: absent.csv"), r"tickets.yaml:3, data: no such data file .*absent.csv"),
        (swap("data: tickets.csv", "data: tickets.xls"), r"tickets.yaml:3, data: unknown kind of data file"),
        (swap("data: tickets.csv", "data: 3"), r"tickets.yaml:3, data: `data` is neither a path nor"),
        (swap("data: tickets.csv", "data: {hub: a/b, splitt: x}"), r"tickets.yaml:3, splitt: unknown field 'splitt'"),
        (swap("message: body", "message: bod"), r"4, fields.message: .*no column 'bod' .*one of: body, team.*'body'\?"),
        (swap("message: body", "choices: body"), r"the name 'choices' is reserved by the template language"),
        (swap("message: body", "2nd: body"), r"'2nd' cannot be used as a name in a template"),
        (swap("fields: {message: body}", "fields: {}"), r"tickets.yaml:4, fields: .*at least 1 item"),
        (swap("answer: team", "answer: tema"), r"tickets.yaml:6, answer: .* no column 'tema' .*Did you mean 'team'"),
        (swap("answer: team", "answer: {column: team, as: word}"), r"tickets.yaml:6, as: the value should be 'text'"),
        (swap("answer: team", "answer: {column: team, ass: text}"), r"unknown field 'ass' .*Known fields: column, as"),
        (swap("[billing, bug, praise]", "[billing, bug]"), r"tickets.csv:5, team: the answer 'praise' is not one of"),
        (
            swap("[billing, bug, praise]", "[billing, bug, null]"),
            r"tickets.yaml:5, choices.2: .*None is not text.*quotes",
        ),
        (swap("[billing, bug, praise]", "[bug, bug, praise]"), r"choices.1: the option 'bug' is listed twice"),
        (swap("[billing, bug, praise]", "[bug]"), r"fewer than two options"),
        (swap("[billing, bug, praise]", "billing"), r"tickets.yaml:5, choices: `choices` has none of its three forms"),
        (swap("[billing, bug, praise]", "{column: opts}"), r"5, choices.column: .*no column 'opts'"),
        (
            swap("[billing, bug, praise]", "{column: body}"),
            r"tickets.csv:2, body: the options are not a list.*separator",
        ),
        (swap("[billing, bug, praise]", "{columns: [body, x]}"), r"choices.columns.1: .*no column 'x'"),
        (swap("[billing, bug, praise]", "{columns: [body]}"), r"tickets.yaml:5, columns: .*at least 2 items"),
        (TICKETS + "id: team2\n", r"tickets.yaml:7, id: .*no column 'team2'"),
        (TICKETS + "demonstrations: {first: 3}\n", r"7, demonstrations.first: the demonstrations leave no example"),
        (TICKETS + "demonstrations: {first: 0}\n", r"tickets.yaml:7, first: the value should be greater than 0"),
        (TICKETS + "demonstrations: {second: 2}\n", r"tickets.yaml:7, \w+: "),
    ],
)
def test_everything_wrong_is_one_line_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(PhraseproofError, match=message) as caught:
        load(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "tickets.csv: the file is empty"),
        ("body,team\n", "tickets.csv: the file has no rows"),
        ("body,team\nx,bug\ny,bugs\n", r"tickets.csv:3, team: the answer 'bugs' .*Did you mean 'bug'\?"),
        ("body,team\nx,bug,y\n", "tickets.csv:2: the row does not fit the header"),
        (b"body,team\ncaf\xe9,bug\n", "tickets.csv:2: not UTF-8 text"),
    ],
)
def test_wrong_data_is_one_line_with_its_line(tmp_path: Path, data: str | bytes, message: str) -> None:
    with pytest.raises(PhraseproofError, match=message):
        load(tmp_path, TICKETS, data)


def test_duplicate_ids_name_both_rows(tmp_path: Path) -> None:
    with pytest.raises(
        PhraseproofError, match=r"tickets.csv:4: the id 'a' is used twice .got first at .*tickets.csv:2"
    ):
        load(tmp_path, TICKETS + "id: n\n", "n,body,team\na,x,bug\nb,y,bug\na,z,bug\n")


def test_a_wrong_encoding_of_the_file_itself(tmp_path: Path) -> None:
    path = make(tmp_path)
    path.write_bytes(b"name: \xe9" + TICKETS.encode())
    with pytest.raises(PhraseproofError, match=r"tickets.yaml:1: not UTF-8 text"):
        load_file(path)


def test_what_yaml_misreads_is_taken_as_written(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("q,a\nx,no\ny,12:30\nz,010\nw,2024-05-01\nv,1_000\nu,1.0\n")
    (tmp_path / "t.yaml").write_text(
        "name: 010\nkind: multi_class\ndata: t.csv\nchoices: [no, 12:30, 010, 2024-05-01, 1_000, 1.0]\n"
        "answer: a\ncategory: 2024-05-01\n"
    )
    task = load_file(tmp_path / "t.yaml")
    assert task.examples[0].choices == ("no", "12:30", "010", "2024-05-01", "1_000", "1.0")
    assert [example.target for example in task.examples] == [0, 1, 2, 3, 4, 5]
    assert (task.name, task.category) == ("010", "2024-05-01")


ARC = [
    {"q": {"stem": "floats?"}, "choices": {"text": ["cork", "iron"], "label": ["A", "B"]}, "key": {"is": "A"}},
    {"q": {"stem": "sinks?"}, "choices": {"text": ["cork", "iron"], "label": ["1", "2"]}, "key": {"is": "2"}},
]


@pytest.mark.parametrize("choices", ["{column: choices}", "{column: choices.text}"])
def test_options_with_labels_and_paths(tmp_path: Path, choices: str) -> None:
    (tmp_path / "arc.jsonl").write_text("\n".join(map(json.dumps, ARC)))
    (tmp_path / "arc.yaml").write_text(
        f"name: arc\nkind: multiple_choice\ndata: arc.jsonl\nchoices: {choices}\nanswer: key.is\n"
        "fields: {question: q.stem}\n"
    )
    task = load_file(tmp_path / "arc.yaml")
    assert [(example.fields, example.choices, example.target) for example in task.examples] == [
        ({"question": "floats?"}, ("cork", "iron"), 0),
        ({"question": "sinks?"}, ("cork", "iron"), 1),
    ]


def test_a_column_with_the_answer_inside_is_no_field(tmp_path: Path) -> None:
    (tmp_path / "arc.jsonl").write_text("\n".join(map(json.dumps, ARC)))
    (tmp_path / "arc.yaml").write_text(
        "name: arc\nkind: multiple_choice\ndata: arc.jsonl\nchoices: {column: choices}\nanswer: key.is\n"
    )
    assert set(load_file(tmp_path / "arc.yaml").examples[0].fields) == {"q"}


NOTES = """\
name: notes
kind: summarization
data: notes.jsonl
answer: {columns: [short, others]}
"""
NOTE_ROWS = [
    {"text": "Long one.", "short": "One.", "others": ["1.", "First."]},
    {"text": "Long two.", "short": "", "others": ["Two."]},
    {"text": "Long three.", "short": 3, "others": []},
]


def notes(folder: Path, rows: list[dict[str, Any]] = NOTE_ROWS, content: str = NOTES) -> Task:
    return load(folder, content, "\n".join(map(json.dumps, rows)), name="notes.jsonl")


def test_free_text_has_references_from_columns_and_lists_and_no_options(tmp_path: Path) -> None:
    task = notes(tmp_path)
    assert task.kind is Kind.SUMMARIZATION
    assert [example.references for example in task.examples] == [("One.", "1.", "First."), ("Two.",), ("3",)]
    assert dict(task.examples[0].fields) == {"text": "Long one."}
    assert {(example.choices, example.option_scores) for example in task.examples} == {((), ())}


@pytest.mark.parametrize("kind", ["summarization", "translation", "free_text"])
@pytest.mark.parametrize("answer", ["others", "{column: others}"])
def test_free_text_kinds_take_one_column_in_both_forms(tmp_path: Path, kind: str, answer: str) -> None:
    content = NOTES.replace("summarization", kind).replace("{columns: [short, others]}", answer)
    task = notes(tmp_path, NOTE_ROWS[:2], content + "demonstrations: {first: 1}\n")
    assert (task.kind, task.examples[0].references) == (Kind(kind), ("Two.",))
    assert task.demonstrations[0].references == ("1.", "First.")
    assert "short" in task.examples[0].fields


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "t", "short": "", "others": []}, r"notes.jsonl:2, short, others: the row has no reference text"),
        ({"text": "t", "short": "a", "others": ["b", " "]}, r"notes.jsonl:2, others: a reference in the list is empty"),
        ({"text": "t", "short": {"a": 1}, "others": []}, r"notes.jsonl:2, short: a reference is not text .*a list of"),
        ({"text": "t", "short": "a", "others": [["b"]]}, r"notes.jsonl:2, others: a reference is not text"),
    ],
)
def test_a_reference_that_is_no_text_is_an_error_with_its_line(
    tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    with pytest.raises(PhraseproofError, match=message):
        notes(tmp_path, [NOTE_ROWS[0], row])


def test_as_is_for_answers_that_name_options(tmp_path: Path) -> None:
    content = NOTES.replace("{columns: [short, others]}", "{column: short, as: text}")
    with pytest.raises(
        PhraseproofError, match=r"tickets.yaml:4, answer.as: the answers of a summarization task are te"
    ):
        notes(tmp_path, content=content)


def test_the_schema_wants_options_exactly_for_kinds_that_have_some() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    base = {"name": "a", "data": "a.csv", "answer": "b"}
    fits = {
        (kind.value, bool(extra)): validator.is_valid({**base, "kind": kind.value, **extra})
        for kind in Kind
        for extra in ({}, {"choices": ["x", "y"]})
    }
    assert fits == {(kind.value, given): kind.has_options == given for kind in Kind for given in (False, True)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.csv", "text,label\na,b\n"),
        ("d.jsonl", '{"a": 1}\n{"a": 2}\n'),
        ("d.json", ' [{"a": 1}]'),
        ("d.parquet", "PAR1"),
    ],
)
def test_data_in_place_of_a_task_is_refused_by_what_it_is(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PhraseproofError) as refusal:
        load_file(path)
    assert str(refusal.value) == (
        f"{path}: data, not a task (expected a YAML file that names the data, and its columns of fields and answers). "
        "docs/tasks.md shows one"
    )
    (tmp_path / "d.yaml").write_text(TICKETS, encoding="utf-8")
    with pytest.raises(PhraseproofError, match=r"Did you mean '.*d\.yaml'\?"):
        load_file(path)
