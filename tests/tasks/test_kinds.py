from __future__ import annotations

from phraseproof.core import Example, Kind
from phraseproof.tasks.kinds import infer_kind, options_missing


def examples(*choices: tuple[str, ...]) -> list[Example]:
    return [Example(str(index), {}, each, (1.0,) + (0.0,) * (len(each) - 1)) for index, each in enumerate(choices)]


def test_the_kind_that_options_imply() -> None:
    assert infer_kind(examples(("a", "b"), ("b", "a"))) is Kind.BINARY
    assert infer_kind(examples(("a", "b", "c"), ("c", "a", "b"))) is Kind.MULTI_CLASS
    assert infer_kind(examples(("a", "b"), ("a", "c"))) is Kind.MULTIPLE_CHOICE


def test_the_error_for_a_source_without_options_names_the_kinds_that_have_some() -> None:
    error = options_missing("BIG-bench tasks without options are", "hub a/b")
    assert str(error) == (
        "hub a/b: BIG-bench tasks without options are not supported "
        "(expected a kind with options: multiple_choice, binary, multi_class)"
    )
