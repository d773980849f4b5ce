"""Lists of wordings, PromptSuite, Alpaca and the paper's own lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.core import Example, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.importers import ImportRequest, find
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


# -------------------------------------------------------------------------------------------------------------- Alpaca


# --------------------------------------------------------------------------------------------------- the paper's lines
