"""Ray as a pool, without a cluster: what is counted, and what is said where it is missing."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import UsageError
from phraseproof.evaluation.distributed import ray_pool
from phraseproof.evaluation.distributed.messages import Setup, TrainingSetup
from phraseproof.evaluation.distributed.ray_pool import require_room, room_of
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer
from support.inline_pool import InlinePool
from support.parity_project import write_project


def test_the_room_of_a_machine_is_that_of_its_scarcest_resource() -> None:
    machine = {"CPU": 16.0, "GPU": 2.0, "memory": 64e9, "node:10.0.0.1": 1.0}
    assert room_of(machine, WorkerOptions()) == 16
    assert room_of(machine, WorkerOptions(cpus=0.5)) == 32
    assert room_of(machine, WorkerOptions(cpus=4, gpus=1)) == 2
    assert room_of(machine, WorkerOptions(cpus=1, gpus=0.1)) == 16
    assert room_of(machine, WorkerOptions(memory_bytes=30 * 10**9)) == 2
    assert room_of({"CPU": 4.0}, WorkerOptions(gpus=1)) == 0


def test_a_machine_without_room_is_refused_and_not_waited_for() -> None:
    machine = {"CPU": 2.0, "memory": 16e9}
    require_room([machine], WorkerOptions(cpus=2, memory_bytes=10**9))
    with pytest.raises(UsageError, match=r"no room for a worker .*got 2 CPU, 0 GPU, 16.0 GB memory"):
        require_room([machine], WorkerOptions(gpus=1))
    with pytest.raises(UsageError, match="no room for a worker"):
        require_room([machine], WorkerOptions(memory_bytes=20 * 10**9))


class Cluster:
    """What is asked of the module `ray` before there are workers."""

    def nodes(self) -> list[dict[str, object]]:
        return [{"Resources": {"CPU": 2.0}}]

    def wait(self, calls: Sequence[object], **_: object) -> None:
        assert not calls


class Pool(InlinePool):
    """Workers of this process in the place of those of Ray."""

    def __init__(
        self, _ray: Cluster, options: WorkerOptions, setup: Setup | TrainingSetup, _observer: Observer, _idle: object
    ) -> None:
        super().__init__(room=options.count or 1, setup=setup)

    def release(self) -> list[object]:
        return []


def test_a_cluster_is_started_once_for_all_scorers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[WorkerOptions] = []

    @contextmanager
    def connection(options: WorkerOptions, _observer: Observer) -> Generator[Cluster]:
        starts.append(options)
        yield Cluster()

    monkeypatch.setattr(ray_pool, "connection", connection)
    monkeypatch.setattr(ray_pool, "RayPool", Pool)
    monkeypatch.setattr(ray_pool, "require_ray", lambda: None)
    project = write_project(tmp_path, examples=2, wordings=2)
    run = phraseproof.evaluate(
        "scripted",
        project / "task.yaml",
        {"mine": project / "wordings.yaml"},
        tmp_path / "run",
        scoring="loglikelihood,generate",
        workers="local:2",
    )
    assert all(run.select(name).missing == () for name in ("loglikelihood", "generate"))
    assert len(starts) == 1
