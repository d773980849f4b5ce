"""No command writes over what it reads: a person may have written it by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.errors import UsageError
from support.command_line import run_command

WORDINGS = "name: w\ninstructions:\n  - {id: one, ask: 'Pick the team.', layout: '{{ question }}', answer: text}\n"


def test_perturb_leaves_the_collection_that_it_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORDINGS)
    for arguments in (["--format", "2"], ["--negate"]):
        done = run_command(capsys, "instructions", "perturb", str(path), *arguments, "-o", str(path))
        assert done.code == 2
        problem = "the file is an input of the command and would be overwritten"
        assert done.err == f"error: --out {path}: {problem}. Give another --out\n"
    assert path.read_text() == WORDINGS


def test_paraphrase_leaves_the_collection_that_it_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(WORDINGS)
    done = run_command(capsys, "paraphrase", str(path), "--with", "scripted", "-o", str(path))
    assert done.code == 2
    assert "would be overwritten" in done.err
    assert path.read_text() == WORDINGS


def test_pairs_leave_what_they_are_made_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, rewritten = tmp_path / "alpaca.json", tmp_path / "rewritten.jsonl"
    data.write_text('[{"instruction": "Say it.", "input": "", "output": "It."}]')
    rewritten.write_text('{"instruction": "Say it.", "paraphrases": ["Tell it."]}\n')
    before = data.read_text(), rewritten.read_text()
    for out in (data, rewritten):
        done = run_command(capsys, "pairs", "from-alpaca", str(data), "-p", str(rewritten), "-o", str(out))
        assert done.code == 2
        assert "would be overwritten" in done.err
    assert (data.read_text(), rewritten.read_text()) == before


def test_files_and_folders(tmp_path: Path) -> None:
    folder, inside, outside = tmp_path / "folder", tmp_path / "folder" / "a.yaml", tmp_path / "b.yaml"
    folder.mkdir()
    inside.write_text("")
    outside.write_text("")
    (tmp_path / "link.yaml").symlink_to(outside)
    for out, read in ((inside, folder), (outside, outside), (tmp_path / "link.yaml", outside)):
        with pytest.raises(UsageError, match="would be overwritten"):
            refuse_to_overwrite(out, read)
    refuse_to_overwrite(outside, folder, None, tmp_path / "absent")
    refuse_to_overwrite(folder / "new.yaml", folder)
