from __future__ import annotations

import time

import pytest

from phraseproof.core import Instruction
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    Refused,
    UnrepresentableError,
    listed,
    one_line,
    stem_of,
)


def wording(identifier: str, template: str, **fields: str) -> Instruction:
    return Instruction(identifier, "c", template=template, **fields)  # type: ignore[arg-type]


def test_repeats_are_left_out_and_names_are_numbered() -> None:
    result = ParseResult()
    result.add("a", wording("w", "{{ q }}"))
    result.add("a", wording("other", "{{ q }}"))
    result.add("b", wording("w", "{{ q }}?"))
    result.add("b", wording("again", "{{ q }}"), repeated=True)
    assert [each.id for each in result.wordings] == ["w", "w (2)", "again"]
    assert list(result.files) == [("c", "a"), ("c", "b")]
    assert result.repeats == 1


def test_another_target_delimiter_is_not_a_repeat() -> None:
    result = ParseResult()
    result.add("a", wording("w", "{{ q }}"))
    result.add("a", wording("v", "{{ q }}", target_delimiter="\n"))
    result.add("a", wording("u", "{{ q }}", fewshot_delimiter="\n"))
    assert result.repeats == 0


def test_what_is_refused_is_kept_with_its_reason() -> None:
    result = ParseResult()
    result.refuse("w", "file:3", UnrepresentableError("it is empty", "two\n lines"))
    assert result.refused == [Refused("w", "file:3", "it is empty", "two lines")]


def test_names_of_files() -> None:
    assert stem_of("super_glue/boolq") == "super_glue-boolq"
    assert stem_of("a b") != stem_of("a:b")
    assert "/" not in stem_of("../../x")
    assert not stem_of("..").startswith(".")
    assert one_line("a\n b\x00c") == "a b c"


@pytest.mark.parametrize("answers", [["yes", " "], ["yes", "yes"]])
def test_answers_must_differ_and_not_be_empty(answers: list[str]) -> None:
    assert listed(["no", 'say "yes"']) == '{{ choice | verbalise(["no", "say \\"yes\\""]) }}'
    with pytest.raises(UnrepresentableError):
        listed(answers)


def test_equal_names_are_numbered_in_linear_time() -> None:
    """20,000 wordings of one name: trying every number for each of them would be 200 million steps."""
    result = ParseResult()
    began = time.process_time()
    for number in range(20_000):
        result.add("s", Instruction(id="same", collection="c", template=f"{number} {{{{ item }}}}", answer="x"))
    assert time.process_time() - began < 5
    assert [each.id for each in result.wordings][:3] == ["same", "same (2)", "same (3)"]
    assert len({each.id for each in result.wordings}) == 20_000
