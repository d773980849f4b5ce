from __future__ import annotations

from typing import Any

import pytest

from phraseproof.core import Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.template import compile_instruction


def wording(template: str, **fields: Any) -> Instruction:
    settings: dict[str, Any] = {"id": "w", "collection": "c", "template": template, "origin": "mine.yaml:7"}
    return Instruction(**settings | fields)


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ question", "unexpected end of template"),
        ("{% if question %}", "unexpected end of template"),
        ("{{ question | shout }}", "no filter named 'shout'. Known filters: abs"),
        ("{{ question is funny }}", "no test named 'funny'"),
        ("{% shout %}", "unknown tag 'shout'"),
        ("{% include 'other' %}", "the statement {% include %} cannot be used"),
        ("{% import 'other' as o %}", "the statement {% import %} cannot be used"),
        ("{% from 'other' import o %}", "the statement {% from %} cannot be used"),
        ("{% extends 'other' %}", "the statement {% extends %} cannot be used"),
        ("{% block b %}{% endblock %}", "the statement {% block %} cannot be used"),
        ("{% macro m() %}{% endmacro %}", "the statement {% macro %} cannot be used"),
        ("line one\n{{ question }}\n{{ }}", "line 3 of the template"),
        ("{% for c in choices recursive %}{{ loop(c) }}{% endfor %}", "a recursive loop cannot be used"),
        ("{% for a in choices %}" * 3 + "{% endfor %}" * 3, "more than 2 deep"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "not a valid template"),
        ("{% if 1 %}" * 300 + "{% endif %}" * 300, "not a valid template"),
        ("x" * 200_000, "longer than 100000 characters"),
        ("{{ self }}", "'self' cannot be used"),
        ("{% set a %}{{ question }}{% endset %}", "the statement {% set %} with a block cannot be used"),
    ],
)
def test_malformed_templates_are_refused_when_compiled(template: str, problem: str) -> None:
    with pytest.raises(InstructionError) as caught:
        compile_instruction(wording(template))
    assert problem in str(caught.value)
    assert str(caught.value).startswith("mine.yaml:7, template: ")
    assert "\n" not in str(caught.value)
