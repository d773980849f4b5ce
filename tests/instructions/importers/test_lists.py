"""Lists of wordings, PromptSuite, Alpaca and the paper's own lines."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from phraseproof.core import Example, Relation
from phraseproof.errors import FileError, PhraseproofError
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.importers import ImportRequest, find, write
from phraseproof.instructions.template import compile_instruction

EXAMPLE = Example("e", {"question": "Which?", "text": "Rain."}, ("red", "blue"), (1.0, 0.0))


def table(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --------------------------------------------------------------------------------------------------------------- lists


def test_a_table_of_wordings(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id,template,answer,for,relation,author,licence\n"
        'one,"Is it {text}? Pick: {choices}",text,tickets,unobserved,Ada,CC0-1.0\n'
        'two,"{{ text | upper }}","({{ letter }})","a, b",,,\n',
    )
    one, two = find("list", path).wordings
    assert compile_instruction(one).render_template(EXAMPLE) == "Is it Rain.? Pick: A. red\nB. blue"
    assert (one.name, one.serves, one.author, one.relation) == ("mine/one", ("tickets",), "Ada", Relation.UNOBSERVED)
    assert compile_instruction(two).render_answers(EXAMPLE) == ("(A)", "(B)")
    assert two.serves == ("a", "b")


def test_asks_alone_need_a_layout(tmp_path: Path) -> None:
    path = table(tmp_path, "What colour is it?\n\nName the colour.\n", "asks.txt")
    refused = find("list", path)
    assert not list(refused.wordings)
    assert all("shows nothing of the example" in each.reason for each in refused.refused)
    result = find("list", path, ImportRequest(layout="{text}\n{choices}"))
    assert [each.ask for each in result.wordings] == ["What colour is it?", "Name the colour."]
    assert compile_instruction(next(result.wordings)).render_layout(EXAMPLE) == "Rain.\nA. red\nB. blue"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour,id\nred,1\n", "no column holds wordings"),
        ("ask,id,mood\nx,1,good\n", "unknown column 'mood'"),
        ("ask,id\nx\n", "mine.csv:2: a row has a different number of cells than the header"),
        ("template,id\n{text},1\n{text}!,1\n", "mine.csv:3, id: the id '1' is given twice"),
        ("template,relation\n{text},seen\n", "mine.csv:2, relation: unknown relation 'seen'"),
        ('template\n"{text}', "not a valid table"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_error(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FileError) as caught:
        find("list", table(tmp_path, text))
    assert said in str(caught.value)


def test_json_lists(tmp_path: Path) -> None:
    path = table(tmp_path, json.dumps(["Is {text} so?", {"id": "b", "ask": "Why?", "layout": "{text}"}]), "mine.json")
    assert [each.name for each in find("list", path).wordings] == ["mine/mine-1", "mine/b"]
    for bad in ("{", "{}", "[1]", "[" * 100_000):
        with pytest.raises(FileError):
            find("list", table(tmp_path, bad, "bad.json"))


# --------------------------------------------------------------------------------------------------------- PromptSuite


def test_promptsuite_templates_and_exports(tmp_path: Path) -> None:
    template = {"instruction": "Answer, please.", "prompt format": "Q: {question}\nA: {answer}", "gold": "answer"}
    varied = {
        "instruction variations": "Do answer.",
        "prompt format variations": "Question - {question}\nAnswer - {answer}",
    }
    export = [
        {"prompt": "...", "configuration": {"template_config": template, "field_values": values}}
        for values in ({}, varied, varied | {"question": "another"})
    ]
    path = table(tmp_path, json.dumps(export), "suite.json")
    first, second = find("promptsuite", path).wordings
    assert (first.ask, first.layout) == ("Answer, please.", "Q: {{ question }}\nA:")
    assert (second.ask, second.layout) == ("Do answer.", "Question - {{ question }}\nAnswer -")
    single = find("promptsuite", table(tmp_path, json.dumps(template), "one.json"))
    assert next(single.wordings).layout == "Q: {{ question }}\nA:"
    rows = tmp_path / "suite.csv"
    with rows.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["prompt", *(f"field_{name}" for name in varied)])
        writer.writerow(["...", *varied.values()])
    assert next(find("promptsuite", rows).wordings).layout == "Question - {{ question }}\nAnswer -"
    with pytest.raises(FileError, match="not a PromptSuite file"):
        find("promptsuite", table(tmp_path, "[{}]", "none.json"))


# -------------------------------------------------------------------------------------------------------------- Alpaca


def test_alpaca_instructions_with_an_input_are_wordings(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Name the {odd} one.", "input": "a, b, 3", "output": "3"},
        {"instruction": "Name the {odd} one.", "input": "x, y, 1", "output": "1"},
        {"instruction": "Write a poem.", "input": "", "output": "..."},
        {"instruction": "Write a song.", "input": "<noinput>", "output": "..."},
    ]
    path = table(tmp_path, json.dumps(rows), "alpaca_data.json")
    result = find("alpaca", tmp_path, ImportRequest(fields={"input": "question"}))
    (wording,) = result.wordings
    compiled = compile_instruction(wording)
    assert (compiled.render_ask(EXAMPLE), compiled.render_layout(EXAMPLE)) == ("Name the {odd} one.", "Which?")
    assert wording.source == "Stanford Alpaca, alpaca_data.json, row 1"
    assert [refused.name for refused in result.refused] == ["row 3", "row 4"]
    path.write_text('[{"instruction": 1}]', encoding="utf-8")
    with pytest.raises(FileError, match="row 1"):
        find("alpaca", path)


# --------------------------------------------------------------------------------------------------- the paper's lines


@pytest.mark.slow
def test_every_released_wording_imports_and_survives_its_files(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "paper"
    if not (folder / "instructions.jsonl").exists():
        pytest.skip("the paper's released wordings are not beside this checkout")
    result = find("paper", folder)
    assert not result.refused
    assert len(list(result.wordings)) == 835
    loaded = [each for path in write(result, tmp_path) for each in load_collection(str(path)).instructions]
    assert loaded == list(result.wordings)  # what they render is shown in ../test_published_wordings.py
    counts = {name: sum(each.collection == name for each in loaded) for name in ("flan", "alpaca", "p3")}
    assert counts == {"flan": 368, "alpaca": 162, "p3": 91}


def test_a_line_that_is_no_released_wording_is_one_error(tmp_path: Path) -> None:
    path = table(tmp_path, '{"task": "x"}\n', "instructions.jsonl")
    with pytest.raises(FileError, match=r"instructions.jsonl:1"):
        find("paper", path)


def test_an_unknown_source_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(PhraseproofError, match="Did you mean 'promptsource'"):
        find("promtsource", tmp_path)
