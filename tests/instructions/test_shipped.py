"""The shipped wordings: enough of them, our own, each fit for its task's real examples."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from phraseproof.core import Example, Instruction, Kind, Relation, Task
from phraseproof.instructions.collections import instructions_for, load_collection, shipped_collections
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.similarity import words
from phraseproof.instructions.statistics import describe
from phraseproof.instructions.template import check_against, compile_instruction
from phraseproof.instructions.template_segments import own_words_of, prose
from phraseproof.tasks import load_tasks
from phraseproof.tasks.bigbench import KNOWN

CLOSER_LOOK = (
    *("conceptual_combinations", "crash_blossom", "empirical_judgments", "epistemic_reasoning"),
    *("intent_recognition", "language_identification", "logical_sequence"),
)
OURS = [name for name in shipped_collections() if name.startswith(("composed", "closer-look-", "everyday-"))]

# Examples in the form of BIG-bench's for the tasks whose files are not beside this checkout; made up.
MADE_UP = {
    "bbq_lite": ("Ann and Bob met at noon. Who was late?", ("Ann", "Bob", "Can't be determined")),
    "logic_grid_puzzle": ("There are 2 houses.\n\nClue(s):\n1. Ann lives in 2.\n\nWhere does Bob live?", ("1", "2")),
    "play_dialog_same_or_different": ("A: Hm.\nB: Ah.\nWere 'Hm.' and 'Ah.' spoken by one?", ("same", "different")),
    "winowhy": (
        "Ann thanked Bob because he helped. The 'he' refers to Bob because he helped.",
        ("correct", "incorrect"),
    ),
    "language_identification": ("Guten Morgen", ("German", "French", "Dutch", *(f"Language {i}" for i in range(8)))),
    "vitaminc_fact_verification": ("Passage: It rained.\nClaim: It was dry.", ("True", "False", "Neither")),
    "logical_sequence": ("Which list is in order?", ("1, 2, 3", "2, 1, 3", "3, 1, 2", "1, 3, 2")),
    "crash_blossom": ("What is 'flies' here? Sentence: Time flies.", ("Noun", "Verb", "Adjective")),
    "epistemic_reasoning": ("Premise: Ann knows it. Hypothesis: It is so.", ("entailment", "non-entailment")),
}


def task_named(name: str, shared_data: Path | None) -> Task:
    if name in MADE_UP:
        question, choices = MADE_UP[name]
        scores = tuple(float(index == 0) for index in range(len(choices)))
        example = Example("0", {"question": question}, choices, scores)
        return Task(f"bbl/{name}", KNOWN[name].kind, "BBL", (example,))
    if shared_data is None:
        pytest.skip("the public research data is not beside this checkout (../shared/data)")
    return load_tasks([f"bbl/{name}"], data_dir=shared_data, warn=lambda _: None)[0]


def check_wordings(wordings: tuple[Instruction, ...], task: Task) -> None:
    """Every prompt shows the example, and all that is scored can be told from it or is a choice's own text."""
    for wording in wordings:
        check_against(wording, task)
        compiled = compile_instruction(wording)
        texts: set[str] = set()
        for example in task.examples[:60]:
            prompt = build_prompt(compiled, example, demonstrations=(), prompt_format="plain")
            assert example.fields["question"] in prompt.text
            assert prompt.text == prompt.text.strip() or prompt.text.strip() in example.fields["question"]
            texts.add(prompt.text)
            if "letter" in wording.answer or "index" in wording.answer:
                assert all(re.search(rf"(?<!\w){re.escape(option)}(?!\w)", prompt.text) for option in prompt.options)
        assert len(texts) > 1 or len(task.examples) == 1 or len({e.fields["question"] for e in task.examples}) == 1


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_of_the_papers_tasks_has_ten_wordings_of_its_own(name: str, request: pytest.FixtureRequest) -> None:
    task = task_named(name, None if name in MADE_UP else request.getfixturevalue("shared_data"))
    wordings = instructions_for(load_collection("composed"), task)
    assert len(wordings) == 10
    assert {each.serves for each in wordings} == {(f"bbl/{name}",)}
    check_wordings(wordings, task)
    # Several ways to ask: with the options and without, and with the ask on either side or inside.
    forms = Counter("template" if each.template else "last" if each.ask_last else "first" for each in wordings)
    assert forms["first"] >= 5
    assert forms["last"] >= 1
    assert forms["template"] >= 2
    silent = [
        each for each in wordings if "choices" not in "".join(filter(None, (each.ask, each.layout, each.template)))
    ]
    assert silent


@pytest.mark.parametrize("name", CLOSER_LOOK)
@pytest.mark.parametrize("relation", ["closest", "incorrect", "negated", "nonsensical"])
def test_the_closer_look_has_a_set_for_each_setting(name: str, relation: str, request: pytest.FixtureRequest) -> None:
    task = task_named(name, None if name in MADE_UP else request.getfixturevalue("shared_data"))
    wordings = instructions_for(load_collection(f"closer-look-{relation}"), task)
    assert len(wordings) == (12 if relation == "nonsensical" else 5)
    assert {each.relation for each in wordings} == {Relation(relation)}
    check_wordings(wordings, task)


def test_the_negated_ones_are_the_closest_ones_with_a_negation() -> None:
    closest = {each.id: each for each in load_collection("closer-look-closest").instructions}
    negated = {each.id: each for each in load_collection("closer-look-negated").instructions}
    assert closest.keys() == negated.keys()
    for name, seed in closest.items():
        other = negated[name]
        assert (other.layout, other.answer, other.serves) == (seed.layout, seed.answer, seed.serves)
        mine, theirs = words(own_words_of(seed)), words(own_words_of(other))
        assert not {"not", "cannot"}.isdisjoint(theirs)
        assert {"not", "cannot"}.isdisjoint(mine)
        assert len(set(theirs) - set(mine)) <= 6, name


def test_asks_of_the_closer_look_are_laid_out_alike_so_that_only_the_ask_differs() -> None:
    layouts: dict[str, set[tuple[str | None, str]]] = {}
    for relation in ("closest", "incorrect", "negated", "nonsensical"):
        for each in load_collection(f"closer-look-{relation}").instructions:
            for name in each.serves:
                kind = KNOWN[name.removeprefix("bbl/")].kind.value if name.startswith("bbl/") else name
                layouts.setdefault("listed" if kind == "multiple_choice" else "plain", set()).add(
                    (each.layout, each.answer)
                )
    assert all(len(found) == 1 for found in layouts.values())


@pytest.mark.parametrize(("kind", "count"), [(Kind.SUMMARIZATION, 20), (Kind.TRANSLATION, 10)])
def test_free_text_wordings_render(kind: Kind, count: int) -> None:
    fields = {"text": "It rained {{ all }} day.", "source_language": "French", "target_language": "German"}
    task = Task("mine", kind, "mine", (Example("0", fields, reference="x"),))
    wordings = instructions_for(load_collection("composed"), task)
    assert len(wordings) == count
    for wording in wordings:
        check_against(wording, task)
        prompt = build_prompt(compile_instruction(wording), task.examples[0], demonstrations=(), prompt_format="plain")
        assert fields["text"] in prompt.text
        assert prompt.options == ()
        assert kind is Kind.SUMMARIZATION or "German" in prompt.text


def test_general_wordings_stand_back_where_a_task_has_its_own() -> None:
    composed = load_collection("composed")
    general = Task("mine", Kind.MULTIPLE_CHOICE, "mine", (Example("0", {"question": "?"}, ("a", "b"), (1.0, 0.0)),))
    assert len(instructions_for(composed, general)) == 20
    assert all(each.fallback for each in instructions_for(composed, general))
    subtask = Task("bbl/logical_deduction/five_objects", Kind.MULTIPLE_CHOICE, "BBL-QA", general.examples)
    assert {each.serves for each in instructions_for(composed, subtask)} == {("bbl/logical_deduction",)}


@pytest.mark.parametrize("name", OURS)
def test_provenance_is_complete(name: str) -> None:
    for each in load_collection(name).instructions:
        assert (each.author, each.licence, each.source) == ("phraseproof", "Apache-2.0", "written for phraseproof")
        assert each.relation is not None


def test_none_says_almost_the_same_as_another() -> None:
    for name in OURS:
        found = describe([load_collection(name)]).near_duplicates
        assert found == (), name


def test_none_is_a_published_wording(shared_data: Path) -> None:
    published: set[str] = set()
    for line in (shared_data / "paper" / "instructions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for part in ("template", "before", "after"):
            published |= {
                normalised(each) for each in re.split(r"\{[a-z_0-9]*\}|\n|### [A-Z]\w+:", row.get(part) or "")
            }
        published.add(normalised(re.sub(r"\{[a-z_0-9]*\}", " ", row.get("template") or row["before"] + row["after"])))
    patterns = json.loads((shared_data / "flan_2021_patterns.json").read_text(encoding="utf-8"))
    for members in patterns.values():
        for pattern, _ in members:
            published |= {normalised(each) for each in re.split(r"\{[a-z_0-9]*\}|\n", pattern)}
    long = {text for text in published if len(text.split()) >= 5}
    assert len(long) > 300
    for name in OURS:
        for each in load_collection(name).instructions:
            for part in (each.ask, each.layout, each.template):
                said = [] if part is None else [prose(part), *prose(part).split(". ")]
                assert not {normalised(text) for text in said} & long, each.name


def normalised(text: str) -> str:
    return " ".join(words(text))
