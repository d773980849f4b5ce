from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command_line import run_command
from support.object_stores import use_machine

EVALUATE = ("evaluate", "-m", "scripted", "-t", "pocket/has-start", "-i", "mine=pocket-test", "-n", "5", "-q")
REPRESENT = ("represent", "-m", "pocket", "-t", "pocket/has-start", "-i", "a=pocket-test", "-i", "b=pocket-test")


def test_commands_take_urls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_machine(monkeypatch, tmp_path, "here")
    url = f"file://{tmp_path}/bucket/runs/first"
    done = run_command(capsys, *EVALUATE, "-o", url)
    assert done.code == 0, done.err
    assert f"run folder: {url}" in done.err
    use_machine(monkeypatch, tmp_path, "there")
    shown = run_command(capsys, "table", url, "--json")
    assert f'"run": "{url}"' in shown.out
    copied = run_command(capsys, "copy", url, tmp_path / "copy")
    assert copied.err == f"note: {tmp_path}/copy: 17 files\n"
    apart = run_command(capsys, "table", tmp_path / "copy", "--json")
    assert apart.out.replace(f"{tmp_path}/copy", url) == shown.out
    (listed,) = json.loads(run_command(capsys, "runs", f"file://{tmp_path}/bucket", "--json").out)
    assert (listed["path"], listed["cells"], listed["done"]) == (url, 16, 16)
    options = run_command(capsys, "config", tmp_path / "copy").out
    assert run_command(capsys, "config", url).out == options.replace(f"{tmp_path}/copy", url)
    assert run_command(capsys, "gate", url, "--min-mean", "0").code == 0
    assert run_command(capsys, "report", url, "-o", tmp_path / "page.html").code == 0
    dry = run_command(capsys, *EVALUATE, "-o", url, "--dry-run")
    assert "80  (0 to compute)" in dry.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["table", "s3://key:geheim@bucket/x"], "s3://...@bucket: the URL of a run must not hold credentials"),
        (["runs", "file:///nowhere/x", "--compact"], "--compact needs a folder (got file:///nowhere/x)"),
        (["table", "file:///nowhere/x"], "error: file:///nowhere/x: no run is stored there"),
        (["demo", "-o", "file:///nowhere/x"], "file:///nowhere/x: this command writes a folder, not a URL"),
        ([*REPRESENT, "-o", "file:///nowhere/x"], "file:///nowhere/x: this command writes a folder, not a URL"),
        (["study", "table-2", "-o", "s3://b/x"], "s3://b/x: this command writes a folder, not a URL"),
        (["import-results", "x.csv", "-o", "s3://b/x"], "x.csv"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_machine(monkeypatch, tmp_path, "here")
    monkeypatch.chdir(tmp_path)
    done = run_command(capsys, *arguments)
    assert done.code == 2
    assert said in done.err
    assert "geheim" not in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("s3:*"))
