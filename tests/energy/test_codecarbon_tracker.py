"""Codecarbon itself on this machine's processor; meters of other machines by what codecarbon reports there."""

from __future__ import annotations

import json
import socket
import threading
import time
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from phraseproof.energy import codecarbon_tracker as module
from phraseproof.energy.codecarbon_tracker import CodecarbonTracker, carbon_intensity, reason_against
from phraseproof.energy.meter import SessionMeter
from phraseproof.energy.session import Energy, Workload
from phraseproof.errors import UsageError


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("COUNTRY_ISO_CODE", "FORCE_CARBON_INTENSITY_G_CO2E_KWH", "PUE"):
        monkeypatch.delenv(f"CODECARBON_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PHRASEPROOF_ENERGY", raising=False)
    monkeypatch.setattr(module, "START_AFTER_S", 0.0)
    monkeypatch.chdir(tmp_path)


def finished(tracker: CodecarbonTracker) -> Energy:
    """The first energy that it reports."""
    for _ in range(1200):
        if (found := tracker.read()) is not None:
            tracker.read(stop=True)
            return found
        time.sleep(0.1)
    raise AssertionError(tracker.problem)


def test_this_machine_is_tracked_without_files_output_and_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_args: object) -> None:
        raise AssertionError("the network is used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("CODECARBON_COUNTRY_ISO_CODE", "deu")
    found = finished(CodecarbonTracker(["cpu"], "process"))
    assert set(found.parts) == {"cpu", "ram"}
    assert not found.parts["ram"].is_measured
    assert 0 < found.kwh < 0.1
    assert found.place == "DEU"
    mix = json.loads((resources.files("codecarbon") / "data/private_infra/global_energy_mix.json").read_text("utf-8"))
    assert found.kg_co2 == pytest.approx(found.kwh * mix["DEU"]["carbon_intensity"] / 1000)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_factor_of_a_data_centre_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARBON_PUE", "1.5")
    found = finished(CodecarbonTracker(["cpu"], "process"))
    assert found.pue == 1.5
    assert (found.kg_co2, found.place) == (None, "")


def test_work_that_ends_at_once_has_no_energy_and_does_not_start_codecarbon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_AFTER_S", 3600.0)
    monkeypatch.setattr(module, "_offline_tracker", lambda *_args: pytest.fail("codecarbon is started"))
    tracker = CodecarbonTracker(["cpu"], "process")
    assert tracker.read() is None
    assert tracker.read(stop=True) is None
    assert tracker.problem == "the work ended before the tracking started"
    joined()  # nothing waits for the hour


def joined() -> None:
    """Wait until nothing starts or waits to start."""
    for thread in threading.enumerate():
        if thread.name == "energy":
            thread.join()


class Elsewhere:
    """Codecarbon on another machine: what it found there, and 0.1, 0.6 and 0.05 kWh."""

    def __init__(self, hardware: list[str], latest: Any) -> None:
        self._conf, self._latest = {"hardware": hardware}, latest

    def start(self) -> None: ...

    def flush(self) -> None:
        data = SimpleNamespace(
            cpu_energy=0.1, gpu_energy=0.6, ram_energy=0.05, duration=60.0, codecarbon_version="3", pue=1.0
        )
        self._latest.out(data, data)

    stop = flush


@pytest.mark.parametrize(
    ("hardware", "devices", "measured"),
    [
        (["RAM()", "CPU(Intel Rapl)", "GPU(gpu_ids=['0']) (NVIDIA H200)"], ["cuda:0"], {"cpu": "RAPL", "gpu": "NVML"}),
        (["RAM()", "CPU(Intel Rapl)", "GPU(gpu_ids=None) (NVIDIA H200)"], ["cpu"], {"cpu": "RAPL"}),
        (["RAM()", "CPU(AMD EPYC > 85W [generic])", "GPU() (NVIDIA A40)"], ["cuda"], {"gpu": "NVML"}),
        (["RAM()", "CPU(Cpu Load)"], ["cpu"], {}),
    ],
)
def test_what_a_meter_gave_is_told_from_what_is_estimated(
    hardware: list[str], devices: list[str], measured: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_gpus: object, _scope: object, latest: object) -> Elsewhere:
        return Elsewhere(hardware, latest)

    monkeypatch.setattr(module, "_offline_tracker", make)
    found = finished(CodecarbonTracker(devices, "machine"))
    assert {name: part.source for name, part in found.parts.items() if part.is_measured} == measured
    # The GPUs of a machine are idle, or in use by others, while a processor computes.
    assert found.kwh == pytest.approx(0.15 if devices == ["cpu"] else 0.75)


@pytest.mark.parametrize(
    ("devices", "visible", "tracked"),
    [
        (["cuda:1"], "", ["1"]),
        (["cuda"], "", ["0"]),
        (["cuda:1"], "3,GPU-5f", ["GPU-5f"]),
        (["cuda:0", "cuda:1", "cuda:0"], "2,3", ["2", "3"]),
    ],
)
def test_only_the_gpus_of_the_work_are_tracked(
    devices: list[str], visible: str, tracked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def make(gpus: object, _scope: object, latest: object) -> Elsewhere:
        asked.append(gpus)
        return Elsewhere(["GPU(NVIDIA)"], latest)

    monkeypatch.setattr(module, "_offline_tracker", make)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    finished(CodecarbonTracker(devices, "process"))
    assert asked == [tracked]


def test_a_failure_of_codecarbon_is_a_reason_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise OSError("no meter")

    monkeypatch.setattr(module, "_offline_tracker", fail)
    tracker = CodecarbonTracker(["cpu"], "process")
    joined()
    assert tracker.read(stop=True) is None
    assert tracker.problem == "codecarbon failed: OSError"


def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reason_against() is None
    monkeypatch.setenv("PHRASEPROOF_ENERGY", "off")
    assert reason_against() == "switched off by PHRASEPROOF_ENERGY"


def test_the_co2_of_electricity_is_given_or_that_of_a_country(monkeypatch: pytest.MonkeyPatch) -> None:
    assert carbon_intensity() is None
    monkeypatch.setenv("CODECARBON_FORCE_CARBON_INTENSITY_G_CO2E_KWH", "210")
    assert carbon_intensity() == (0.21, "210 g/kWh")


@pytest.mark.parametrize(
    ("name", "value"), [("COUNTRY_ISO_CODE", "ATLANTIS"), ("FORCE_CARBON_INTENSITY_G_CO2E_KWH", "much")]
)
def test_a_setting_that_codecarbon_cannot_use_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CODECARBON_{name}", value)
    with pytest.raises(UsageError, match=value):
        carbon_intensity()


def test_energy_without_co2_says_which_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARBON_COUNTRY_ISO_CODE", "GER")
    monkeypatch.setattr(module, "_offline_tracker", lambda _gpus, _scope, latest: Elsewhere(["CPU(Cpu Load)"], latest))
    warnings: list[str] = []
    meter = SessionMeter(["cpu"], warnings.append)
    joined()
    first, found = (meter.read(lambda: Workload(("cpu",), "float32", "by tokens")).energy for _ in range(2))
    assert found is not None
    assert first == found
    assert (found.kwh, found.kg_co2) == (pytest.approx(0.15), None)
    assert found.no_co2.startswith("CODECARBON_COUNTRY_ISO_CODE")
    assert warnings == [f"CO2 is not recorded: {found.no_co2}"]
    assert "GER" in warnings[0]
