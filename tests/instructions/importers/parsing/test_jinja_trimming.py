from __future__ import annotations

import pytest

from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.jinja_trimming import is_empty, strip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("  a {{ b }} \n", "a {{ b }}"),
        ("{{ b }}", "{{ b }}"),
        (" {% if a %} x {% else %}\ny{% endif %} ", "{% if a %}x{% else %}y{% endif %}"),
        ("{% set a = 1 %}  \n x", "{% set a = 1 %}x"),
        ("x{% if a %} y \n{% endif %}\n", "x{% if a %} y{% endif %}"),
        (" \n ", ""),
    ],
)
def test_white_space_at_both_ends_is_stripped(source: str, expected: str) -> None:
    assert jinja.write(strip(jinja.read(source))) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [("", True), (" \n", True), ("{% set a = 1 %} ", True), ("{% if a %} {% endif %}", True), ("{{ a }}", False)],
)
def test_what_writes_nothing_is_empty(source: str, expected: bool) -> None:
    assert is_empty(jinja.read(source)) is expected
