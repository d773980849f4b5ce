from __future__ import annotations

import pytest

from phraseproof.errors import RunError
from phraseproof.store.remote.places import reading_place, writing_place
from phraseproof.store.urls import name_of


def test_each_url_and_purpose_has_a_folder_that_bears_its_name() -> None:
    url = "s3://bucket/runs/first"
    reading, writing = reading_place(url), writing_place(url)
    assert reading == reading_place(url)
    assert len({reading.copy, writing.copy, reading_place("s3://other/runs/first").copy}) == 3
    assert reading.copy.name == writing.copy.name == "first"
    assert name_of(reading.copy) == url
    assert writing.temporary().is_dir()
    assert writing.lock.parent == writing.home


def test_without_a_cache_folder_urls_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHRASEPROOF_CACHE", "off")
    with pytest.raises(RunError, match=r"s3://b/x: .*needs a cache folder.*PHRASEPROOF_CACHE"):
        reading_place("s3://b/x")
