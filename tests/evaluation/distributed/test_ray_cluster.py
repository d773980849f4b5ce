"""Real clusters of Ray on loopback: rows equal to those of one process, whatever workers and machines are lost."""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import phraseproof
from phraseproof.evaluation.distributed.messages import Setup, TrainingSetup, WorkerPool
from phraseproof.evaluation.distributed.pooled import OpenPool, WorkerSet
from phraseproof.evaluation.distributed.ray_pool import kept_workers
from phraseproof.evaluation.distributed.trainings import train_on_workers
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.run import Interrupted
from phraseproof.models import ModelOptions
from phraseproof.store.queries import load_run
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.alignment_step import AlignmentStep, alignment_step, study_settings
from phraseproof.studies.study import StudyRequest
from support.counted_model import read_log, write_package
from support.growing_run import Listener
from support.parity_project import write_project
from support.tiny_models import tiny_llama
from support.tiny_trainings import train
from support.training_jobs import SlowTraining

pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # of Ray's own
    pytest.mark.xdist_group("ray"),
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

NODES = 3


@dataclass
class Cluster:
    """A head without CPUs, and machines of one CPU each, all processes on this machine."""

    cluster: Any
    nodes: list[Any] = field(default_factory=list[Any])

    @property
    def address(self) -> str:
        return self.cluster.address

    def add(self) -> None:
        self.nodes.append(self.cluster.add_node(wait=False, num_cpus=1, object_store_memory=80_000_000))

    def kill(self, place: int) -> None:
        self.cluster.remove_node(self.nodes.pop(place), allow_graceful=False)


@pytest.fixture
def path_of_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`counted` is found here and in every process that is started."""
    folder = write_package(tmp_path / "package")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))


@pytest.fixture
def cluster(path_of_models: None, monkeypatch: pytest.MonkeyPatch) -> Generator[Cluster]:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    from ray.cluster_utils import Cluster as RayCluster

    system = {"health_check_period_ms": 1000, "health_check_failure_threshold": 20}
    head = {"num_cpus": 0, "object_store_memory": 80_000_000, "include_dashboard": False, "_system_config": system}
    made = Cluster(RayCluster(initialize_head=True, head_node_args=head))
    try:
        for _ in range(NODES):
            made.add()
        yield made
    finally:
        made.cluster.shutdown()


@dataclass
class Project:
    """A task under some wordings, by the model `counted`."""

    folder: Path
    examples: int
    wordings: int

    def __post_init__(self) -> None:
        write_project(self.folder, examples=self.examples, wordings=self.wordings)

    @property
    def prompts(self) -> int:
        return self.examples * self.wordings

    def log(self, out: str) -> Path:
        return self.folder / f"{out}.log"

    def evaluate(
        self,
        out: str,
        workers: WorkerOptions | str | None = None,
        listener: Listener | None = None,
        *,
        delay_s: float = 0.0,
        scoring: str = "auto",
    ) -> phraseproof.Run:
        args = {"log": str(self.log(out)), "delay_s": str(delay_s)}
        wordings = {"mine": str(self.folder / "wordings.yaml")}
        return phraseproof.evaluate(
            "counted",
            str(self.folder / "task.yaml"),
            wordings,
            self.folder / out,
            model_options=ModelOptions(args=args),
            workers=workers,
            observer=listener or Listener(),
            scoring=scoring,
        )


def rows_of(run: Any) -> list[dict[str, object]]:
    return sorted(run.outcomes().to_pylist(), key=lambda row: (row["instruction"], row["example_id"]))


class Killer(threading.Thread):
    """Kills workers and machines at random moments of the work, and remembers which processes died."""

    def __init__(self, cluster: Cluster, log: Path, prompts: int, *, workers: int, nodes: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._cluster, self._log = cluster, log
        self._random = random.Random(seed)
        kinds = ["worker"] * workers + ["node"] * nodes
        self._random.shuffle(kinds)
        moments = sorted(self._random.uniform(0.02, 0.9) * prompts for _ in kinds)
        self._plan = list(zip(moments, kinds, strict=True))
        self.done: list[str] = []
        self.dead: set[int] = set()
        self.ends = threading.Event()
        self.has_killed_node = threading.Event()

    def run(self) -> None:
        while not self.ends.wait(0.05):
            found = list(read_log(self._log))
            pids = {each.pid for each in found}
            living = {pid for pid in pids if Path(f"/proc/{pid}").exists()}
            self.dead |= pids - living
            if (
                self.has_killed_node.is_set()
                or not self._plan
                or len({each.prompt for each in found}) < self._plan[0][0]
            ):
                continue
            if self._plan[0][1] == "node":
                self._cluster.kill(self._random.randrange(len(self._cluster.nodes)))
                self.has_killed_node.set()
            elif living:
                os.kill(self._random.choice(sorted(living)), signal.SIGKILL)
            else:
                continue
            self.done.append(self._plan.pop(0)[1])
            time.sleep(0.2)  # until its process is gone


def test_workers_and_machines_are_killed_and_nothing_is_lost(tmp_path: Path, cluster: Cluster) -> None:
    project = Project(tmp_path, examples=30, wordings=60)
    alone = project.evaluate("alone")
    unit_prompts = 20
    # Four words for each prompt, two options, and one for the estimate.
    options = WorkerOptions(cluster.address, unit_tokens=round(unit_prompts * 7.25))
    killer = Killer(cluster, project.log("shared"), project.prompts, workers=20, nodes=5, seed=11)

    class Watching(Listener):
        def advanced(self, prompts: int) -> None:
            super().advanced(prompts)
            if killer.has_killed_node.is_set():  # in the main thread, since Ray sets signal handlers
                cluster.add()
                killer.has_killed_node.clear()
            if self.done == project.prompts:
                killer.ends.set()

    listener = Watching()
    killer.start()
    try:
        shared = project.evaluate("shared", options, listener, delay_s=0.05)
    finally:
        killer.ends.set()
        killer.join()
    assert sorted(killer.done) == ["node"] * 5 + ["worker"] * 20
    assert rows_of(shared) == rows_of(alone)
    assert shared.failures == ()
    assert listener.done == project.prompts
    by_prompt: dict[str, list[int]] = defaultdict(list)
    for each in read_log(project.log("shared")):
        by_prompt[each.prompt].append(each.pid)
    assert len(by_prompt) == project.prompts
    assert len({pid for pids in by_prompt.values() for pid in pids}) > 20
    twice = {prompt: pids for prompt, pids in by_prompt.items() if len(pids) > 1}
    # Only what a killed process had computed and not sent: at most the two units that it had in hand.
    assert all(pid in killer.dead for pids in twice.values() for pid in pids[:-1])
    again = sum(len(pids) - 1 for pids in twice.values())
    print(f"{again} of {project.prompts} prompts were computed twice")
    assert again <= 25 * 2 * unit_prompts
    assert not (tmp_path / "shared" / "journal").exists()


def test_an_interrupted_run_on_a_cluster_continues(tmp_path: Path, cluster: Cluster) -> None:
    project = Project(tmp_path, examples=20, wordings=10)

    class Stopping(Listener):
        def advanced(self, prompts: int) -> None:
            super().advanced(prompts)
            if self.done >= project.prompts // 2:
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="the same command continues from there"):
        project.evaluate("run", WorkerOptions(cluster.address, count=2), Stopping(), delay_s=0.02)
    stored = Listener()
    project.evaluate("run", WorkerOptions(cluster.address, count=2), stored)
    assert rows_of(load_run(tmp_path / "run")) == rows_of(project.evaluate("alone"))
    assert stored.done == project.prompts
    # What was in flight when it stopped is computed twice, and nothing else.
    assert len(list(read_log(project.log("run")))) - project.prompts <= 2 * 2.0 / 0.02


class KillingTrainer(Listener):
    """Kills the process of a worker when it has trained for a moment, once for each number of steps."""

    def __init__(self, *steps: int) -> None:
        super().__init__()
        self._steps = list(steps)
        self.killed: list[int] = []

    def noted(self, message: str) -> None:
        super().noted(message)
        if self._steps and (found := re.search(r"step (\d+) of", message)) and int(found[1]) >= self._steps[0]:
            self._steps.pop(0)
            self.killed.append(min(actors()))
            os.kill(self.killed[-1], signal.SIGKILL)


def actors() -> list[int]:
    """The processes of the workers on the cluster that this process started."""
    import psutil

    found: list[int] = []
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it may have ended
            found += [each.pid] if any("_WorkerActor" in part for part in each.cmdline()) else []
    return found


def test_trainings_on_a_cluster_survive_their_workers(tmp_path: Path, cluster: Cluster) -> None:
    def trainings(folder: str) -> list[AlignmentStep]:
        request = StudyRequest(models=("pocket/tiny",), max_steps=30, gradient_accumulation=1, out=tmp_path / folder)
        pairs = alignment_pairs(request, "pocket/tiny", limit=20)
        settings = [study_settings(request, "pocket/tiny", "pt+kl", seed=seed, save_every=5) for seed in range(NODES)]
        return [alignment_step(request, "pocket/tiny", pairs=pairs, settings=each) for each in settings]

    alone, shared = trainings("alone"), trainings("shared")
    for step in alone:
        step.carry_out(Listener())
    listener = KillingTrainer(8, 16)
    with kept_workers(WorkerOptions(cluster.address, count=NODES)) as workers:
        train_on_workers([SlowTraining(step, delay_s=0.2) for step in shared], workers, listener)
        trained_by = set(actors())
        run = phraseproof.evaluate(
            "pocket/tiny", "pocket/has-maker", {"mine": "pocket-test"}, tmp_path / "run", limit=4, workers=workers
        )
        assert set(actors()) == trained_by
    assert run.missing == ()
    assert len(listener.killed) == 2
    continued = [text for text in listener.warnings if "continues from the last checkpoint that came" in text]
    assert len(continued) == 2
    assert any(re.search(r"resuming after step (5|10|15) of 30", text) for text in listener.notes)
    for one, other in zip(alone, shared, strict=True):
        weights = "adapter_model.safetensors"
        assert (other.folder / weights).read_bytes() == (one.folder / weights).read_bytes()


@dataclass
class HidingWorkers:
    """Workers that start when a folder is no longer where the command has read it, as on another machine."""

    workers: WorkerSet
    hidden: Path

    @property
    def options(self) -> WorkerOptions:
        return self.workers.options

    @property
    def open_pool(self) -> OpenPool:
        return self._open

    @contextmanager
    def _open(self, options: WorkerOptions, setup: Setup | TrainingSetup, observer: Observer) -> Generator[WorkerPool]:
        with self.workers.open_pool(options, setup, observer) as pool:
            away = self.hidden.rename(self.hidden.with_name("away"))
            try:
                yield pool
            finally:
                away.rename(self.hidden)


def test_an_adapter_that_other_machines_lack_is_sent(tmp_path: Path, cluster: Cluster) -> None:
    base, adapter = tiny_llama(), tmp_path / "adapter"
    train(base, adapter, max_steps=1, held_out_fraction=0.0)

    def evaluate(out: str, workers: WorkerSet | None) -> list[dict[str, object]]:
        options = ModelOptions(adapter=adapter)
        run = phraseproof.evaluate(
            str(base),
            "pocket/has-maker",
            {"mine": "pocket-test"},
            tmp_path / out,
            limit=2,
            model_options=options,
            workers=workers,
        )
        assert run.missing == ()
        return [{name: row[name] for name in ("instruction", "example_id", "predicted")} for row in rows_of(run)]

    with kept_workers(WorkerOptions(cluster.address, count=1)) as workers:
        assert evaluate("shared", HidingWorkers(workers, adapter)) == evaluate("alone", None)


@pytest.mark.usefixtures("path_of_models")
def test_workers_of_this_machine_leave_no_process(tmp_path: Path) -> None:
    import ray

    project = Project(tmp_path, examples=6, wordings=4)
    before = ray_processes()
    run = project.evaluate("run", "local:2")
    assert rows_of(run) == rows_of(project.evaluate("alone"))
    assert not ray.is_initialized()
    ends = time.monotonic() + 30
    while (left := ray_processes() - before) and time.monotonic() < ends:
        time.sleep(0.2)
    assert left == set()


@pytest.mark.usefixtures("path_of_models")
def test_ray_is_started_once_for_several_scorers(tmp_path: Path) -> None:
    class Counting(Listener):
        starts = 0

        def noted(self, message: str) -> None:
            self.starts += message.startswith("starting Ray")

    project, listener = Project(tmp_path, examples=4, wordings=3), Counting()
    scoring = "loglikelihood,loglikelihood_norm,generate"
    run, alone = (
        project.evaluate("run", "local:2", listener, scoring=scoring),
        project.evaluate("alone", scoring=scoring),
    )
    for name in scoring.split(","):
        assert rows_of(run.select(name)) == rows_of(alone.select(name))
    assert listener.starts == 1


def ray_processes() -> set[int]:
    """The processes of Ray that this one started."""
    import psutil

    names = ("raylet", "gcs_server", "ray::")
    children = psutil.Process().children(recursive=True)
    return {child.pid for child in children if any(name in " ".join(child.cmdline()) for name in names)}
