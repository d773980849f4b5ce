"""Every study keeps the protocol that users and other studies rely on."""

from __future__ import annotations

import pytest

from phraseproof.studies.registry import STUDIES
from phraseproof.studies.study import Study


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_a_study_says_what_it_shows_and_needs(study: Study) -> None:
    assert study.exhibit
    assert study.about
    assert study.needs
