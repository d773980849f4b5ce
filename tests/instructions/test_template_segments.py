"""A template's source, taken apart and put together again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.template import compile_instruction, literal
from phraseproof.instructions.template_segments import own_words_of, prose, segments, source_of

EXAMPLE = Example("e", {"question": "{{ why }}?"}, ("a", "b"), (1.0, 0.0))
CODE = st.sampled_from(['{{ choices | join("}}") }}', "{{ question }}", "{% if question %}yes{% endif %}", "{# no #}"])


def rendered(source: str) -> str:
    return compile_instruction(Instruction("i", "c", ask=source)).render_ask(EXAMPLE)


@given(
    st.lists(st.one_of(CODE, st.text(max_size=20).map(literal), st.just("{% raw %}{{ x }}{% endraw %}")), max_size=6)
)
def test_what_is_put_together_again_renders_the_same(parts: list[str]) -> None:
    source = "".join(parts)
    taken = segments(source)
    assert rendered(source_of(taken)) == rendered(source)
    assert all(not (one.is_prose and other.is_prose) for one, other in pairwise(taken))


def test_pieces_know_what_they_are() -> None:
    taken = segments("Choose {{ x }}{% if y %} now{% endif %}{# quietly #}.")
    assert [segment.kind for segment in taken] == ["prose", "variable", "block", "prose", "block", "comment", "prose"]
    assert taken[1].text == "{{ x }}"
    assert segments("") == []


def test_prose_is_what_a_person_reads() -> None:
    assert prose('One of {{ choices | join(", ") }}\n or {% raw %}{{ x }}{% endraw %}.') == "One of or {{ x }}."


def test_a_wording_says_its_ask_else_its_template_else_its_layout() -> None:
    assert own_words_of(Instruction("i", "c", ask="Choose.", layout="Q: {{ q }}")) == "Choose."
    assert own_words_of(Instruction("i", "c", template="Q: {{ q }}")) == "Q:"
    assert own_words_of(Instruction("i", "c", ask="{{ a }}", layout="Q: {{ q }}")) == "Q:"
    assert own_words_of(Instruction("i", "c", ask="{{ a }}")) == ""


def test_what_is_no_template_is_an_error() -> None:
    with pytest.raises(InstructionError, match="not a valid template"):
        segments("{{ a")
