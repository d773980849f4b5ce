from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.importers.parsing.placeholders import names, numbered_segments, to_template
from phraseproof.instructions.template import compile_instruction


def test_names_in_order() -> None:
    assert names("{premise} and {{braces}} and {hypothesis}{premise}") == ["premise", "hypothesis", "premise"]


def test_known_placeholders_and_renamed_fields() -> None:
    written = to_template("{text}\n{options_}", {"options_": "{{ choices | enumerate }}"}, {"text": "body"})
    assert written == "{{ body }}\n{{ choices | enumerate }}"


@given(st.text(max_size=30), st.text(max_size=10))
def test_a_pattern_renders_as_str_format_does(text: str, value: str) -> None:
    pattern = text.replace("{", "{{").replace("}", "}}") + "{field}"
    template = to_template(pattern, {}, {})
    compiled = compile_instruction(Instruction("w", "c", template=template))
    assert compiled.render_template(Example("e", {"field": value})) == pattern.format(field=value)


@pytest.mark.parametrize("pattern", ["{", "a } b", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>3}", "{}", "{choices}"])
def test_what_is_not_the_name_of_a_field_is_refused(pattern: str) -> None:
    with pytest.raises(UnrepresentableError):
        to_template(pattern, {}, {})


def test_places_are_numbered_as_str_format_numbers_them() -> None:
    assert list(numbered_segments("a{}b{}c{name}{0}")) == [("a", 0), ("b", 1), ("c", "name"), ("", 0)]
