from __future__ import annotations

import pytest

from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.importers.parsing.separators import split_at_separator, without_guards


@pytest.mark.parametrize(
    ("source", "prompt", "answer"),
    [
        ("{{ q }} ||| {{ a }}", "{{ q }} ", " {{ a }}"),
        ("{% set x = 1 %}{{ q }}|||{{ x }}", "{% set x = 1 %}{{ q }}", "{% set x = 1 %}{{ x }}"),
        (
            "{% if c %}a|||b{% else %}d|||e{% endif %}",
            "{% if c %}a{% else %}d{% endif %}",
            "{% if c %}b{% else %}e{% endif %}",
        ),
        ("{% if label != -1 %}a|||b{% endif %}", "a", "b"),
        ("{{ '|||' }}|||b", "{{ '|||' }}", "b"),
    ],
)
def test_a_template_is_split_into_prompt_and_answer(source: str, prompt: str, answer: str) -> None:
    halves = split_at_separator(jinja.read(source))
    assert (jinja.write(halves.prompt), jinja.write(halves.answer)) == (prompt, answer)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ q }}", "it has no"),
        ("a|||b|||c", "more than one"),
        ("{% for x in y %}a|||b{% endfor %}", "is in a loop"),
        ("{% if c %}a|||b{% endif %}", "leaves some examples out"),
        ("{% if c %}a|||b{% else %}d{% endif %}", "is in only some branches"),
    ],
)
def test_what_cannot_be_split_is_refused(source: str, reason: str) -> None:
    with pytest.raises(UnrepresentableError, match=reason):
        split_at_separator(jinja.read(source))


def test_guards_are_removed() -> None:
    source = "{% if label >= 0 %}x{% if label > 3 %}y{% endif %}{% endif %}"
    assert jinja.write(without_guards(jinja.read(source))) == "x{% if label > 3 %}y{% endif %}"
