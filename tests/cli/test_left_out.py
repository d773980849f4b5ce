"""What was left out, reason by reason."""

from __future__ import annotations

from phraseproof.cli.left_out import by_reason


def test_a_reason_of_many_is_said_once_and_those_of_few_name_them() -> None:
    many = [(f"mine/{number}", "a template") for number in range(5)]
    lines = by_reason([("mine/odd", "a condition"), *many])
    assert lines == ["  5 wordings: a template", "    mine/0, mine/1, mine/2, ...", "  mine/odd: a condition"]


def test_nothing_left_out_says_nothing() -> None:
    assert by_reason([]) == []
