from __future__ import annotations

from typing import Any

import pytest

from phraseproof.instructions.importers.parsing import python_values as values
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError


def test_texts_are_built_as_python_builds_them() -> None:
    assert values.added("a", "b") == "ab"
    assert values.added([1], [2]) == [1, 2]
    assert values.text_method("-", "join", [["a", 1]], {}) == "-".join(["a", "1"])
    assert values.text_method("{} {name} {0}", "format", ["a"], {"name": 2}) == "a 2 a"
    assert values.text_method("aXbX", "replace", ["X", "y", 1], {}) == "aybX"
    assert values.FUNCTIONS["enumerate"](["a", "b"], 1) == [(1, "a"), (2, "b")]
    assert values.FUNCTIONS["sorted"]([3, 1]) == [1, 3]


@pytest.mark.parametrize(
    "call",
    [
        lambda: values.scalar([1]),
        lambda: values.flat([[1]]),
        lambda: values.text_of(["a"]),
        lambda: values.bounded("a" * (values.MAX_TEXT + 1)),
        lambda: values.added("a" * values.MAX_TEXT, "b"),
        lambda: values.items(3),
        lambda: values.FUNCTIONS["range"](values.MAX_STEPS + 1),
    ],
)
def test_what_is_not_understood_or_too_large_is_refused(call: Any) -> None:
    with pytest.raises(UnrepresentableError, match="not understood"):
        call()


def test_attributes_of_arguments_are_never_looked_up() -> None:
    with pytest.raises(UnrepresentableError):
        values.text_method("{0.__class__}", "format", ["a"], {})
