"""Prompts in every format, with and without demonstrations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import ChatMessage, Example, Instruction, Kind, ModelIdentity, Prompt, Task
from phraseproof.errors import ModelError, TaskError, UsageError
from phraseproof.instructions.render import build_prompt, draw_demonstrations, resolve_format
from phraseproof.instructions.template import compile_instruction


def example(number: int, target: int = 0) -> Example:
    scores = tuple(float(index == target) for index in range(2))
    return Example(f"e{number}", {"question": f"Q{number}?"}, (f"yes{number}", f"no{number}"), scores)


TESTED, FIRST, SECOND = example(0), example(1, 1), example(2)

APART: dict[str, Any] = {
    "ask": "Choose.",
    "layout": "{{ question }} {{ choices | join('/') }}",
    "answer": "{{ choice }}",
}
WHOLE: dict[str, Any] = {"template": "Choose: {{ question }}", "answer": "{{ letter }}"}


@dataclass
class ChatModel:
    """Writes a chat template of its own, and remembers what it was given."""

    has_chat_template: bool = True
    asked: list[Sequence[ChatMessage]] = field(default_factory=list[Sequence[ChatMessage]])

    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity("chatty", "1", "ChatModel")

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        self.asked.append(messages)
        return "<s>" + "".join(f"[{role}]{content}" for role, content in messages) + "[assistant]"


class PlainModel:
    @property
    def identity(self) -> ModelIdentity:
        return ModelIdentity("plain-one", "1", "PlainModel")


def build(fields: dict[str, Any], prompt_format: str = "plain", *demonstrations: Example) -> Prompt:
    compiled = compile_instruction(Instruction(id="w", collection="c", **fields))
    chat = ChatModel() if prompt_format == "chat" else None
    return build_prompt(compiled, TESTED, demonstrations=demonstrations, prompt_format=prompt_format, chat_model=chat)


# --------------------------------------------------------------------------------------------------------------- plain


def test_plain_says_the_ask_then_the_example() -> None:
    assert build(APART) == Prompt("Choose.\n\nQ0? yes0/no0", ("yes0", "no0"), " ")
    assert build(APART | {"separator": " "}).text == "Choose. Q0? yes0/no0"
    assert build(APART | {"ask_last": True}).text == "Q0? yes0/no0\n\nChoose."
    assert build(APART | {"layout": None, "ask": "Is it {{ question }}"}).text == "Is it Q0?"
    assert build(WHOLE) == Prompt("Choose: Q0?", ("A", "B"), " ")


def test_plain_demonstrations_are_solved_and_the_ask_is_said_once() -> None:
    text = build(APART, "plain", FIRST, SECOND).text
    assert text == "Choose.\n\nQ1? yes1/no1 no1\n\nQ2? yes2/no2 yes2\n\nQ0? yes0/no0"
    last = build(APART | {"ask_last": True, "separator": "\n"}, "plain", FIRST, SECOND).text
    assert last == "Q1? yes1/no1 no1\n\nQ2? yes2/no2 yes2\n\nQ0? yes0/no0\nChoose."


def test_a_template_is_repeated_whole() -> None:
    assert build(WHOLE, "plain", FIRST, SECOND).text == "Choose: Q1? B\n\nChoose: Q2? A\n\nChoose: Q0?"
    only_ask = {"ask": "Is it {{ question }}"}
    assert build(only_ask, "plain", FIRST).text == "Is it Q1? B\n\nIs it Q0?"


def test_a_wording_may_set_its_own_joint() -> None:
    prompt = build(APART | {"target_delimiter": "\n-> "}, "plain", FIRST)
    assert prompt.text == "Choose.\n\nQ1? yes1/no1\n-> no1\n\nQ0? yes0/no0"
    assert prompt.target_delimiter == "\n-> "
    for prompt_format in ("alpaca", "chat"):
        assert build(APART | {"target_delimiter": ""}, prompt_format).target_delimiter == ""
        assert build(APART | {"target_delimiter": "x"}, prompt_format).target_delimiter == "x"


def test_a_wording_may_set_what_is_between_examples() -> None:
    own = APART | {"fewshot_delimiter": "\n###\n"}
    text = "Q1? yes1/no1 no1\n###\nQ2? yes2/no2 yes2\n###\nQ0? yes0/no0"
    assert build(own, "plain", FIRST, SECOND).text == f"Choose.\n\n{text}"
    assert f"### Input:\n{text}\n\n### Response:" in build(own, "alpaca", FIRST, SECOND).text
    assert build(own, "chat", FIRST).text == build(APART, "chat", FIRST).text
    assert build(own | {"fewshot_delimiter": ""}, "plain", FIRST).text == "Choose.\n\nQ1? yes1/no1 no1Q0? yes0/no0"


def test_options_may_be_in_the_prompt() -> None:
    parts = {"layout": "{{ question }} {{ choice }}", "continuation": "indeed", "answer": "{{ choice }}"}
    prompt = build({"ask": "Finish.", **parts}, "plain", FIRST)
    shown = f"Q1? {FIRST.choices[FIRST.target]} indeed"
    texts = [f"Finish.\n\n{shown}\n\nQ0? {choice}" for choice in ("yes0", "no0")]
    assert prompt.options == ("yes0", "no0")
    assert [(each.text, each.options) for each in prompt.alternatives] == [(text, ("indeed",)) for text in texts]
    assert prompt.text == max(texts, key=len)
    chat = build({"ask": "Finish.", **parts}, "chat", FIRST)
    assert [each.messages[-1].content for each in chat.alternatives] == ["Q0? yes0", "Q0? no0"]


def test_free_text_is_demonstrated_by_its_reference() -> None:
    compiled = compile_instruction(Instruction(id="w", collection="c", template="Summarize: {{ text }}"))
    shown, tested = Example("a", {"text": "long"}, reference="short"), Example("b", {"text": "longer"})
    prompt = build_prompt(compiled, tested, demonstrations=[shown], prompt_format="plain")
    assert prompt == Prompt("Summarize: long short\n\nSummarize: longer", (), " ")


# -------------------------------------------------------------------------------------------------------------- alpaca

HEAD_WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
)
HEAD_WITHOUT_INPUT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
)


def test_alpaca_puts_ask_and_example_into_their_sections() -> None:
    prompt = build(APART, "alpaca")
    body = "### Instruction:\nChoose.\n\n### Input:\nQ0? yes0/no0\n\n### Response:"
    assert prompt == Prompt(HEAD_WITH_INPUT + body, ("yes0", "no0"), " ")
    assert build(APART | {"ask_last": True}, "alpaca") == prompt


def test_alpaca_without_input_holds_the_whole_template() -> None:
    prompt = build(WHOLE, "alpaca")
    assert prompt.text == HEAD_WITHOUT_INPUT + "### Instruction:\nChoose: Q0?\n\n### Response:"
    assert build({"ask": "Go {{ question }}"}, "alpaca").text.endswith("### Instruction:\nGo Q0?\n\n### Response:")


def test_alpaca_demonstrations_go_into_the_input() -> None:
    text = build(APART, "alpaca", FIRST).text
    assert text.endswith("### Input:\nQ1? yes1/no1 no1\n\nQ0? yes0/no0\n\n### Response:")
    assert text.count("Choose.") == 1
    whole = build(WHOLE, "alpaca", FIRST).text
    assert whole.endswith("### Instruction:\nChoose: Q1? B\n\nChoose: Q0?\n\n### Response:")


def test_braces_in_the_data_do_not_disturb_alpacas_form() -> None:
    odd = Example("o", {"question": "{input} {instruction} {0} }{"}, ("a", "b"), (1.0, 0.0))
    compiled = compile_instruction(Instruction(id="w", collection="c", ask="Say {input}.", layout="{{ question }}"))
    text = build_prompt(compiled, odd, demonstrations=[], prompt_format="alpaca").text
    assert text.endswith("### Instruction:\nSay {input}.\n\n### Input:\n{input} {instruction} {0} }{\n\n### Response:")


def test_alpaca_is_the_published_form(shared_data: Any) -> None:
    """The release's own Alpaca prompts: instruction, then question and options as input."""
    path = shared_data / "paper" / "rendered_prompts.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    row = next(row for row in rows if row["instruction"] == "Alpaca/QA/1" and row["task"] == "Hindu_Knowledge")
    head, _, rest = row["prompt"].partition("### Instruction:\n")
    ask, _, rest = rest.partition("\n\n### Input:\n")
    shown = rest.removesuffix("\n\n### Response:")
    compiled = compile_instruction(Instruction(id="w", collection="c", ask=ask, layout="{{ shown }}"))
    made = build_prompt(compiled, Example("e", {"shown": shown}), demonstrations=[], prompt_format="alpaca")
    assert made.text == row["prompt"]
    assert head == HEAD_WITH_INPUT


# ---------------------------------------------------------------------------------------------------------------- chat


def test_chat_demonstrations_are_earlier_turns() -> None:
    prompt = build(APART, "chat", FIRST, SECOND)
    assert prompt == Prompt(
        "<s>[user]Choose.\n\nQ1? yes1/no1[assistant]no1[user]Q2? yes2/no2[assistant]yes2[user]Q0? yes0/no0[assistant]",
        ("yes0", "no0"),
        "",
        has_special_tokens=True,
    )
    last = build(APART | {"ask_last": True}, "chat", FIRST).text
    assert last == "<s>[user]Q1? yes1/no1[assistant]no1[user]Q0? yes0/no0\n\nChoose.[assistant]"
    assert build(WHOLE, "chat", FIRST).text == "<s>[user]Choose: Q1?[assistant]B[user]Choose: Q0?[assistant]"
    assert build(WHOLE, "chat").text == "<s>[user]Choose: Q0?[assistant]"


@pytest.mark.parametrize(
    ("prompt_format", "end"),
    [
        ("plain", "Q1? yes1/no1 no1\n\nQ0? yes0/no0\n\nThink first."),
        ("alpaca", "### Input:\nQ1? yes1/no1 no1\n\nQ0? yes0/no0\n\nThink first.\n\n### Response:"),
        ("chat", "[assistant]no1[user]Q0? yes0/no0\n\nThink first.[assistant]"),
    ],
)
def test_a_reasoning_is_asked_for_once_at_the_end(prompt_format: str, end: str) -> None:
    def reasoned(fields: dict[str, Any]) -> str:
        compiled = compile_instruction(Instruction(id="w", collection="c", **fields))
        chat = ChatModel() if prompt_format == "chat" else None
        return build_prompt(
            compiled,
            TESTED,
            demonstrations=(FIRST,),
            prompt_format=prompt_format,
            chat_model=chat,
            reasoning="Think first.",
        ).text

    assert reasoned(APART).endswith(end)
    for fields in (APART, APART | {"ask_last": True}, WHOLE):
        text = reasoned(fields)
        assert text.count("Think first.") == 1
        assert text.replace("\n\nThink first.", "") == build(fields, prompt_format, FIRST).text


SYSTEM: dict[str, Any] = APART | {"system": "One of {{ choices | join(' and ') }}."}


def test_the_system_prompt_is_the_first_message_of_a_chat() -> None:
    text = build(SYSTEM, "chat", FIRST).text
    first, rest = (
        "<s>[system]One of yes0 and no0.",
        "[user]Choose.\n\nQ1? yes1/no1[assistant]no1[user]Q0? yes0/no0[assistant]",
    )
    assert text == first + rest


def test_the_system_prompt_is_a_paragraph_where_there_are_no_roles() -> None:
    for prompt_format in ("plain", "alpaca"):
        without, shown = build(APART, prompt_format, FIRST), build(SYSTEM, prompt_format, FIRST)
        assert shown == replace(without, text=f"One of yes0 and no0.\n\n{without.text}")


@dataclass
class ThinkingModel(ChatModel):
    """Ends its prompts in some text."""

    ending: str = ""

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        return super().format_chat(messages) + self.ending


@pytest.mark.parametrize("ending", ["<think>\n", "<thinking>", "[THINK]", "<think>x</think><think>"])
def test_an_opened_thought_before_the_answer_is_refused(ending: str) -> None:
    compiled = compile_instruction(Instruction(id="w", collection="c", **APART))
    with pytest.raises(ModelError, match="opens a block of thoughts before the answer"):
        build_prompt(compiled, TESTED, demonstrations=[], prompt_format="chat", chat_model=ThinkingModel(ending=ending))


@pytest.mark.parametrize("ending", ["<think>\n\n</think>\n\n", "[THINK][/THINK]", "answer:"])
def test_a_closed_thought_is_taken(ending: str) -> None:
    compiled = compile_instruction(
        Instruction(id="w", collection="c", ask="Is <think> a tag?", layout="{{ question }}")
    )
    prompt = build_prompt(
        compiled, TESTED, demonstrations=[], prompt_format="chat", chat_model=ThinkingModel(ending=ending)
    )
    assert prompt.text.endswith(ending)


def test_chat_needs_a_model() -> None:
    compiled = compile_instruction(Instruction(id="w", collection="c", **WHOLE))
    with pytest.raises(UsageError, match="chat template"):
        build_prompt(compiled, TESTED, demonstrations=[], prompt_format="chat")


def test_auto_follows_the_models_own_template() -> None:
    assert resolve_format("auto", ChatModel()) == "chat"
    assert resolve_format("auto", ChatModel(has_chat_template=False)) == "plain"
    assert resolve_format("auto", PlainModel()) == "plain"
    for name in ("plain", "alpaca", "chat"):
        assert resolve_format(name, ChatModel()) == name


@pytest.mark.parametrize("model", [PlainModel(), ChatModel(has_chat_template=False)])
def test_chat_without_a_template_is_refused(model: Any) -> None:
    with pytest.raises(UsageError, match="declares no chat template"):
        resolve_format("chat", model)


def test_an_unknown_format_says_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"one of auto, plain, alpaca, chat.*Did you mean 'alpaca'"):
        resolve_format("alpacca", PlainModel())


# ------------------------------------------------------------------------------------------------------ demonstrations


def task(count: int, demonstrations: int = 0) -> Task:
    pool = tuple(example(number) for number in range(1000, 1000 + demonstrations))
    return Task("t", Kind.BINARY, "t", tuple(example(number) for number in range(count)), pool)


@given(st.integers(2, 12), st.integers(0, 5), st.integers(0, 3))
def test_demonstrations_never_hold_the_tested_example(count: int, shots: int, seed: int) -> None:
    made = task(count)
    for tested in made.examples:
        if shots > count - 1:
            with pytest.raises(TaskError, match="too few examples"):
                draw_demonstrations(made, tested, shots, seed)
            continue
        drawn = draw_demonstrations(made, tested, shots, seed)
        assert len(drawn) == len({each.id for each in drawn}) == shots
        assert tested not in drawn
        assert drawn == draw_demonstrations(made, tested, shots, seed)


def test_examples_equal_in_all_fields_are_passed_over() -> None:
    twin = Example("twin", TESTED.fields, TESTED.choices, TESTED.option_scores)
    made = Task("t", Kind.BINARY, "t", (TESTED, twin, FIRST))
    assert draw_demonstrations(made, TESTED, 1, 0) == (FIRST,)
    with pytest.raises(TaskError, match="at least 2 that differ from the tested one, got 1"):
        draw_demonstrations(made, TESTED, 2, 0)


def test_demonstrations_come_from_their_own_pool_where_there_is_one() -> None:
    made = task(5, demonstrations=4)
    drawn = draw_demonstrations(made, made.examples[0], 4, 7)
    assert sorted(each.id for each in drawn) == ["e1000", "e1001", "e1002", "e1003"]


def test_all_examples_share_one_order_and_fewer_shots_begin_more() -> None:
    made = task(50)
    orders = {tested.id: draw_demonstrations(made, tested, 5, 1) for tested in made.examples}
    common = max(orders.values(), key=lambda order: sum(other == order for other in orders.values()))
    assert sum(order == common for order in orders.values()) == 45
    for tested in made.examples:
        assert draw_demonstrations(made, tested, 3, 1) == orders[tested.id][:3]


def test_the_seed_and_nothing_else_changes_the_draw() -> None:
    made = task(100)
    tested = made.examples[0]
    draws = {tuple(each.id for each in draw_demonstrations(made, tested, 3, seed)) for seed in range(20)}
    assert len(draws) == 20
    shuffled = Task("t", Kind.BINARY, "t", tuple(reversed(made.examples)))
    assert draw_demonstrations(shuffled, tested, 3, 4) == draw_demonstrations(made, tested, 3, 4)
    small = task(11)
    shown = [each.id for seed in range(2000) for each in draw_demonstrations(small, example(0), 1, seed)]
    counts = [shown.count(f"e{number}") for number in range(1, 11)]
    assert sum(counts) == 2000
    assert min(counts) > 130  # 200 expected of each; a fair draw is below 130 once in millions


def test_drawing_reads_no_more_of_the_pool_than_it_shows() -> None:
    read: list[str] = []

    class Watched(dict[str, Any]):
        def __ne__(self, other: object) -> bool:
            read.append(self["question"])
            return dict(self) != dict(cast(Watched, other))

        __hash__ = None  # pyright: ignore[reportAssignmentType]

    examples = tuple(Example(f"e{i}", Watched(question=f"Q{i}"), ("a", "b"), (1.0, 0.0)) for i in range(500))
    made = Task("t", Kind.BINARY, "t", examples)
    for tested in examples:
        draw_demonstrations(made, tested, 3, 0)
    assert len(read) <= 500 * 4


def test_no_shots_draw_nothing() -> None:
    assert draw_demonstrations(task(1), example(0), 0, 0) == ()
