"""Files of pairs: what goes in comes out, and what is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.alignment.pairs import ParaphraseSet, TeacherRecord, TextOrigin, load_pairs, save_pairs
from phraseproof.errors import FileError

GOOD: dict[str, Any] = {"instruction": "Say it.", "paraphrases": ["Tell it."], "input": "x", "target": "y"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
said = texts.filter(lambda text: bool(text.strip()))
origins = st.builds(TextOrigin, texts, texts, texts)
teachers = st.builds(TeacherRecord, said, texts, st.lists(texts, max_size=2).map(tuple), texts, texts)


@st.composite
def pairs(draw: st.DrawFn) -> ParaphraseSet:
    instruction, paraphrases = draw(said), tuple(draw(st.lists(said, min_size=1, max_size=3)))
    negations = tuple(text for text in draw(st.lists(said, max_size=2)) if text not in {instruction, *paraphrases})
    options = tuple(draw(st.lists(said, max_size=3)))
    target = draw(said)
    return ParaphraseSet(
        instruction,
        paraphrases,
        draw(texts),
        target,
        negations,
        draw(st.none() | texts),
        draw(texts),
        draw(st.booleans()),
        tuple(draw(st.lists(origins, max_size=2))),
        draw(texts),
        options=options,
        option_probabilities=(1 / len(options),) * len(options) if draw(st.booleans()) and options else (),
        labelled=draw(st.booleans()),
        teacher=draw(st.none() | teachers),
        task=draw(texts),
        example=draw(texts),
    )


@given(st.lists(pairs(), min_size=1, max_size=4))
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, some: list[ParaphraseSet]) -> None:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    save_pairs(some, path)
    loaded = load_pairs(path)
    assert loaded == some
    assert [pair.source or f"{path}:{line}" for line, pair in enumerate(some, start=1)] == [
        pair.source for pair in loaded
    ]
    assert [file.name for file in path.parent.iterdir()] == ["pairs.jsonl"]


def test_without_a_target_a_pair_is_not_labelled(tmp_path: Path) -> None:
    bare = {key: value for key, value in GOOD.items() if key != "target"}
    path = write(tmp_path / "mine.jsonl", GOOD, bare, {**GOOD, "labelled": False})
    loaded = load_pairs(path)
    assert [(pair.target, pair.labelled) for pair in loaded] == [("y", True), ("", False), ("y", False)]
    save_pairs(loaded, path)
    assert load_pairs(path) == loaded


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_a_users_own_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "mine.jsonl",
        GOOD,
        "",
        {
            **GOOD,
            "negations": ["Say it not."],
            "answer_prefix": "\n",
            "separator": " ",
            "order": "ask-last",
            "input": "",
        },
    )
    first, second = load_pairs(path)
    assert first == ParaphraseSet("Say it.", ("Tell it.",), "x", "y")
    assert first.source == f"{path}:1"
    assert second == ParaphraseSet("Say it.", ("Tell it.",), "", "y", ("Say it not.",), "\n", " ", True)
    assert second.source == f"{path}:3"


def test_the_example_in_the_docs(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "align.md").read_text(encoding="utf-8")
    (pair,) = load_pairs(write(tmp_path / "mine.jsonl", text.split("```json\n")[1].split("\n```")[0]))
    assert len(pair.paraphrases) == 2
    assert pair.target == "billing"


def test_a_json_list_serves_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps([GOOD, GOOD], indent=1))
    assert [pair.source for pair in load_pairs(path)] == [f"{path}:2", f"{path}:10"]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({**GOOD, "paraphrases": []}, ":2, paraphrases: the example has no paraphrase"),
        ({**GOOD, "paraphrases": "Tell it."}, ":2, paraphrases: not a list"),
        ({**GOOD, "paraphrases": ["Tell it.", " "]}, ":2, paraphrases.1: the text is empty"),
        ({**GOOD, "paraphrases": ["Tell it.", 3]}, ":2, paraphrases.1: not text (got 3)"),
        ({**GOOD, "instruction": "\n"}, ":2, instruction: the text is empty"),
        ({**GOOD, "target": ""}, ":2, target: the text is empty"),
        ({**GOOD, "target": 3}, ":2, target: not text"),
        ({**GOOD, "target": None, "labelled": True}, ":2, labelled: a labelled pair has no target"),
        (
            {**GOOD, "options": ["y", "z"], "option_probabilities": [0.5]},
            ":2: the probabilities do not fit the options (expected 2, one for each option, got 1)",
        ),
        (
            {**GOOD, "options": ["y", "z"], "option_probabilities": [0.5, 0.6]},
            ":2: the options' probabilities are not a distribution",
        ),
        ({**GOOD, "teacher": {"model": "m"}}, ":2, teacher.name: the field 'name' is missing"),
        ({**GOOD, "target": "\ud800"}, ":2, target: the text holds a lone surrogate"),
        (
            {**GOOD, "negations": ["Tell it."]},
            ":2, negations: a negation is equal to the instruction or to a paraphrase",
        ),
        ({**GOOD, "order": "last"}, ":2, order: the value should be 'ask-first' or 'ask-last'"),
        (
            {**GOOD, "paraphrase": ["Tell it."]},
            ":2, paraphrase: unknown field 'paraphrase' (got ['Tell it.']). Did you mean 'paraphrases'?",
        ),
        ({key: GOOD[key] for key in GOOD if key != "input"}, ":2, input: the field 'input' is missing"),
        ([GOOD], ":2: a row is not an object"),
        ('{"instruction": "Say it."', ":2: not valid JSON"),
        ('{"target": "a", "target": "b"}', ":2: not valid JSON: a key is given twice"),
        ('{"target": NaN}', ":2: not valid JSON: NaN is not JSON"),
        ("[" * 100_000, ":2: not valid JSON: nested too deeply"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: Any, complaint: str) -> None:
    path = write(tmp_path / "mine.jsonl", GOOD, row)
    with pytest.raises(FileError) as caught:
        load_pairs(path)
    message = str(caught.value)
    assert message.startswith(f"{path}{complaint}")
    assert len(message.splitlines()) <= 2, "one line, and perhaps a hint"


def test_an_unknown_field_comes_with_the_known_ones(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.jsonl", {**GOOD, "output": "y"})
    with pytest.raises(FileError, match="Known fields: instruction, paraphrases, input, target, negations"):
        load_pairs(path)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("none.jsonl", None, "no such data file"),
        ("empty.jsonl", b" \n", "the file is empty"),
        ("latin.jsonl", b'{"target": "\xe9"}\n', "latin.jsonl:1: not UTF-8 text"),
        ("pairs.csv", b"instruction,target\n", "suffix is not one of a pairs file .*expected .jsonl or .json"),
        ("empty.json", b"[]", "the file has no rows"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=complaint):
        load_pairs(tmp_path / name)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    save_pairs([ParaphraseSet("Say it.", ("Tell it.",), "x", "y")], path)
    before = path.read_bytes()
    broken = ParaphraseSet("Say it.", ("Tell it.",), "x", "\ud800")
    with pytest.raises(FileError, match="lone surrogate"):
        save_pairs([broken], path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["pairs.jsonl"]
    with pytest.raises(FileError, match="cannot be written"):
        save_pairs([broken], path / "below" / "a-file.jsonl")
