"""`--workers` and `--worker-arg` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.cli.worker_options import worker_options
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from support.command_line import run_command
from support.parity_project import write_project


def test_they_are_one_value() -> None:
    assert worker_options(None, None) is None
    assert worker_options("ray", ["gpus=1", "memory=2GB"]) == WorkerOptions("auto", gpus=1.0, memory_bytes=2 * 10**9)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--workers", "4"], "--workers: no such workers (expected local:N, ray, ray:HOST:PORT or"),
        (["--worker-arg", "gpus=1"], "--worker-arg requires --workers"),
        (["--workers", "ray", "--worker-arg", "gpus"], "--worker-arg: not an argument with its value"),
        (["--workers", "local:2", "--device", "cpu,cpu"], "--device: --workers and several devices are given"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    project = write_project(tmp_path, examples=2, wordings=2)
    wordings = f"mine={project / 'wordings.yaml'}"
    done = run_command(
        capsys, "evaluate", "-m", "scripted", "-t", str(project / "task.yaml"), "-i", wordings,
        "-o", str(tmp_path / "run"), *arguments,
    )  # fmt: skip
    assert done.code == 2
    assert line in done.err


@pytest.mark.parametrize("arguments", [["align", "-p", "pairs.jsonl"], ["tune", "--data", "data.json"]])
def test_one_training_is_not_divided(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    done = run_command(capsys, *arguments, "-m", "pocket/tiny", "-o", "adapter", "--workers", "local:2")
    assert done.code == 2
    assert f"--workers: {arguments[0]} is one training, which workers cannot divide. `accelerate launch`" in done.err


def test_options_without_effect_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "study", "energy", "--workers", "local:2")
    assert done.code == 2
    assert "--workers" in done.err
    done = run_command(
        capsys, "harden", "-m", "pocket/tiny", "-t", "pocket", "-i", "pocket-test", "-o", "out", "--workers", "local:2"
    )
    assert done.code == 2
    assert "--workers: --workers requires --methods" in done.err
