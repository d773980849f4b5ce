from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from phraseproof.evaluation.spec_types import MetricNames, Names, Numbers, Share


def test_one_value_or_a_list_is_a_tuple() -> None:
    names, numbers = TypeAdapter[tuple[str, ...]](Names), TypeAdapter[tuple[int, ...]](Numbers)
    assert names.validate_python("mmlu, bbl/winowhy") == ("mmlu", "bbl/winowhy")
    assert names.validate_python([Path("a,b.yaml"), "c"]) == ("a,b.yaml", "c")
    assert (numbers.validate_python(3), numbers.validate_python([0, 5])) == ((3,), (0, 5))
    assert TypeAdapter[str](MetricNames).validate_python(["rouge2", "regex:a,b"]) == "rouge2,regex:a,b"


def test_a_share_is_written_as_the_percentage_that_is_read_as_the_same() -> None:
    share = TypeAdapter[float | None](Share)
    for text in ("5%", "33.3%", "0.07%"):
        assert share.dump_python(share.validate_python(text), mode="json") == text
    with pytest.raises(ValueError, match="above 0 and up to 100"):
        share.validate_python("0%")
