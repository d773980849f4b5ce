from __future__ import annotations

from phraseproof.core import Instruction
from phraseproof.instructions.problems import Problem, problem_of


def test_a_problem_names_the_wording_and_its_place() -> None:
    wording = Instruction("w", "c", template="{{ q }}", origin="c.yaml:3")
    found = problem_of("error", "template", wording, "it is wrong", "template")
    assert found == Problem("error", "template", "c/w", "c.yaml:3, template", "it is wrong")


def test_a_wording_that_was_not_read_from_a_file_is_its_own_place() -> None:
    assert problem_of("warning", "options", Instruction("w", "c", ask="Why?"), "m").where == "c/w"
