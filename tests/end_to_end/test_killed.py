"""A run that is killed at any moment, or worked on by several processes, ends with the rows of an undisturbed one."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from phraseproof.store.queries import load_run
from support.forked import fork_context
from support.parity_project import write_project

EXAMPLES = 30
WORDINGS = 30
KILLS = 12


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("project"), examples=EXAMPLES, wordings=WORDINGS)


def evaluate(project: str, out: str, delay_s: float) -> None:
    """One process's work: the public function, with a model that takes its time. A cell at a time and a journal line
    every few prompts, so that kills fall before, in and after many of them."""
    import phraseproof
    from phraseproof.evaluation import score_cells, work

    with pytest.MonkeyPatch.context() as patch:  # some tests call this in their own process
        patch.setattr(work, "SMALLEST_BUNDLE_PROMPTS", EXAMPLES)
        patch.setattr(work, "MAX_BUNDLE_PROMPTS", EXAMPLES)
        patch.setattr(score_cells, "JOURNAL_INTERVAL_S", 2 * delay_s)
        phraseproof.evaluate(
            "scripted",
            f"{project}/task.yaml",
            {"mine": f"{project}/wordings.yaml"},
            out,
            model_options=phraseproof.ModelOptions(args={"delay_s": str(delay_s)}),
            self_test=False,
        )


def rows_of(out: Path) -> list[dict[str, object]]:
    rows = load_run(out).outcomes().to_pylist()
    return sorted(rows, key=lambda row: (row["instruction"], row["example_id"]))


@pytest.fixture(scope="module")
def undisturbed(project: Path) -> list[dict[str, object]]:
    evaluate(str(project), str(project / "undisturbed"), 0.0)
    rows = rows_of(project / "undisturbed")
    assert len(rows) == EXAMPLES * WORDINGS
    return rows


def cells_in(out: Path) -> int:
    return len(list((out / "cells").rglob("*.parquet")))


def journaled_in(out: Path) -> int:
    """Complete lines in journals, which another process may remove in the meantime."""
    found = 0
    for path in (out / "journal").rglob("*.jsonl"):
        with suppress(FileNotFoundError):
            found += path.read_bytes().count(b"}]\n")
    return found


@pytest.mark.slow
def test_killed_many_times_at_random_moments(
    project: Path, undisturbed: list[dict[str, object]], tmp_path: Path
) -> None:
    """A third of the kills falls anywhere, a third a moment after a journal grew, a third after a cell was stored."""
    context = fork_context()
    out = tmp_path / "killed"
    moments = random.Random(20231120)
    grown = (None, lambda: journaled_in(out) * 1000 + cells_in(out), lambda: cells_in(out))
    kills = 0
    kept: list[int] = []
    for attempt in range(KILLS):
        measure = grown[attempt % len(grown)]
        before = measure() if measure else 0
        worker = context.Process(target=evaluate, args=(str(project), str(out), 0.01))
        worker.start()
        deadline = time.monotonic() + 30
        while measure and worker.is_alive() and measure() == before and time.monotonic() < deadline:
            time.sleep(0.002)
        worker.join(moments.uniform(0.0, 0.02 if measure else 0.3))
        if worker.is_alive():
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
            kills += 1
        kept.append(cells_in(out) * EXAMPLES + journaled_in(out))
    assert kills == KILLS
    assert kept == sorted(kept), "no kill loses what was stored"
    assert len(set(kept)) >= KILLS // 2, "the kills fell in the middle of the work"
    evaluate(str(project), str(out), 0.0)
    assert rows_of(out) == undisturbed
    assert not list(out.rglob("*.tmp"))


@pytest.mark.slow
def test_several_processes_on_one_folder_share_the_work(
    project: Path, undisturbed: list[dict[str, object]], tmp_path: Path
) -> None:
    context = fork_context()
    out = tmp_path / "shared"
    workers = [context.Process(target=evaluate, args=(str(project), str(out), 0.005)) for _ in range(3)]
    for worker in workers:
        worker.start()
    # One of them dies in the middle; the others finish its cells.
    deadline = time.monotonic() + 30
    while cells_in(out) < 4 and time.monotonic() < deadline:
        time.sleep(0.002)
    assert workers[0].pid is not None
    os.kill(workers[0].pid, signal.SIGKILL)
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [-signal.SIGKILL, 0, 0]
    assert rows_of(out) == undisturbed
    run = load_run(out)
    assert not run.missing
    assert cells_in(out) == WORDINGS


@pytest.mark.slow
def test_the_command_goes_on_after_a_kill(project: Path, undisturbed: list[dict[str, object]], tmp_path: Path) -> None:
    out = tmp_path / "command"
    command = [
        *(
            sys.executable,
            "-m",
            "phraseproof",
            "evaluate",
            "--model",
            "scripted",
            "--tasks",
            str(project / "task.yaml"),
        ),
        *("--instructions", f"mine={project / 'wordings.yaml'}", "--out", str(out), "--model-arg"),
    ]
    process = subprocess.Popen([*command, "delay_s=0.01"], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not cells_in(out) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    done = cells_in(out)
    assert 0 < done < WORDINGS
    finished = subprocess.run([*command, "delay_s=0"], capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    assert f"{done * EXAMPLES} of {EXAMPLES * WORDINGS} prompts were stored before" in finished.stderr
    assert rows_of(out) == undisturbed


def slow_command(project: Path, out: Path, delay_s: float) -> list[str]:
    return [
        *(sys.executable, "-m", "phraseproof", "evaluate", "--model", "scripted", "--no-self-test"),
        *("--tasks", str(project / "task.yaml"), "--instructions", f"mine={project / 'wordings.yaml'}"),
        *("--out", str(out), "--model-arg", f"delay_s={delay_s}"),
    ]


@pytest.mark.slow
def test_a_kill_in_a_long_cell_loses_seconds(
    project: Path, undisturbed: list[dict[str, object]], tmp_path: Path
) -> None:
    """30 prompts of 0.5 s a cell: nothing is complete when the process dies, and what it scored is kept."""
    out = tmp_path / "long"
    process = subprocess.Popen(slow_command(project, out, 0.5), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not journaled_in(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert cells_in(out) == 0
    assert journaled_in(out) > 0
    finished = subprocess.run(slow_command(project, out, 0), capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    assert rows_of(out) == undisturbed
    assert not (out / "journal").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_everything_and_the_last_line_says_so(
    project: Path, undisturbed: list[dict[str, object]], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "signal"
    # A shell without job control starts background jobs with SIGINT ignored, and every child inherits that.
    inherited = signal.signal(number, signal.SIG_DFL)
    try:
        process = subprocess.Popen(slow_command(project, out, 0.2), stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(number, inherited)
    deadline = time.monotonic() + 60
    while not (out / "run.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    last = said.strip().splitlines()[-1]
    found = re.fullmatch(
        rf"stopped: (\d+) of {EXAMPLES * WORDINGS} prompts are stored in {out}; the same command continues from there",
        last,
    )
    assert found, said
    assert int(found[1]) > 0
    finished = subprocess.run(slow_command(project, out, 0), capture_output=True, text=True, timeout=120, check=False)
    assert finished.returncode == 0, finished.stderr
    assert rows_of(out) == undisturbed


@pytest.mark.slow
def test_many_wordings_hold_few_open_files(tmp_path: Path) -> None:
    project = write_project(tmp_path, examples=2, wordings=150)
    command = f"ulimit -n 100 && exec {shlex.join(slow_command(project, tmp_path / 'out', 0))}"
    finished = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, timeout=280, check=False)
    assert finished.returncode == 0, finished.stderr
    assert cells_in(tmp_path / "out") == 150
