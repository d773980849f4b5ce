"""The designer's prompt as a wording."""

from __future__ import annotations

import jinja2
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.tasks.bigbench_prompt import PromptFrame, designers_wording, literal

ENVIRONMENT = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False)

text = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("{}%#\\\"'\r\n ab", max_size=30)


@given(text)
def test_literal_text_stays_what_it_is(value: str) -> None:
    assert ENVIRONMENT.from_string(literal(value)).render() == value


@given(task_prefix=text, before=text, after=text, choice=text, question=text, append=st.booleans())
def test_the_prompt_is_prefixes_around_the_input(
    task_prefix: str, before: str, after: str, choice: str, question: str, append: bool
) -> None:
    wording = designers_wording(PromptFrame(task_prefix, before, after, choice, append), "json", "bbl/x", "x")
    template = wording.template if wording.template is not None else f"{wording.ask}{wording.layout}"
    prompt = ENVIRONMENT.from_string(template).render(question=question, choices=["p", "q"])
    listed = f"{choice}p{choice}q" if append else ""
    assert prompt + (wording.target_delimiter or "") == task_prefix + before + question + listed + after
    assert (wording.ask is None) == (task_prefix == "")
    assert wording.separator == ""


def test_the_defaults_are_big_benchs() -> None:
    wording = designers_wording(PromptFrame(), "json", "bbl/x", "x")
    prompt = ENVIRONMENT.from_string(wording.template or "").render(question="Why?", choices=["so", "no"])
    assert prompt == "\nQ: Why?\n  choice: so\n  choice: no\nA:"
    assert (wording.target_delimiter, wording.answer, wording.serves) == (" ", "{{ choice }}", ("bbl/x",))
