"""Pairs from a task and collections of wordings: their prompts are the ones that an evaluation shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.alignment.pairs import (
    ParaphraseSet,
    TextOrigin,
    load_pairs,
    pairs_from_task,
    save_pairs,
    wording_hashes,
    wording_names,
)
from phraseproof.alignment.pairs.tokens import prompts_of, tokenize_pairs
from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import InstructionError, TaskError, UsageError
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.models import ModelOptions, load_model
from support import tiny_models


def example(number: int, best: int = 0) -> Example:
    scores = tuple(float(index == best) for index in range(2))
    return Example(f"e{number}", {"question": f"Q{number}?"}, (f"yes{number}", f"no{number}"), scores)


TASK = Task("t", Kind.MULTIPLE_CHOICE, "C", tuple(example(number, number % 2) for number in range(6)))


def wording(name: str, **fields: Any) -> Instruction:
    usual: dict[str, Any] = {"ask": f"{name}!", "layout": "{{ question }}", "answer": "{{ choice }}"}
    return Instruction(name, "c", **(fields if "template" in fields else usual | fields))


ONE, TWO, THREE = wording("one"), wording("two"), wording("three")


def test_asks_and_input_stay_apart_where_all_lay_out_alike() -> None:
    (pair, *_) = pairs_from_task(TASK, [ONE], {"one": [TWO, THREE]}, negations={"c/one": [wording("not")]})
    assert pair == ParaphraseSet(
        "one!",
        ("two!", "three!"),
        "Q0?",
        "yes0",
        ("not!",),
        origins=tuple(TextOrigin(f"{name}!", f"c/{name}", f"{name}!") for name in ("one", "two", "three", "not")),
        options=("yes0", "no0"),
        task="t",
        example="e0",
    )
    assert pair.source == "t, example e0, c/one"


def test_else_every_wording_is_a_whole_prompt() -> None:
    other = wording("two", layout="Question: {{ question }}")
    whole = wording("three", template="Three: {{ question }}", answer="{{ choice }}")
    (pair, *_) = pairs_from_task(TASK, [ONE], [other, whole])
    assert pair.input == ""
    assert pair.wordings == ("one!\n\nQ0?", "two!\n\nQuestion: Q0?", "Three: Q0?")
    assert list(wording_hashes([pair]).values()) == ["one!", "two!", "Three: {{ question }}"]


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"separator": " "},
        {"ask_last": True, "separator": "\n"},
        {"target_delimiter": "\n"},
        {"ask": "{{ question }} or {{ choices | first }}", "layout": None},
    ],
)
def test_the_prompts_are_an_evaluations(shape: dict[str, Any]) -> None:
    wordings = [wording(name, **({"ask": f"{name}!"} | shape)) for name in ("one", "two")]
    if shape.get("layout", "") is None:
        wordings[1] = wording("two", template="Two {{ question }}", answer="{{ choice }}")
    pairs = pairs_from_task(TASK, wordings[:1], wordings)
    assert len(pairs) == 6
    for pair, each in zip(pairs, TASK.examples, strict=True):
        for prompt, instruction in zip(prompts_of(pair, prompt_format="plain"), wordings, strict=True):
            compiled = compile_instruction(instruction)
            expected = build_prompt(compiled, each, demonstrations=(), prompt_format="plain")
            assert prompt.text == expected.text
            assert prompt.target_delimiter == expected.target_delimiter
            assert prompt.options == (expected.options[each.target],)


CHAT = "{% for m in messages %}<s>[{{ m.role }}] {{ m.content }}{% endfor %}[answer]"


@pytest.mark.parametrize("prompt_format", ["chat", "plain", "alpaca"])
@pytest.mark.parametrize("has_layout", [True, False])
def test_tokens_of_wordings_with_system_prompts_are_those_of_an_evaluation(
    prompt_format: str, has_layout: bool, tmp_path: Path
) -> None:
    model: Any = load_model(str(tiny_models.tiny_llama(chat_template=CHAT)), ModelOptions(device="cpu"))
    fields = ({"system": "Be brief."}, {"system": "Answer {{ question }}"}, {}, {"system": "Be long."})
    shape: dict[str, Any] = {} if has_layout else {"layout": None}
    asks = [name if has_layout else f"{name} {{{{ question }}}}" for name in ("why", "how", "who", "not")]
    wordings = [wording(ask[:3], ask=ask, **shape, **own) for ask, own in zip(asks, fields, strict=True)]
    made = pairs_from_task(TASK, wordings[:1], wordings[1:3], negations=wordings[3:], limit=2)
    save_pairs(made, tmp_path / "pairs.jsonl")
    pairs = load_pairs(tmp_path / "pairs.jsonl")
    assert pairs == made
    for pair, tokens in zip(pairs, tokenize_pairs(pairs, model, prompt_format=prompt_format), strict=True):
        (each,) = [example for example in TASK.examples if f"example {example.id}," in pair.source]
        prompts = [
            build_prompt(
                compile_instruction(item), each, demonstrations=(), prompt_format=prompt_format, chat_model=model
            )
            for item in wordings
        ]
        scored = model.encode(prompts)
        assert [tokens.reference, *tokens.paraphrases, *tokens.negations] == [one.context for one in scored]
        assert all((*one.options[each.target], 2) == tokens.target for one in scored)
        assert "Be brief." in prompts[0].text
    fewer = pairs[0].only_paraphrases(lambda key: key == pairs[0].wording_key(pairs[0].paraphrases[1]))
    assert fewer is not None
    assert fewer.systems == ("Be brief.", None, "Be long.")


def test_a_set_without_system_prompts_has_the_identity_of_former_releases() -> None:
    (pair, *_) = pairs_from_task(TASK, [ONE], [TWO])
    assert "systems" not in pair.identity()


def test_the_shipped_wordings_make_pairs() -> None:
    found = instructions_for(load_collection("composed"), TASK)
    pairs = pairs_from_task(TASK, found[:1], found, limit=4)
    assert len(pairs) == 4
    assert all(pair.input == "" and pair.paraphrases for pair in pairs), "they lay examples out in many ways"
    assert set(wording_names(pairs)) <= {each.name for each in found}


def test_examples_that_are_scored_stay_unseen_where_there_are_others() -> None:
    task = Task("t", Kind.MULTIPLE_CHOICE, "C", TASK.examples[:2], TASK.examples[2:])
    assert [pair.input for pair in pairs_from_task(task, [ONE], [TWO])] == ["Q2?", "Q3?", "Q4?", "Q5?"]


def test_every_example_meets_every_reference() -> None:
    pairs = pairs_from_task(TASK, [ONE, TWO], [ONE, TWO, THREE])
    assert len(pairs) == 12
    assert pairs[0].wordings == ("one!", "two!", "three!")
    assert pairs[1].wordings == ("two!", "one!", "three!")


def test_the_draw_is_seeded_and_a_smaller_one_is_part_of_a_larger() -> None:
    def drawn(limit: int, seed: int = 0) -> list[ParaphraseSet]:
        return pairs_from_task(TASK, [ONE, TWO], [THREE], limit=limit, seed=seed)

    assert len(drawn(5)) == 5
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(5, seed=1)
    everything = drawn(100)
    assert len(everything) == 12
    indices = [everything.index(pair) for pair in drawn(5)]
    assert indices == sorted(indices)
    assert all(pair in drawn(6) for pair in drawn(5))


def test_free_text_is_the_target_of_generation() -> None:
    task = Task("s", Kind.SUMMARIZATION, "Sum", (Example("a", {"question": "long"}, reference="short"),))
    (pair,) = pairs_from_task(task, [ONE], [TWO])
    assert pair.target == "short"
    task = Task("s", Kind.SUMMARIZATION, "Sum", (Example("a", {"question": "long"}),))
    with pytest.raises(TaskError, match="the example 'a' of task 's' has no answer"):
        pairs_from_task(task, [ONE], [TWO])


LETTER = wording("letter", answer="{{ letter }}")


def test_wordings_for_every_reference_that_answer_otherwise_are_passed_over() -> None:
    pairs = pairs_from_task(TASK, [ONE], [TWO, LETTER, wording("close", target_delimiter="")])
    assert all(pair.paraphrases == ("two!",) for pair in pairs)


def test_wordings_for_one_reference_must_answer_as_it_does() -> None:
    with pytest.raises(
        InstructionError, match=r"'c/letter' writes the answer of example 'e\d' in another way .*got ' [AB]'"
    ):
        pairs_from_task(TASK, [ONE], {"one": [LETTER]})


def test_wordings_that_say_the_same_are_one() -> None:
    again = wording("again", ask="one!")
    (pair, *_) = pairs_from_task(TASK, [ONE], [again, TWO, wording("twice", ask="two!")], negations=[TWO])
    assert pair.wordings == ("one!", "two!")


@pytest.mark.parametrize("paraphrases", [[], [ONE], [LETTER], {}, {"one": []}, {"one": [wording("again", ask="one!")]}])
def test_a_reference_without_any_paraphrase(paraphrases: Any) -> None:
    with pytest.raises(InstructionError, match=r"paraphrase.*'c/one'|'c/one' has no paraphrase"):
        pairs_from_task(TASK, [ONE], paraphrases)


def test_a_reference_without_a_partner_is_left_out_and_counted() -> None:
    """LETTER answers with a letter, and no paraphrase does: the other reference's pairs are all made."""
    lines: list[str] = []
    pairs = pairs_from_task(TASK, [ONE, LETTER], [TWO, THREE], warn=lines.append)
    assert pairs == pairs_from_task(TASK, [ONE], [TWO, THREE])
    (line,) = lines
    assert line.startswith("t: 6 of 12 pairs were left out, because no paraphrase with another text writes the answer")
    assert line.endswith("(by reference: c/letter 6)")
    lines.clear()
    assert len(pairs_from_task(TASK, [ONE], [TWO], warn=lines.append)) == 6
    assert lines == []


def test_a_mapping_may_leave_a_reference_without_paraphrases() -> None:
    lines: list[str] = []
    pairs = pairs_from_task(TASK, [ONE, TWO], {"one": [THREE]}, warn=lines.append)
    assert {pair.instruction for pair in pairs} == {"one!"}
    assert "by reference: c/two 6" in lines[0]


def test_no_reference_with_a_partner_is_an_error_that_counts_them() -> None:
    with pytest.raises(
        InstructionError, match="'c/letter' writes the answer in the same way, nor has any of the 1 oth"
    ):
        pairs_from_task(TASK, [LETTER, wording("b", answer="{{ letter }}.")], [TWO])


def test_what_cannot_be_made() -> None:
    with pytest.raises(UsageError, match="given for 'c/four', which is not a reference"):
        pairs_from_task(TASK, [ONE], {"one": [TWO], "c/four": [TWO]})
    with pytest.raises(UsageError, match="no reference wordings"):
        pairs_from_task(TASK, [], [TWO])
    with pytest.raises(UsageError, match="no examples"):
        pairs_from_task(Task("t", Kind.BINARY, "C", ()), [ONE], [TWO])
    with pytest.raises(UsageError, match="at least 1"):
        pairs_from_task(TASK, [ONE], [TWO], limit=0)
    with pytest.raises(InstructionError, match="needs 'passage'"):
        pairs_from_task(TASK, [ONE], [wording("two", ask="{{ passage }}")])


def test_options_in_the_prompt_are_no_answers_to_train_on() -> None:
    in_prompt = wording("in-prompt", layout="{{ question }} {{ choice }}", continuation="so")
    with pytest.raises(TaskError, match="has no answer to train on"):
        pairs_from_task(TASK, [in_prompt], {"in-prompt": [TWO]})
