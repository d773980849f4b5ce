"""Chat templates write prompts that are the same every day, and that end where the answer begins."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import ChatMessage
from phraseproof.errors import ModelError, UsageError
from phraseproof.models.huggingface.chat_template import DEFAULT_DATE, ChatTemplate
from phraseproof.models.options import ModelOptions
from support import tiny_models

TURNS = "{% for m in messages %}{{ m.role }}={{ m.content | trim }};{% endfor %}"
TEMPLATE = TURNS + "{% if add_generation_prompt %}answer={% endif %}"
DATED = "{% set today = strftime_now('%d %b %Y') if strftime_now is defined else '?' %}Today: {{ today }}\n" + TEMPLATE
QUESTION = [ChatMessage("user", "2+2?")]


def chat(template: object, **options: Any) -> ChatTemplate:
    tokenizer = tiny_models.llama_tokenizer()
    tokenizer.chat_template = template
    return ChatTemplate(tokenizer, ModelOptions(**options), model="tiny")


def test_the_text_ends_where_the_answer_begins() -> None:
    messages = [ChatMessage("user", "2+2?"), ChatMessage("assistant", "4"), ChatMessage("user", "3+3?")]
    assert chat(TEMPLATE).format(messages) == "user=2+2?;assistant=4;user=3+3?;answer="
    assert chat(TEMPLATE).settings == {}


def test_a_model_without_a_template_is_named() -> None:
    assert not chat(None).exists
    with pytest.raises(ModelError, match="'tiny' has no chat template"):
        chat(None).format(QUESTION)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("'%d %b %Y'", "26 Jul 2024"),
        ('"%Y-%m-%d"', "2024-07-26"),
        ("'%d %B %Y, %H:%M:%S'", "26 July 2024, 00:00:00"),
        ('"%B %-d, %Y"', "July 26, 2024"),
        ("'it\\'s %A'", "it's Friday"),
    ],
)
def test_the_clock_stands_still(form: str, expected: str) -> None:
    clock = chat("{{ strftime_now(" + form + ") }}|" + TEMPLATE)
    assert clock.format(QUESTION) == f"{expected}|user=2+2?;answer="
    assert clock.settings == {"chat_date": DEFAULT_DATE}


def test_a_date_can_be_given_and_is_part_of_the_identity() -> None:
    given = chat(DATED, chat_date="2026-02-03")
    assert given.format(QUESTION).startswith("Today: 03 Feb 2026\n")
    assert given.settings == {"chat_date": "2026-02-03"}
    assert chat(DATED, chat_date="2026-02-03T04:05").settings == {"chat_date": "2026-02-03T04:05:00"}
    with pytest.raises(UsageError, match=r"not a date.*tomorrow"):
        chat(DATED, chat_date="tomorrow")


def test_the_date_is_what_the_templates_own_clock_would_print() -> None:
    tokenizer = tiny_models.llama_tokenizer()
    tokenizer.chat_template = DATED
    today = datetime.datetime.now().astimezone().date().isoformat()
    plain = tokenizer.apply_chat_template([QUESTION[0]._asdict()], tokenize=False, add_generation_prompt=True)
    assert chat(DATED, chat_date=today).format(QUESTION) == plain


def test_a_template_without_a_clock_keeps_its_first_line_end() -> None:
    for start in ("\n", "  ", "\n\n "):
        template = start + "{{ strftime_now('%Y') }}" + TEMPLATE
        tokenizer = tiny_models.llama_tokenizer()
        tokenizer.chat_template = template.replace("strftime_now('%Y')", "'2024'")
        plain = tokenizer.apply_chat_template([QUESTION[0]._asdict()], tokenize=False, add_generation_prompt=True)
        assert chat(template).format(QUESTION) == plain


@pytest.mark.parametrize("random", ["{{ ['a', 'b'] | random }}", "{{ lipsum(1) }}"])
def test_random_numbers_are_refused(random: str) -> None:
    with pytest.raises(ModelError, match="draws random numbers"):
        chat(random + TEMPLATE)


def test_arguments_reach_the_template_and_the_identity() -> None:
    template = "{{ persona }}{{ 'deep' if effort > 3 }};" + TEMPLATE
    given = chat(template, chat_template_args={"persona": "clerk", "effort": 5})
    assert given.format(QUESTION) == "clerkdeep;user=2+2?;answer="
    assert given.settings == {"chat_template_args": '{"effort": 5, "persona": "clerk"}'}
    with pytest.raises(UsageError, match="'messages' is not an argument"):
        chat(template, chat_template_args={"messages": "x"})


def test_a_file_replaces_the_template(tmp_path: Path) -> None:
    file = tmp_path / "mine.jinja"
    file.write_text("<{{ messages[0].content }}>", encoding="utf-8")
    given = chat(None, chat_template=file)
    assert given.exists
    assert given.format(QUESTION) == "<2+2?>"
    first = given.settings["chat_template"]
    file.write_text("[{{ messages[0].content }}]", encoding="utf-8")
    assert chat(None, chat_template=file).settings["chat_template"] != first
    file.write_text(" \n", encoding="utf-8")
    with pytest.raises(UsageError, match="is empty"):
        chat(None, chat_template=file)
    with pytest.raises(UsageError, match="cannot read the chat template"):
        chat(None, chat_template=tmp_path / "none.jinja")


def test_of_several_templates_the_default_is_taken_or_one_is_asked_for() -> None:
    assert chat({"default": TEMPLATE, "tool_use": "x"}).format(QUESTION) == "user=2+2?;answer="
    with pytest.raises(ModelError, match=r"several chat templates.*rag, tool_use.*--chat-template"):
        chat({"rag": TEMPLATE, "tool_use": "x"})


HYBRID = TEMPLATE + "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>{% endif %}"
ON_BY_DEFAULT = (
    "{% set thinks = enable_thinking | default(true) %}{{ '/think ' if thinks else '/no_think ' }}"
    + TEMPLATE
    + "{{ '' if thinks else '<think></think>' }}"
)
OFF_BY_DEFAULT = TEMPLATE + "{{ '<think>' if thinking is defined and thinking else '</think>' }}"


@pytest.mark.parametrize("template", [HYBRID, ON_BY_DEFAULT])
def test_thinking_must_be_chosen(template: str) -> None:
    with pytest.raises(ModelError, match="--chat-template-arg enable_thinking=false"):
        chat(template).require_answer_position()
    for chosen in (False, True):
        chat(template, chat_template_args={"enable_thinking": chosen}).require_answer_position()


@pytest.mark.parametrize("template", [TEMPLATE, OFF_BY_DEFAULT, DATED])
def test_a_template_that_does_not_think_by_itself_is_taken(template: str) -> None:
    chat(template).require_answer_position()


def test_what_a_template_leaves_out_is_refused() -> None:
    no_system = "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}{% endif %}{% endfor %}"
    with pytest.raises(ModelError, match="leaves out the system message"):
        chat(no_system).format([ChatMessage("system", "Be brief."), *QUESTION])
    refuses = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TEMPLATE
    with pytest.raises(ModelError, match=r"cannot render.*no system role.*leave it out"):
        chat(refuses).format([ChatMessage("system", "Be brief."), *QUESTION])


def test_a_template_that_calls_itself_is_refused() -> None:
    with pytest.raises(ModelError, match="without end"):
        chat("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}").format(QUESTION)
