"""Whether a derived run notices that its source has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import phraseproof
from phraseproof.cli.run_folders import open_runs
from phraseproof.store.copy_run import copy_run
from phraseproof.store.derivation import change_of_source
from phraseproof.store.queries import load_run
from phraseproof.store.run_file import RUN_FILE, run_checksum_of, write_run_file
from support.calibrated_runs import labelled_task, prefers, run
from support.object_stores import use_machine


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    source = run(tmp_path / "run")
    phraseproof.calibrate(source, "batch", out=tmp_path / "derived", resamples=50)
    return source.path, tmp_path / "derived"


def test_a_source_as_it_was_and_one_that_is_gone_are_no_change(folders: tuple[Path, Path]) -> None:
    source, derived = folders
    assert change_of_source(load_run(derived)) == ""
    assert change_of_source(load_run(source)) == ""
    content = load_run(source).content
    write_run_file(source, {**content, "accepted_edits": ["2026-01-01T00:00:00+00:00"]})
    assert run_checksum_of(source) != load_run(derived).content["derived_from"]["run_checksum"]
    assert change_of_source(load_run(derived)) == ""  # the same cells
    shutil.rmtree(source)
    assert change_of_source(load_run(derived)) == ""


def test_other_outcomes_and_more_wordings_are_a_warning_of_one_line(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, derived = folders
    run(source, wordings=7)
    open_runs([derived])
    err = capsys.readouterr().err
    assert err == (
        f"warning: {derived}: its source {source.resolve()} has changed since: 2 cells are new or different, "
        "0 are no longer there as they were; derive it again into a new folder\n"
    )
    shutil.rmtree(source)
    run(source, labelled_task(), score=prefers(strength=1.0))
    assert "5 cells are new or different, 5 are no longer" in change_of_source(load_run(derived))
    (source / RUN_FILE).write_text("{")
    assert "cannot be read any more" in change_of_source(load_run(derived))


def test_a_source_at_a_url_is_looked_at_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_machine(monkeypatch, tmp_path, "here")
    url = f"file://{tmp_path}/bucket/run"
    copy_run(run(tmp_path / "run").path, Path(url), print)
    phraseproof.calibrate(load_run(url), "batch", out=tmp_path / "derived", resamples=50)
    derived = load_run(tmp_path / "derived")
    assert derived.content["derived_from"]["run"] == url
    assert change_of_source(derived) == ""
    shutil.rmtree(tmp_path / "bucket")
    copy_run(run(tmp_path / "run", wordings=7).path, Path(url), print)
    assert f"its source {url} has changed since: 2 cells" in change_of_source(derived)
    shutil.rmtree(tmp_path / "bucket")
    assert change_of_source(derived) == ""
