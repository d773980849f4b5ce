from __future__ import annotations

import subprocess
import sys
import time

import pytest

from phraseproof.energy.meter import SERVED, SessionMeter
from phraseproof.energy.session import Workload


def test_time_is_that_of_the_clock_and_of_the_processor_with_children() -> None:
    meter = SessionMeter(["cpu"], print)
    began = time.perf_counter()
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    found = meter.read(lambda: Workload(("cpu",), "float32", "by tokens"))
    assert 0 < found.wall_s <= time.perf_counter() - began + 0.5
    assert found.cpu_s >= 0.25
    assert (found.precision, found.batch) == ("float32", "by tokens")
    assert found.energy is None
    assert found.no_energy == "switched off by PHRASEPROOF_ENERGY"


def test_a_model_behind_a_server_has_no_hardware_and_no_energy_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHRASEPROOF_ENERGY")
    found = SessionMeter([], print).read(lambda: Workload((), "", "by tokens"), stop=True)
    assert (found.hardware, found.energy, found.no_energy) == ("", None, SERVED)


def test_two_sessions_have_two_names() -> None:
    first = SessionMeter(["cpu"], print)
    time.sleep(0.01)
    assert SessionMeter(["cpu"], print).name != first.name


def test_work_of_other_machines_is_not_tracked_and_says_why() -> None:
    found = SessionMeter(["4 workers"], print, untracked="elsewhere").read(
        lambda: Workload((), "", "by tokens"), stop=True
    )
    assert found.energy is None
    assert found.no_energy == "elsewhere"
