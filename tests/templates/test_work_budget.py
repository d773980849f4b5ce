"""A rendering does a bounded amount of work, wherever the template hides it."""

from __future__ import annotations

import pytest
from jinja2.exceptions import SecurityError

from phraseproof.core import Example, Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.template import compile_instruction
from phraseproof.templates.work_budget import MAX_WORK, PER_ITEM, charge, limited, renew, size

EXAMPLE = Example("e", {"question": "What?"}, ("yes", "no"), (1.0, 0.0))


def render(template: str) -> str:
    return compile_instruction(Instruction("i", "c", template=template)).render_template(EXAMPLE)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(1000) %}{% for b in range(1000) %}{% set x = ('a'*90000) | upper %}{% endfor %}{% endfor %}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% set x = ('a'*90000).upper() %}{% endfor %}{% endfor %}",
        "{% set x = 'a' * 90000 %}{% for a in range(1000) %}{% if x == x ~ '' %}{% endif %}{% endfor %}",
        "{% for a in range(1000) %}{{ (range(1000) | list)[:999] | length }}{% endfor %}",
    ],
)
def test_loops_in_loops_end_with_one_line(template: str) -> None:
    # Without the budget these run for minutes or hours.
    with pytest.raises(InstructionError, match="more than 10000000 steps of work"):
        render(template + "{{ question }}")


def test_ordinary_wordings_are_far_from_the_budget() -> None:
    long = Example("e", {"question": "word " * 20_000}, tuple(map(str, range(26))), (1.0, *[0.0] * 25))
    wording = Instruction("i", "c", template="{{ question | trim | upper }}{% for c in choices %}{{ c }}, {% endfor %}")
    compiled = compile_instruction(wording)
    for _ in range(20):  # each rendering has the whole budget
        assert compiled.render_template(long).endswith("25, ")


def test_the_budget_is_of_one_rendering() -> None:
    renew()
    charge(MAX_WORK)
    with pytest.raises(SecurityError, match="steps of work"):
        charge(1)
    renew()
    charge(1)


def test_sizes() -> None:
    assert size("abc") == 3
    assert size(["a", "b"]) == 2 * PER_ITEM
    assert size(7) == 1


def test_a_smaller_budget_holds_within_its_block_only() -> None:
    template = "{% for a in range(1000) %}{{ question | upper }}{% endfor %}"
    whole = render(template)
    with pytest.raises(InstructionError, match="more than 5000 steps of work"), limited(5_000):
        render(template)
    assert render(template) == whole
    with limited(5_000), limited(MAX_WORK), pytest.raises(InstructionError, match="more than 5000 steps"):
        render(template)
