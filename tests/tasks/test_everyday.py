"""The everyday tasks: complete, without repeats or leaked labels, and fit for every shipped wording of them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from phraseproof import tasks
from phraseproof.core import Kind
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.similarity import similar_pairs, words
from phraseproof.instructions.template import check_against, compile_instruction
from phraseproof.tasks import catalogue, load_tasks

NAMES = ("tickets", "reviews", "requests", "topics", "feelings", "questions")
FILES = Path(tasks.__file__).parent / "data" / "everyday"
COUNTS = {
    "tickets": {"billing": 34, "bug": 34, "shipping": 31, "account": 30, "praise": 21},
    "reviews": {"positive": 90, "negative": 60},
    "requests": {"yes": 73, "no": 77},
    "topics": dict.fromkeys(("sport", "business", "science", "food", "travel"), 30),
    "feelings": {"happy": 38, "angry": 38, "sad": 37, "afraid": 37},
    "questions": {"person": 38, "place": 38, "date": 37, "number": 37},
}
DEMONSTRATIONS = {"tickets": 15, "reviews": 10, "requests": 10, "topics": 15, "feelings": 12, "questions": 12}
WORDS = {"topics": (6, 20), "feelings": (5, 20), "questions": (5, 20)}
"""Of a text, at least and at most; 8 to 50 in the other tasks."""


def test_the_catalogue_says_what_the_files_say() -> None:
    listed = {each.name: each for each in catalogue() if each.name.startswith("everyday")}
    loaded = load_tasks(["everyday"])
    loaded += load_tasks(["everyday/notes", "everyday/phrases"])
    assert listed.keys() == {"everyday", *(task.name for task in loaded)}
    assert all((listed[task.name].kind, listed[task.name].category) == (task.kind, task.category) for task in loaded)
    assert [(task.name, task.kind) for task in loaded] == [
        ("everyday/tickets", Kind.MULTI_CLASS),
        ("everyday/reviews", Kind.BINARY),
        ("everyday/requests", Kind.BINARY),
        ("everyday/topics", Kind.MULTI_CLASS),
        ("everyday/feelings", Kind.MULTI_CLASS),
        ("everyday/questions", Kind.MULTI_CLASS),
        ("everyday/notes", Kind.SUMMARIZATION),
        ("everyday/phrases", Kind.TRANSLATION),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_the_file_is_an_example_with_its_label(name: str) -> None:
    (task,) = load_tasks([f"everyday/{name}"])
    with (FILES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert [[each.fields["question"], each.choices[each.target]] for each in task.examples] == rows
    assert header[0] == "text"
    assert Counter(label for _, label in rows) == COUNTS[name]
    assert len(task.demonstrations) == DEMONSTRATIONS[name]
    # Every class as often, so that demonstrations favour none.
    assert len(set(Counter(each.target for each in task.demonstrations).values())) == 1
    assert len({each.choices for each in (*task.examples, *task.demonstrations)}) == 1
    # The place of an installed file differs between machines.
    assert task.source == f"everyday/{name}.csv"


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_of_the_tasks_length_and_none_repeats_another(name: str) -> None:
    (task,) = load_tasks([f"everyday/{name}"])
    texts = [str(each.fields["question"]) for each in (*task.examples, *task.demonstrations)]
    least, most = WORDS.get(name, (8, 50))
    assert all(least <= len(text.split()) <= most for text in texts)
    assert max(pair.rouge2 for pair in similar_pairs(texts)) < 0.3


@pytest.mark.parametrize("name", NAMES)
def test_texts_do_not_give_the_label_away(name: str) -> None:
    (task,) = load_tasks([f"everyday/{name}"])
    leaks = [
        each.id
        for each in (*task.examples, *task.demonstrations)
        if each.choices[each.target] in words(str(each.fields["question"]))
    ]
    assert len(leaks) <= (1 if name == "requests" else 0), leaks


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("collection", "count"), [("everyday-observed", 10), ("everyday-unobserved", 8), ("composed", None)]
)
def test_wordings_compile_and_render_on_every_example(name: str, collection: str, count: int | None) -> None:
    (task,) = load_tasks([f"everyday/{name}"])
    wordings = instructions_for(load_collection(collection), task)
    assert len(wordings) == (count or {Kind.MULTI_CLASS: 16, Kind.BINARY: 15}[task.kind])
    for wording in wordings:
        check_against(wording, task)
        compiled = compile_instruction(wording)
        for example in task.examples:
            prompt = build_prompt(compiled, example, demonstrations=(), prompt_format="plain")
            assert str(example.fields["question"]) in prompt.text
            assert len(set(prompt.options)) == len(example.choices)


@pytest.mark.parametrize("name", ["topics", "feelings", "questions"])
@pytest.mark.parametrize(("collection", "numbers", "texts"), [("observed", 3, 4), ("unobserved", 2, 3)])
def test_every_form_of_answer_has_several_wordings(name: str, collection: str, numbers: int, texts: int) -> None:
    (task,) = load_tasks([f"everyday/{name}"])
    forms: Counter[tuple[str, ...]] = Counter()
    for wording in instructions_for(load_collection(f"everyday-{collection}"), task):
        prompt = build_prompt(compile_instruction(wording), task.examples[0], demonstrations=(), prompt_format="plain")
        forms[prompt.options] += 1
    choices = task.examples[0].choices
    letters, digits = tuple("ABCDE"[: len(choices)]), tuple("12345"[: len(choices)])
    assert forms == {letters: 3, digits: numbers, choices: texts}


def test_notes_have_one_sentence_each_that_is_no_copy_of_theirs() -> None:
    (task,) = load_tasks(["everyday/notes"])
    assert (len(task.examples), len(task.demonstrations)) == (60, 6)
    everyone = (*task.examples, *task.demonstrations)
    texts = [str(each.fields["text"]) for each in everyone]
    assert all(80 <= len(text.split()) <= 200 for text in texts)
    assert max(pair.rouge2 for pair in similar_pairs(texts)) < 0.3
    for each, text in zip(everyone, texts, strict=True):
        (reference,) = each.references
        assert re.fullmatch(r"(Mrs\. )?[^.!?]+\.", reference)
        assert 12 <= len(reference.split()) <= 27
        assert reference not in text


def test_phrases_have_english_references_of_their_own() -> None:
    (task,) = load_tasks(["everyday/phrases"])
    assert (len(task.examples), len(task.demonstrations)) == (60, 8)
    everyone = (*task.examples, *task.demonstrations)
    assert {(each.fields["source_language"], each.fields["target_language"]) for each in everyone} == {
        ("French", "English")
    }
    assert all(each.fields.keys() == {"text", "source_language", "target_language"} for each in everyone)
    assert sum(len(each.references) == 2 for each in task.examples) == 56
    texts = [text for each in everyone for text in (str(each.fields["text"]), *each.references)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(("name", "counts"), [("notes", (11, 9, 20)), ("phrases", (5, 5, 10))])
def test_wordings_of_free_text_show_the_text_and_the_languages(name: str, counts: tuple[int, int, int]) -> None:
    (task,) = load_tasks([f"everyday/{name}"])
    for collection, count in zip(("everyday-observed", "everyday-unobserved", "composed"), counts, strict=True):
        wordings = instructions_for(load_collection(collection), task)
        assert len(wordings) == count
        for wording in wordings:
            check_against(wording, task)
            compiled = compile_instruction(wording)
            for example in task.examples:
                prompt = build_prompt(compiled, example, demonstrations=(), prompt_format="plain")
                assert str(example.fields["text"]) in prompt.text
                assert name == "notes" or "English" in prompt.text
                assert not any(reference in prompt.text for reference in example.references)


def test_an_unknown_name_is_refused_with_a_hint() -> None:
    with pytest.raises(UsageError, match="Did you mean 'everyday/tickets'"):
        load_tasks(["everyday/ticket"])
    with pytest.raises(UsageError, match="unknown task 'everyday/'"):
        load_tasks(["everyday/"])
