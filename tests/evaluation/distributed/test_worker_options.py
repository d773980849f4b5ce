"""`--workers` and `--worker-arg` as one value, or one line that says what is wrong."""

from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.distributed.worker_options import WorkerOptions, read_worker_options


def test_the_forms() -> None:
    assert read_worker_options("local:4") == WorkerOptions("local", 4)
    assert read_worker_options("ray") == WorkerOptions("auto")
    assert read_worker_options("ray:10.0.0.1:6379") == WorkerOptions("10.0.0.1:6379")
    assert read_worker_options("ray://head:10001", {"count": "3"}) == WorkerOptions("ray://head:10001", 3)
    found = read_worker_options("ray", {"cpus": "0.5", "gpus": "1", "memory": "16GB", "unit_tokens": "5000"})
    assert found == WorkerOptions("auto", None, 0.5, 1.0, 16 * 10**9, 5000)
    assert read_worker_options("ray", {"memory": "1.5 GiB"}).memory_bytes == 3 * 2**29


def test_in_words() -> None:
    assert WorkerOptions("local", 4).name == "4 workers of 1 CPU by Ray, this machine"
    assert WorkerOptions("auto", None, 2.0, 1.0, 2**31).name == "workers of 2 CPUs, 1 GPU, 2 GiB of memory by Ray, auto"


@pytest.mark.parametrize(
    ("workers", "args", "line"),
    [
        ("4", {}, r"--workers: no such workers \(expected local:N, ray, ray:HOST:PORT or ray://HOST:PORT, got '4'\)"),
        ("ray:host", {}, "--workers: no such workers"),
        ("ray://", {}, "--workers: no such workers"),
        ("local", {}, "--workers: no such workers"),
        ("local:0", {}, r"--workers local:0: 'local' must be a whole number above zero \(got '0'\)"),
        ("ray", {"count": "none"}, "--worker-arg count=none: 'count' must be a whole number above zero"),
        ("local:2", {"count": "3"}, "the number of workers is given twice"),
        ("ray", {"gpu": "1"}, r"unknown worker argument 'gpu' .*Did you mean 'gpus'\?"),
        ("ray", {"cpus": "-1"}, "--worker-arg cpus=-1: 'cpus' must be a number, from 0"),
        ("ray", {"cpus": "0"}, "a worker needs a CPU or a GPU"),
        ("ray", {"memory": "much"}, "--worker-arg memory=much: 'memory' must be a size"),
        ("ray", {"memory": "0GB"}, "'memory' must be a size"),
    ],
)
def test_what_cannot_be_read_is_one_line(workers: str, args: dict[str, str], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        read_worker_options(workers, args)
