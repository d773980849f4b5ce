"""`phraseproof pocket data` writes the files that ship, and names them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from phraseproof.cli import main

SHIPPED = {
    "tasks": Path(str(resources.files("phraseproof.tasks"))) / "data" / "pocket",
    "wordings": Path(str(resources.files("phraseproof.instructions"))) / "data",
}


def test_it_writes_the_shipped_bytes_and_prints_every_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["pocket", "data", "--out", str(tmp_path)])
    assert stopped.value.code == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(printed) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {path.parent.name for path in printed} == {"tasks", "wordings"}
    assert {path.name for path in printed} >= {"choose.csv", "words.csv", "pocket-observed.yaml", "pocket-test.yaml"}
    for path in printed:
        assert path.read_bytes() == (SHIPPED[path.parent.name] / path.name).read_bytes(), path.name


def test_the_folder_is_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(["pocket", "data"])
    assert stopped.value.code == 2
    assert not list(tmp_path.iterdir())
