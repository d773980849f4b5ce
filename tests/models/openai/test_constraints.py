from __future__ import annotations

import json

import pytest

from phraseproof.models.openai.constraints import ANSWER_FORMATS, constraint, is_honoured

OPTIONS = ("A", 'say "B"')


def test_each_form_names_the_options() -> None:
    assert constraint("text", OPTIONS) == {}
    for name in ANSWER_FORMATS[:-1]:
        assert json.dumps(list(OPTIONS)) in json.dumps(constraint(name, OPTIONS))


@pytest.mark.parametrize(
    ("answer_format", "text", "honoured"),
    [
        ("structured_outputs", "zebra", True),
        ("guided_choice", " quartz ", True),
        ("guided_choice", "7", False),
        ("json_schema", '{"answer": "zebra"}', True),
        ("json_schema", '{"answer": "7"}', False),
        ("json_schema", "zebra", False),
        ("json_schema", "[" * 100_000, False),
    ],
)
def test_only_an_answer_that_the_question_does_not_have_shows_that_a_constraint_is_followed(
    answer_format: str, text: str, honoured: bool
) -> None:
    assert is_honoured(answer_format, text) is honoured
