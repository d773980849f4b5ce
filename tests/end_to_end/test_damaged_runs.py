"""Random damage to a run folder: every reader says in one line what is wrong, or prints what it printed before."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from phraseproof.store.run_schema import RUN_CHECKSUM
from support.command_line import Done, run_command
from support.parity_project import write_project

ROUNDS = 24
READERS = (("table", "run", "--json"), ("compare", "run0", "run"), ("gate", "run", "--min-worst", "0"))
VALUES: tuple[object, ...] = (None, [], {}, "x", -1, 10**30, 7.5, True, [1], {"a": 1})


def files_of(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_file() and ".locks" not in path.parts)


def chosen(run: Path, rng: random.Random) -> Path:
    """Any file of a run; `run.json` is one of few files with most of what readers rely on, so it comes up often."""
    return rng.choice(files_of(run)) if rng.random() < 0.6 else run / "run.json"


def flip(run: Path, rng: random.Random) -> None:
    path = chosen(run, rng)
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 5])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def cut(run: Path, rng: random.Random) -> None:
    path = chosen(run, rng)
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def swap(run: Path, rng: random.Random) -> None:
    one, other = rng.sample([path for path in files_of(run) if path.suffix == ".parquet"], 2)
    shutil.copy(one, other)


def pipe(run: Path, rng: random.Random) -> None:
    path = chosen(run, rng)
    path.unlink()
    os.mkfifo(path)


def folder(run: Path, rng: random.Random) -> None:
    path = chosen(run, rng)
    path.unlink()
    path.mkdir()


def delete(run: Path, rng: random.Random) -> None:
    del rng
    (run / "run.json").unlink()


def edit(run: Path, rng: random.Random) -> None:
    """Another value somewhere in `run.json`, sometimes without the checksum, as an older version wrote it."""
    path = run / "run.json"
    content: object = json.loads(path.read_text())
    assert isinstance(content, dict)
    if rng.random() < 0.5:
        del content[RUN_CHECKSUM]
    node: object = cast("object", content)
    while isinstance(node, dict | list) and node:
        inside = cast("dict[str | int, object]", node)  # a list takes its positions as keys
        key = rng.choice(list(inside) if isinstance(node, dict) else list(range(len(inside))))
        child = inside[key]
        if rng.random() < 0.35 or not isinstance(child, dict | list) or not child:
            inside[key] = rng.choice([value for value in VALUES if type(value) is not type(child)])
            break
        node = cast("object", child)
    path.write_text(json.dumps(content))


DAMAGE: tuple[Callable[[Path, random.Random], None], ...] = (flip, cut, swap, pipe, folder, delete, edit, edit)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, examples=8, wordings=4)
    inputs = ("--tasks", "task.yaml", "--instructions", "mine=wordings.yaml")
    done = run_command(capsys, "evaluate", "--model", "scripted", *inputs, "--out", "run0", "--no-self-test", "-q")
    assert done.code == 0, done.err
    return tmp_path


def is_refused(done: Done) -> bool:
    lines = [line for line in done.err.splitlines() if not line.startswith(("warning:", "note:"))]
    return done.code == 2 and len(lines) == 1 and lines[0].startswith("error:")


@pytest.mark.slow
def test_random_damage(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("run0", "run")
    sound = {command: run_command(capsys, *command) for command in READERS}
    assert all(done.code == 0 for done in sound.values()), sound
    rng = random.Random(20231120)
    refusals = 0
    for number in range(ROUNDS):
        shutil.rmtree("run")
        shutil.copytree("run0", "run")
        damage = DAMAGE[number % len(DAMAGE)]
        damage(project / "run", rng)
        for command in READERS:
            done = run_command(capsys, *command)
            refused = is_refused(done)
            refusals += refused
            same = (done.code, done.out) == (sound[command].code, sound[command].out)
            assert refused or same, f"round {number}, {damage.__name__}, {command}: {done}"
    assert refusals >= ROUNDS, "the damage was noticed"
