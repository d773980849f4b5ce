from __future__ import annotations

import platform
from pathlib import Path

from phraseproof.energy.hardware import hardware_of, processor_name


def test_a_processor_is_named_as_the_system_names_it() -> None:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = {" ".join(line.partition(":")[2].split()) for line in lines if line.startswith("model name")}
    assert processor_name() in names or not names
    assert processor_name()


def test_the_processor_comes_last_and_equal_accelerators_are_counted() -> None:
    assert hardware_of(["cpu", "cpu"]).startswith(processor_name())
    both = hardware_of(["xpu:0", "xpu:0", "mps"])
    assert both.startswith("1 x xpu:0; 1 x mps; ")
    assert both.endswith(" cores")
    assert platform.machine()
