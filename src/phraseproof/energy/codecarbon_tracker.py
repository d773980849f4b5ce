"""Tracks electricity with the library codecarbon, offline and without output.

It reads the meters of processors (RAPL) and GPUs (NVML) where the system gives access to them, and otherwise estimates
from the processor's thermal design power and its load. Memory is always estimated. Its configuration
(`CODECARBON_*` and `.codecarbon.config`) is the user's; what would write files or use the network is off.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from phraseproof.energy.session import Energy, EnergyPart
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from codecarbon.output_methods.emissions_data import EmissionsData

SWITCH = "PHRASEPROOF_ENERGY"
"""The environment variable that switches the tracking off where codecarbon is installed: `off`."""

_COUNTRY = "CODECARBON_COUNTRY_ISO_CODE"
_INTENSITY = "CODECARBON_FORCE_CARBON_INTENSITY_G_CO2E_KWH"

START_AFTER_S = 5.0
"""Codecarbon takes over a second of processor time to identify the hardware: shorter work does not pay for that."""

NOT_INSTALLED = "the extra energy is not installed"
SWITCHED_OFF = f"switched off by {SWITCH}"
TOO_SHORT = "the work ended before the tracking started"

Scope = Literal["process", "machine"]
"""Whose load of the processor counts where energy is estimated: that of this process and its children, or all."""

_METERS = {
    "CPU(Intel Rapl)": "RAPL",
    "CPU(Windows Emi)": "Windows EMI",
    "CPU(Intel Power Gadget)": "Intel Power Gadget",
    "AppleSiliconChip": "powermetrics",
    "Raspberry": "PMIC",
}
"""Codecarbon's descriptions of processors that it has a meter for."""

_ESTIMATED_CPU = "estimated from TDP and load"
_ESTIMATED_RAM = "estimated from its size"


class CarbonIntensity(NamedTuple):
    """The CO2 of electricity.

    Attributes:
        kg_per_kwh: in kilograms of CO2 equivalent.
        place: a country by its ISO code, or the grams per kWh that were given.
    """

    kg_per_kwh: float
    place: str


class CodecarbonTracker:
    """Tracks from `START_AFTER_S` after its creation on. It starts in the background.

    Args:
        devices: of the work, as torch names them: other GPUs do not count.
        scope: whose load of the processor counts.
    """

    def __init__(self, devices: Sequence[str], scope: Scope) -> None:
        self._gpus = _gpu_ids(devices)
        self._scope: Scope = scope
        self._latest = _Latest()
        self._lock = threading.Lock()
        self._tracker: Any = None
        self._intensity: CarbonIntensity | None = None
        self._no_co2 = ""
        self._is_stopped = False
        self.problem = TOO_SHORT
        self._starting = threading.Timer(START_AFTER_S, self._start)
        self._starting.name, self._starting.daemon = "energy", True
        self._starting.start()

    def read(self, *, stop: bool = False) -> Energy | None:
        """The energy so far; `None` where there is none to report, and then `problem` says why.

        Args:
            stop: end the tracking.
        """
        if stop:
            self._starting.cancel()
        with self._lock:
            self._is_stopped = self._is_stopped or stop
            tracker = self._tracker
            if tracker is None:
                return None
            try:
                tracker.stop() if stop else tracker.flush()
                return self._energy(tracker)
            except Exception as error:  # noqa: BLE001 - codecarbon raises any kind, and none may end the tracked work
                self.problem = f"codecarbon failed: {type(error).__name__}"
                return None
            finally:
                if stop:
                    self._tracker = None

    def _start(self) -> None:
        try:
            try:
                self._intensity = carbon_intensity()
            except UsageError as error:
                self._no_co2 = str(error)
            tracker = _offline_tracker(self._gpus, self._scope, self._latest)
            tracker.start()
            with self._lock:
                if not self._is_stopped:
                    self._tracker = tracker
                    return
            tracker.stop()
        except Exception as error:  # noqa: BLE001 - as in `read`
            self.problem = f"codecarbon failed: {type(error).__name__}"

    def _energy(self, tracker: Any) -> Energy | None:
        data = self._latest.data
        if data is None:
            self.problem = "codecarbon reported nothing"
            return None
        # There is no public name for how it measures.
        hardware: list[str] = tracker._conf.get("hardware", [])  # noqa: SLF001
        parts = {"cpu": EnergyPart(data.cpu_energy, *_cpu_source(hardware))}
        if self._gpus is not None:
            is_nvidia = any(each.startswith("GPU") and "nvidia" in each.casefold() for each in hardware)
            parts["gpu"] = EnergyPart(data.gpu_energy, "NVML" if is_nvidia else "AMD SMI or powermetrics", True)
        parts["ram"] = EnergyPart(data.ram_energy, _ESTIMATED_RAM, False)
        found = self._intensity
        kwh = sum(part.kwh for part in parts.values())
        return Energy(
            parts,
            seconds=data.duration,
            tracker=f"codecarbon {data.codecarbon_version}",
            pue=data.pue,
            kg_co2=None if found is None else found.kg_per_kwh * kwh,
            place="" if found is None else found.place,
            no_co2=self._no_co2,
        )


def reason_against() -> str | None:
    """Why energy is not tracked here; `None` where it is."""
    if os.environ.get(SWITCH, "").casefold() in {"off", "0", "no", "false"}:
        return SWITCHED_OFF
    return None if importlib.util.find_spec("codecarbon") else NOT_INSTALLED


def carbon_intensity() -> CarbonIntensity | None:
    """The CO2 of the electricity here, from codecarbon's data; `None` where its configuration does not say where.

    Raises:
        UsageError: its configuration names no country that it knows, or no number.
    """
    _silence()
    from codecarbon.core.config import get_hierarchical_config
    from codecarbon.core.emissions import Emissions
    from codecarbon.core.units import Energy as Amount
    from codecarbon.external.geography import GeoMetadata
    from codecarbon.input import DataSource

    settings: Mapping[str, str] = get_hierarchical_config()
    if given := settings.get("force_carbon_intensity_g_co2e_kwh"):
        try:
            grams = float(given)
        except ValueError:
            grams = -1.0
        if not 0 <= grams < float("inf"):
            raise UsageError("not an amount of CO2", expected="grams per kWh", got=given, where=_INTENSITY)
        return CarbonIntensity(grams / 1000, f"{grams:g} g/kWh")
    country = settings.get("country_iso_code", "").upper()
    if not country:
        return None
    known: Mapping[str, Any] = DataSource().get_global_energy_mix_data()
    if country not in known:
        raise UsageError(
            "codecarbon knows no such country",
            expected="an ISO 3166 code of three letters, such as DEU",
            got=country,
            where=_COUNTRY,
        )
    place = GeoMetadata(country, known[country]["country_name"])
    return CarbonIntensity(
        float(Emissions(DataSource()).get_country_emissions(Amount.from_energy(kWh=1), place)), country
    )


class _Latest:
    """Receives what codecarbon reports, and keeps the latest."""

    data: EmissionsData | None = None

    def out(self, total: EmissionsData, delta: EmissionsData) -> None:
        del delta
        self.data = total

    def live_out(self, total: EmissionsData, delta: EmissionsData) -> None:
        self.out(total, delta)

    def task_out(self, data: object, experiment_name: str) -> None:
        """Nothing: there are no tasks."""

    def exit(self) -> None:
        """Nothing to close."""


def _offline_tracker(gpus: list[str] | None, scope: Scope, latest: _Latest) -> Any:
    _silence()
    from codecarbon import OfflineEmissionsTracker

    return OfflineEmissionsTracker(
        # CO2 is computed by `carbon_intensity`, which uses no network whatever the configuration says.
        country_iso_code=None,
        cloud_provider=None,
        cloud_region=None,
        force_carbon_intensity_g_co2e_kwh=0,
        emissions_endpoint=None,
        output_methods=[],
        output_handlers=[latest],
        log_level="critical",
        allow_multiple_runs=True,
        tracking_mode=scope,
        gpu_ids=gpus or None,
    )


def _silence() -> None:
    importlib.import_module("codecarbon")  # sets the level when it is imported
    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)


def _cpu_source(hardware: Sequence[str]) -> tuple[str, bool]:
    for described in hardware:
        for beginning, meter in _METERS.items():
            if described.startswith(beginning):
                return meter, True
    return _ESTIMATED_CPU, False


def _gpu_ids(devices: Sequence[str]) -> list[str] | None:
    """The GPUs of the work, as the driver counts them; empty where only their total is known, `None` without any."""
    used = [device for device in devices if not device.startswith("cpu")]
    if not used:
        return None
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    found: list[str] = []
    for device in used:
        kind, _, number = device.partition(":")
        if kind != "cuda" or not (number or "0").isdecimal():
            return []
        index = int(number or 0)
        found.append(visible[index].strip() if index < len(visible) else str(index))
    return list(dict.fromkeys(found))
