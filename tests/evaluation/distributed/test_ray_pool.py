"""Ray as a pool, without a cluster: what is counted, and what is said where it is missing."""

from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.distributed.ray_pool import require_room, room_of
from phraseproof.evaluation.distributed.worker_options import WorkerOptions


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
