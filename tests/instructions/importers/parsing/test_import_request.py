from __future__ import annotations

import pytest

from phraseproof.core import Instruction
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError

WORDING = Instruction("w", "theirs", template="{{ q }}", serves=("data",), source="a file")


def test_a_request_renames_and_serves() -> None:
    assert ImportRequest().finished(WORDING) == WORDING
    finished = ImportRequest(name="mine", serves=("mmlu", "arc")).finished(WORDING, source="row 3")
    assert (finished.collection, finished.serves, finished.source) == ("mine", ("mmlu", "arc"), "row 3")


def test_a_pattern_selects_ids() -> None:
    assert ImportRequest().wants("anything")
    assert ImportRequest(only="super_glue/*").wants("super_glue/boolq/exam")
    assert not ImportRequest(only="super_glue/*").wants("glue/rte")


@pytest.mark.parametrize("template", ["{{ shuffle(q) }}", "{% macro a() %}{% endmacro %}", "{{ q", "{{ q | tojson }}"])
def test_what_a_wording_may_not_use_is_refused(template: str) -> None:
    with pytest.raises(UnrepresentableError, match="it uses a forbidden feature"):
        ImportRequest().finished(Instruction("w", "c", template=template))
