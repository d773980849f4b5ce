"""Studies are known by name."""

from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.studies.registry import STUDIES, study_named


def test_every_study_is_found_by_its_name() -> None:
    assert [study_named(study.name) for study in STUDIES] == list(STUDIES)
    assert len({study.name for study in STUDIES}) == len(STUDIES)


def test_a_misspelt_name_gets_a_hint() -> None:
    with pytest.raises(UsageError, match=r"no study is called 'table3' .*Did you mean 'table-3'"):
        study_named("table3")
