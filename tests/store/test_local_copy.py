from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.local_copy import folder_if_any, folder_to_read
from phraseproof.store.remote.working_copy import working_copy
from support.growing_run import Model, evaluate
from support.object_stores import URL, fragile_memory, use_machine


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_machine(monkeypatch, tmp_path, "here")
    with fragile_memory():
        yield


def test_folders_stay_as_they_are(tmp_path: Path) -> None:
    assert folder_to_read(str(tmp_path)) == tmp_path
    assert folder_if_any(tmp_path / "missing") == tmp_path / "missing"


def test_a_url_becomes_a_folder_with_the_run() -> None:
    assert folder_if_any(URL) is None
    with pytest.raises(RunError, match=f"{URL}: no run is stored there"):
        folder_to_read(Path(URL))
    with working_copy(URL, print) as copy:
        evaluate(copy.folder, Model())
    folder = folder_to_read(Path(URL))
    assert folder == folder_if_any(URL)
    assert (folder / "run.json").read_bytes() == (copy.folder / "run.json").read_bytes()
