"""Damaged files of a model folder end in one line, before another library waits for them or fails on them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from support.command_line import run_command
from support.tiny_models import rewrite_config, tiny_llama

NAMES = ("config.json", "tokenizer_config.json", "generation_config.json")
CONTENTS = {
    "empty": b"",
    "not UTF-8": b"\xff\xfe{}",
    "deep": b"[" * 100_000,
    "huge number": b'{"a": ' + b"9" * 5000 + b"}",
    "a list": b"[1]",
    "a number": b"3",
    "null": b"null",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(tiny_llama(), tmp_path / "model")
    (tmp_path / "t.csv").write_text("question,label\nIs it?,yes\nWas it?,no\n")
    (tmp_path / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: ['yes', 'no']\nanswer: label\n")
    (tmp_path / "w.yaml").write_text("name: w\ninstructions:\n- {id: a, template: '{{ question }}'}\n")
    return tmp_path


def refused(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> str:
    files = ("-m", folder / "model", "-t", folder / "t.yaml", "-i", f"mine={folder}/w.yaml", "-o", folder / "out")
    done = run_command(capsys, "evaluate", *files)
    assert (done.code, done.out) == (2, ""), done.err
    assert "Traceback" not in done.err
    (line,) = [each for each in done.err.splitlines() if each.startswith("error: ")]
    assert name in line
    return line


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_settings_that_are_no_json_object(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    (folder / "model" / name).write_bytes(content)
    refused(folder, capsys, name)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("num_hidden_layers", "x"),
        ("num_hidden_layers", 1e30),
        ("vocab_size", None),
        ("num_attention_heads", 0),
        ("num_attention_heads", [1]),
        ("rms_norm_eps", None),
        ("hidden_act", "nope"),
        ("model_type", 7),
    ],
)
def test_settings_of_a_wrong_type_or_size(
    folder: Path, capsys: pytest.CaptureFixture[str], setting: str, value: object
) -> None:
    rewrite_config(folder / "model", lambda config: config.update({setting: value}))
    refused(folder, capsys, "model")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_named_pipes_and_devices(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = folder / "model" / name
    path.unlink()
    os.mkfifo(path)
    assert "a named pipe" in refused(folder, capsys, name)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "a device" in refused(folder, capsys, name)
