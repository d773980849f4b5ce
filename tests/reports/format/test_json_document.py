"""JSON: one document that every reader takes."""

import json
import math

import pytest

from phraseproof.reports.format.json_document import render_document


def test_a_document_is_read_back_as_it_was() -> None:
    text = render_document({"a": [0.1, None, "é"]})
    assert json.loads(text) == {"a": [0.1, None, "é"]}
    assert "é" in text
    assert text.endswith("}\n")


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_document(math.nan)
