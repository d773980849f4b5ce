"""The content of `study.json`."""

from __future__ import annotations

import json

from phraseproof.studies.spec import StepRecord, StudySpec


def test_the_document_is_plain_data_with_a_version() -> None:
    step = StepRecord(kind="A", title="evaluate m", folder="runs/m-1", identity="abc", settings={"limit": 3})
    spec = StudySpec("table-3", "Table 3", "about", "phraseproof study table-3", {"limit": 3}, (step,), {"python": "3"})
    document = json.loads(json.dumps(spec.document()))
    assert document["format_version"] == 1
    expected = {"kind": "A", "title": "evaluate m", "folder": "runs/m-1", "identity": "abc", "settings": {"limit": 3}}
    assert document["steps"] == [expected]
    assert document["request"] == {"limit": 3}
