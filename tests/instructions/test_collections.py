"""Collections: what their files say, where they are found, whom they serve, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction, Kind, Relation, Task
from phraseproof.errors import FileError, InstructionError, PhraseproofError, UsageError
from phraseproof.instructions import collections
from phraseproof.instructions.collections import instructions_for, load_collection, shipped_collections
from phraseproof.instructions.template import check_against, compile_instruction

FULL = """\
name: mine
for: [multi_class, tickets]
relation: unobserved
author: Ada
licence: CC0-1.0
instructions:
  - id: one
    ask: "Which team? {{ choices | join(', ') }}"
    layout: "{{ message }}"
    order: ask-last
    separator: "\\n"
    answer_prefix: ""
    answer: text
  - id: two
    for: binary
    relation: paraphrase
    author: Grace
    source: a workshop
    template: |
      {{ message }}
      {{ choices | enumerate }}
"""


def write(folder: Path, text: str | bytes, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def one(folder: Path, **entry: Any) -> Instruction:
    """The one wording of a file with this entry."""
    entry = {"id": "w", "template": "{{ question }}"} | entry
    path = write(folder, yaml.safe_dump({"name": "mine", "instructions": [entry]}))
    return load_collection(str(path)).instructions[0]


def test_a_file_says_everything_about_its_wordings(tmp_path: Path) -> None:
    path = write(tmp_path, FULL)
    loaded = load_collection(str(path))
    assert loaded.name == "mine"
    assert loaded.path == path
    first, second = loaded.instructions
    assert first == Instruction(
        id="one",
        collection="mine",
        ask="Which team? {{ choices | join(', ') }}",
        layout="{{ message }}",
        ask_last=True,
        separator="\n",
        target_delimiter="",
        answer="{{ choice }}",
        serves=("multi_class", "tickets"),
        relation=Relation.UNOBSERVED,
        author="Ada",
        licence="CC0-1.0",
    )
    assert first.name == "mine/one"
    assert first.origin == f"{path}:7"
    assert second == Instruction(
        id="two",
        collection="mine",
        template="{{ message }}\n{{ choices | enumerate }}\n",
        answer="{{ letter }}",
        serves=("binary",),
        relation=Relation.PARAPHRASE,
        author="Grace",
        source="a workshop",
        licence="CC0-1.0",
    )


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        ("{{ question }} {{ choices | join }}", "{{ choice }}"),
        ("{{ choices | enumerate('- {choice}') }}", "{{ choice }}"),
        ("{{ choices | enumerate }}", "{{ letter }}"),
        ("{{ choices | enumerate('{letter}) {choice}') }} one of {{ letters | join }}", "{{ letter }}"),
        ("{{ letters[0] }} {{ choices[0] }}", "{{ letter }}"),
        ("{{ choices | enumerate('{lower}) {choice}') }}", "{{ letter | lower }}"),
        ("{{ choices | enumerate('{number}) {choice}') }}", "{{ index + 1 }}"),
    ],
)
def test_where_no_answer_is_given_options_are_answered_as_the_prompt_labels_them(
    tmp_path: Path, template: str, answer: str
) -> None:
    assert one(tmp_path, template=template).answer == answer
    assert one(tmp_path, template=template, answer="{{ index }}").answer == "{{ index }}"


EXAMPLE = Example("e", {"question": "?"}, ("yes", "no"), (1.0, 0.0))


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        ("letter", ("A", "B")),
        ("text", ("yes", "no")),
        (["Ja", "Nein"], ("Ja", "Nein")),
        ({"no": "Nein", "yes": "Ja"}, ("Ja", "Nein")),
        ("{{ letter }}) {{ choice }}", ("A) yes", "B) no")),
        ("{% if index %}second{% else %}first{% endif %}", ("first", "second")),
        ({"yes": "{{ x }}", "no": '{"a": "b"}}'}, ("{{ x }}", '{"a": "b"}}')),
    ],
)
def test_answers_are_letters_texts_lists_mappings_or_templates(tmp_path: Path, answer: Any, written: Any) -> None:
    assert compile_instruction(one(tmp_path, answer=answer)).render_answers(EXAMPLE) == written


yaml_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.dictionaries(yaml_text, yaml_text, min_size=2, max_size=4), yaml_text)
def test_any_text_survives_the_file(tmp_path: Path, mapping: dict[str, str], text: str) -> None:
    example = Example("e", {"question": text}, tuple(mapping), tuple(0.0 for _ in mapping))
    if len(set(mapping.values())) == len(mapping):
        for answer in (dict(mapping), list(mapping.values())):
            compiled = compile_instruction(one(tmp_path, answer=answer, source=text, author=text))
            assert compiled.render_answers(example) == tuple(mapping.values())
            assert compiled.render_template(example) == text
            assert compiled.instruction.source == compiled.instruction.author == text


def test_verbalisers_that_do_not_fit_a_task_are_found_before_a_run(tmp_path: Path) -> None:
    task = Task("t", Kind.BINARY, "t", (EXAMPLE, replace(EXAMPLE, id="f", choices=("yes", "maybe"))))
    check_against(one(tmp_path, answer=["Ja", "Nein"]), task)
    with pytest.raises(InstructionError, match="no answer for the choice 'maybe'"):
        check_against(one(tmp_path, answer={"yes": "Ja", "no": "Nein"}), task)
    with pytest.raises(InstructionError, match="3 answers are given for 2 choices"):
        check_against(one(tmp_path, answer=["a", "b", "c"]), task)


# --------------------------------------------------------------------------------------------- what is wrong with them


def entry(text: str) -> str:
    return f"name: mine\ninstructions:\n  - id: w\n{text}"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "mine.yaml: ", "the file is empty"),
        ("- a\n- b\n", "mine.yaml:1", ""),
        ("name: [\n", "mine.yaml:2", "not valid YAML"),
        ("name: mine\nname: yours\n", "mine.yaml:2", "given twice"),
        ("name: mine\n", "mine.yaml:1", "'instructions' is missing"),
        ("instructions: []\n", "mine.yaml:1", "'name' is missing"),
        ("name: mine\ninstructions: []\n", "mine.yaml:2", "holds no wordings"),
        ("name: mine\nautor: me\ninstructions: []\n", "mine.yaml:2", "unknown field 'autor'"),
        ("name: a/b\ninstructions:\n  - {id: w, ask: a}\n", "mine.yaml:1", "no slash"),
        ("name: task_designer\ninstructions:\n  - {id: w, ask: a}\n", "mine.yaml:1", "reserved for"),
        ("name: 7\ninstructions: []\n", "mine.yaml:1", "reads this as a number; put it in quotes"),
        ("name: mine\nfor: 3\ninstructions:\n  - {id: w, ask: a}\n", "mine.yaml:2, for", "does not name what"),
        (entry("    template: a\n  - id: w\n    template: b\n"), "mine.yaml:5, id", "'w' is used twice"),
        (entry("    template: a\n    ask: b\n"), "mine.yaml:4, template", "not both"),
        (entry("    author: b\n"), "mine.yaml:3", "neither ask nor template"),
        (entry("    layout: b\n"), "mine.yaml:3", "A layout alone asks nothing"),
        (entry("    template: a\n    layout: b\n"), "mine.yaml:5, layout", "a layout goes with an ask"),
        (entry("    template: a\n    order: ask-last\n"), "mine.yaml:5, order", "requires both an ask and a layout"),
        (entry("    ask: a\n    separator: x\n"), "mine.yaml:5, separator", "requires both an ask and a layout"),
        (entry("    ask: a\n    layout: b\n    order: last\n"), "mine.yaml:6", "ask-first"),
        (entry("    template: ' '\n"), "mine.yaml:4, template", "the template is empty"),
        (entry("    template: yes\n"), "mine.yaml:4", "put it in quotes"),
        (entry("    template: a\n    relation: cousin\n"), "mine.yaml:5", "observed"),
        (entry("    template: a\n    answer: leter\n"), "mine.yaml:5, answer", "letter, text, a list"),
        (entry("    template: a\n    answer: [yes, no]\n"), "mine.yaml:5, answer.0", "put it in quotes"),
        (entry("    template: a\n    answer: {yes: 'a'}\n"), "mine.yaml:5, answer.True", "put it in quotes"),
        (entry("    template: a\n    answer: [a, ' ']\n"), "mine.yaml:5, answer.1", "not empty"),
        (entry("    template: a\n    answer: [[a], b]\n"), "mine.yaml:5, answer.0", "must be a text"),
        (entry("    template: a\n    answer: []\n"), "mine.yaml:5, answer", "letter, text, a list"),
        (entry("    template: a\n    answers: text\n"), "mine.yaml:5", "unknown field 'answers'"),
        (entry("    template: '{{ question'\n"), "mine.yaml:3, template", "unexpected end of template"),
        (entry("    ask: a\n    layout: '{{ a | b }}'\n"), "mine.yaml:3, layout", "no filter named 'b'"),
        (entry("    ask: '{{ a.__class__ }}'\n"), "mine.yaml:3, ask", "forbidden"),
        (entry("    ask: a\n    answer: '{{ % }}'\n"), "mine.yaml:3, answer", "not a valid template"),
        (
            entry("    template: \"{{ choices | enumerate('{letter}{number}{choice}') }}\"\n"),
            "mine.yaml:3",
            "labelled by letter and number",
        ),
        (entry("    template: a\n") + "  - id: 'a\\nb'\n    template: b\n", "mine.yaml:", ""),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(tmp_path: Path, text: str, place: str, problem: str) -> None:
    path = write(tmp_path, text)
    if "a\\nb" in text:
        path.write_text(text.replace("'a\\nb'", '"a\\nb"'), encoding="utf-8")
    with pytest.raises(PhraseproofError) as caught:
        load_collection(str(path))
    assert str(caught.value).startswith(f"{tmp_path}/{place}")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "name: mine\nauthor: Zoë\n".encode("latin-1"))
    with pytest.raises(FileError, match=r"mine\.yaml:2: not UTF-8"):
        load_collection(str(path))


def test_a_missing_file_is_not_taken_for_a_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        load_collection(str(tmp_path / "gone.yaml"))
    with pytest.raises(FileError, match="no such file"):
        load_collection(str(tmp_path / "gone"))


# ------------------------------------------------------------------------------------------------ where they are found


def test_a_file_named_without_its_ending_is_suggested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, FULL).rename(tmp_path / "prompt.yaml")
    with pytest.raises(UsageError, match=r"is called 'prompt'.*Did you mean 'prompt\.yaml'\?"):
        load_collection("prompt")


def test_an_unknown_name_says_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        load_collection("compsed")
    assert "Did you mean 'composed'?" in str(caught.value)
    assert "task_designer" in str(caught.value)


def test_a_folder_of_files_is_one_collection(tmp_path: Path) -> None:
    write(tmp_path, "name: two\ninstructions:\n  - {id: b, ask: b}\n", "b.yaml")
    write(tmp_path, "name: two\ninstructions:\n  - {id: a, ask: a}\n", "a.yml")
    write(tmp_path, "not a collection", "notes.txt")
    assert [wording.id for wording in load_collection(str(tmp_path)).instructions] == ["a", "b"]
    path = write(tmp_path, "name: two\ninstructions:\n  - {id: a, ask: again}\n", "c.yaml")
    with pytest.raises(FileError, match="'a' is used twice"):
        load_collection(str(tmp_path))
    path.write_text("name: three\ninstructions:\n  - {id: c, ask: c}\n", encoding="utf-8")
    with pytest.raises(FileError, match="two collections, 'two' and 'three'"):
        load_collection(str(tmp_path))


def test_an_empty_folder_is_no_collection(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="holds no YAML file"):
        load_collection(str(tmp_path))


def test_installed_packages_can_bring_collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "WORDINGS = __file__.replace('their_package.py', 'theirs.yaml')\n", "their_package.py")
    write(tmp_path, "name: theirs\ninstructions:\n  - {id: a, ask: a}\n", "theirs.yaml")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = [
        EntryPoint("theirs", "their_package:WORDINGS", collections.ENTRY_POINTS),
        EntryPoint("broken", "their_package:NOTHING", collections.ENTRY_POINTS),
    ]
    monkeypatch.setattr(collections, "entry_points", lambda group: EntryPoints(found).select(group=group))
    shipped = shipped_collections()
    assert shipped == sorted(shipped)
    assert {"broken", "composed", "theirs"} <= set(shipped)
    assert load_collection("theirs").instructions[0].name == "theirs/a"
    with pytest.raises(InstructionError, match="'broken' cannot be found"):
        load_collection("broken")


# ----------------------------------------------------------------------------------------------------- whom they serve


def serving(*names: str) -> Instruction:
    return Instruction(id="-".join(names) or "any", collection="c", ask="a", serves=names)


@pytest.mark.parametrize(
    ("task", "served"),
    [
        ("mmlu", ["any", "mmlu", "multiple_choice", "BBL-QA-mmlu"]),
        ("mmlu/anatomy", ["any", "mmlu", "mmlu/anatomy", "multiple_choice", "BBL-QA-mmlu"]),
        ("bbl/x/y", ["any", "bbl/x", "multiple_choice"]),
        ("bbl/xx", ["any", "multiple_choice"]),
    ],
)
def test_wordings_serve_tasks_parents_categories_and_kinds(task: str, served: list[str]) -> None:
    wordings = [
        *(serving(), serving("mmlu"), serving("mmlu/anatomy"), serving("bbl/x")),
        *(serving("multiple_choice"), serving("BBL-QA", "mmlu"), serving("binary")),
    ]
    made = Task(task, Kind.MULTIPLE_CHOICE, "other", (EXAMPLE,))
    found = instructions_for(collections.Collection("c", tuple(wordings)), made)
    assert [wording.id for wording in found] == served
    categorised = replace(made, category="BBL-QA")
    assert serving("BBL-QA", "mmlu") in instructions_for(collections.Collection("c", tuple(wordings)), categorised)


def test_the_task_designers_wordings_come_from_the_task() -> None:
    designers = serving("anything")
    task = Task("t", Kind.BINARY, "t", (EXAMPLE,), instructions=(designers,))
    assert instructions_for(load_collection("task_designer"), task) == (designers,)


# ------------------------------------------------------------------------------------------------------ what is shipped

CHOICES = {
    Kind.MULTIPLE_CHOICE: [("Venus", "Mars"), ("a b", "c", "d", "e", "f"), tuple(f"option {i}" for i in range(12))],
    Kind.BINARY: [("Yes", "No"), ("correct", "not correct")],
    Kind.MULTI_CLASS: [("billing", "bug", "praise"), tuple(f"label {i}" for i in range(11))],
}


@pytest.mark.parametrize("kind", list(CHOICES))
def test_the_composed_wordings_serve_every_task_of_their_kind(kind: Kind) -> None:
    examples = tuple(
        Example(f"e{i}", {"question": f"Question {i}: {{{{ 1 }}}}?"}, choices, (1.0, *(0.0 for _ in choices[1:])))
        for i, choices in enumerate(CHOICES[kind])
    )
    task = Task("any", kind, "any", examples)
    wordings = instructions_for(load_collection("composed"), task)
    assert len(wordings) >= 12
    texts: set[str] = set()
    for wording in wordings:
        check_against(wording, task)
        compiled = compile_instruction(wording)
        assert compiled.fields == {"question"}
        assert (wording.author, wording.licence) == ("phraseproof", "Apache-2.0")
        for example in examples:
            parts = (
                [compiled.render_template(example)]
                if wording.template
                else [compiled.render_ask(example), compiled.render_layout(example)]
            )
            text = "\n".join(parts)
            assert example.fields["question"] in parts[-1]
            assert text == text.strip()
            assert len(set(compiled.render_answers(example))) == len(example.choices)
            texts.add(text)
    assert len(texts) == len(wordings) * len(examples)


def test_every_shipped_collection_loads() -> None:
    assert "composed" in shipped_collections()
    for name in shipped_collections():
        assert load_collection(name).name == name
