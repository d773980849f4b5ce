from __future__ import annotations

import pytest

from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.field_names import RESERVED, renamed_fields
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError


def renamed(source: str, **fields: str) -> str:
    return "".join(token.text for token in renamed_fields(jinja.expression(source), fields)).strip()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("premise | upper", "context | upper"),
        ("other.premise", "other.premise"),
        ("'premise'", "'premise'"),
        ("choices.text[0]", "choices[0]"),
        ('choices["text"]', "choices"),
        ("choices.label", "letters"),
        ("choices.index(answer)", "choices.index(answer)"),
    ],
)
def test_fields_and_the_hubs_choices_get_our_names(source: str, expected: str) -> None:
    assert renamed(source, premise="context") == expected


def test_choices_of_another_shape_are_refused() -> None:
    with pytest.raises(UnrepresentableError, match=r"`choices` is not a list of options: choices\.start"):
        renamed("choices.start")


def test_reserved_names() -> None:
    assert {"choices", "letters", "choice_count", "choice", "letter", "index"} == RESERVED
