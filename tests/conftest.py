"""The ground of every test: no network, no telemetry, quiet tokenizers, and the real data where it is available."""

from __future__ import annotations

import gc
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Tests of the tracking of energy switch it on; others would each look for the hardware's meters.
os.environ["PHRASEPROOF_ENERGY"] = "off"
# oneDNN compiles a kernel for every shape, and phraseproof keeps 16. Tests repeat the shapes of tiny batches; with 1024
# kernels, trainings were no faster than with 64, and each test process held some hundred megabytes more.
for _cache in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_cache, "128")

# Hypothesis fails an example that takes longer than 0.2 s. The first example of a test may load a tokenizer or a model,
# and any example may wait for another process on a busy machine: seconds say nothing about correctness here.
# Half of the default number of examples: each run draws others.
settings.register_profile("phraseproof", deadline=None, max_examples=50)
settings.load_profile("phraseproof")

# A shell without job control starts what runs in the background with SIGINT ignored, and tests interrupt themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A synced file survives a loss of power, which no test can cause, and each sync is milliseconds of waiting. What is
# synced, and in which order, is tested where it is done (test_files.py and others); other processes sync as ever.
os.fsync = os.fstat


class _Freezer:
    """Notes that a garbage collection took long: tests import packages, too."""

    def __init__(self) -> None:
        self._began = 0.0
        self.is_due = False

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.process_time()
        elif info["generation"] == 2 and time.process_time() - self._began > 0.03:
            self.is_due = True


_freezer = _Freezer()


def pytest_collection_finish() -> None:
    """Leave what the imports made out of garbage collections.

    Each training collects garbage, which takes half a second with all test modules and their packages loaded.
    """
    _freeze()
    gc.callbacks.append(_freezer)


def pytest_runtest_logfinish() -> None:
    """Between tests: a file that a test leaves open would not be found if it were left out while the test has it."""
    if _freezer.is_due:
        _freeze()


def _freeze() -> None:
    gc.collect()
    gc.freeze()
    _freezer.is_due = False


SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public research data beside a developer's checkout; tests that need it are skipped elsewhere."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public research data is not beside this checkout (../shared/data)")
    return SHARED_DATA
