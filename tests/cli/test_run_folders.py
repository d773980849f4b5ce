"""How commands that show results open run folders."""

from pathlib import Path

import pytest

from phraseproof.cli.run_folders import open_runs, read_sizes
from phraseproof.errors import RunError, UsageError
from support.report_runs import write_run


def test_an_incomplete_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_run(tmp_path / "a", missing=2)
    (run,) = open_runs([path])
    assert len(run.missing) == 2
    assert f"warning: {path}: 2 of 21 cells are missing" in capsys.readouterr().err


def test_a_scoring_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="--scoring paper"):
        open_runs([write_run(tmp_path / "a")], "paper")


def test_sizes_belong_to_runs() -> None:
    assert read_sizes(["runs/a=250e6"], [Path("runs/a")]) == {Path("runs/a"): 250_000_000}
    for entry, words in (("runs/a", "not a model's size"), ("runs/a=0", "not a model's size"), ("b=1", "no such run")):
        with pytest.raises(UsageError, match=words):
            read_sizes([entry], [Path("runs/a")])
