"""The record of one session: one process's work on a run or a training, with its time, hardware and energy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

SESSIONS = "sessions"
"""The section of `run.json` and `phraseproof.json`: the record of each session, by its start and process."""


class Workload(NamedTuple):
    """What computes, and how.

    Attributes:
        devices: as torch names them (`cpu`, `cuda:0`); empty for a model behind a server.
        precision: of the weights, and of mixed precision where it is on.
        batch: how many prompts or examples are computed together, in words.
    """

    devices: tuple[str, ...]
    precision: str
    batch: str


class EnergyPart(NamedTuple):
    """The energy of one part of the machine.

    Attributes:
        kwh: in kilowatt-hours.
        source: `RAPL`, `NVML`, or from what it was estimated.
        is_measured: whether a meter of the hardware gave it.
    """

    kwh: float
    source: str
    is_measured: bool


@dataclass(frozen=True)
class Energy:
    """The electricity of a session, or of a part of it.

    Attributes:
        parts: of `cpu`, `gpu` and `ram`.
        seconds: how long it was tracked.
        pue: the factor of the data centre that `parts` contain.
        kg_co2: kilograms of CO2 equivalent; `None` where it is not known where the machine is.
        place: whose electricity it is: a country by its ISO code, or the grams per kWh that were given.
        tracker: the software that tracked it, with its version.
        no_co2: what is wrong with the setting that names the place; empty if nothing is.
    """

    parts: Mapping[str, EnergyPart]
    seconds: float
    tracker: str
    pue: float = 1.0
    kg_co2: float | None = None
    place: str = ""
    no_co2: str = ""

    @property
    def kwh(self) -> float:
        """The sum, in kilowatt-hours."""
        return sum(part.kwh for part in self.parts.values())

    @property
    def measured_kwh(self) -> float:
        """What meters of the hardware gave, in kilowatt-hours; the rest is estimated."""
        return sum(part.kwh for part in self.parts.values() if part.is_measured)


@dataclass(frozen=True)
class Session:
    """One process's work on a run or a training.

    Attributes:
        hardware: the accelerators in use, and the processor; empty for a model behind a server.
        precision, batch: as of a `Workload`.
        wall_s: the time from its start to its end.
        cpu_s: processor seconds, of child processes too.
        energy: `None` where it was not tracked.
        no_energy: why it was not.
    """

    hardware: str
    precision: str
    batch: str
    wall_s: float
    cpu_s: float
    energy: Energy | None = None
    no_energy: str = ""

    def as_record(self) -> dict[str, object]:
        """As JSON data."""
        record: dict[str, object] = {
            "hardware": self.hardware,
            "precision": self.precision,
            "batch": self.batch,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
        }
        if self.energy is None:
            return {**record, "no_energy": self.no_energy}
        energy = self.energy
        return {
            **record,
            "energy": {
                "kwh": energy.kwh,
                "measured_kwh": energy.measured_kwh,
                "parts": {name: part._asdict() for name, part in energy.parts.items()},
                "seconds": round(energy.seconds, 3),
                "pue": energy.pue,
                "kg_co2": energy.kg_co2,
                "place": energy.place,
                **({"no_co2": energy.no_co2} if energy.no_co2 else {}),
                "tracker": energy.tracker,
            },
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Session:
        """From JSON data, whose types the readers of the files checked."""
        stored: dict[str, Any] = dict(record.get("energy") or {})
        energy = None
        if stored:
            parts = {name: EnergyPart(**part) for name, part in stored["parts"].items()}
            others = {name: stored[name] for name in ("seconds", "tracker", "pue", "kg_co2", "place")}
            energy = Energy(parts, **others, no_co2=stored.get("no_co2", ""))
        plain = {name: record[name] for name in ("hardware", "precision", "batch", "wall_s", "cpu_s")}
        return cls(**plain, energy=energy, no_energy=record.get("no_energy", ""))


def read_sessions(content: Mapping[str, Any]) -> list[Session]:
    """The sessions in a `run.json` or `phraseproof.json`; none in one of an earlier version."""
    stored = cast("Mapping[str, Mapping[str, Any]]", content.get(SESSIONS) or {})
    return [Session.from_record(each) for each in stored.values()]


@dataclass(frozen=True)
class SessionTotals:
    """The sum of several sessions.

    Attributes:
        wall_s, cpu_s: of all sessions.
        kwh, measured_kwh: of the sessions that were tracked; `None` if none was.
        kg_co2: `None` if one of the tracked sessions has none.
        tracked_s: the time that the energy is of.
        places: whose electricity it was.
        sources: where the energy of each part is from, as in `gpu: NVML`.
        reasons: why sessions were not tracked.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    kwh: float | None = None
    measured_kwh: float = 0.0
    kg_co2: float | None = None
    tracked_s: float = 0.0
    places: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def basis(self) -> str:
        """Whether the energy was measured, in words: `measured`, `estimated`, `93% measured`."""
        share = self.measured_kwh / self.kwh if self.kwh else 0.0
        if not 0 < share < 1:
            return "measured" if share else "estimated"
        return f"{100 * share:.0f}% measured"


def total_of(sessions: Iterable[Session]) -> SessionTotals:
    """Add up sessions."""
    every = list(sessions)
    tracked = [each.energy for each in every if each.energy is not None]
    emitted = [each.kg_co2 for each in tracked if each.kg_co2 is not None]
    reasons = dict.fromkeys(each.no_energy for each in every if each.energy is None and each.no_energy)
    sources = (f"{name}: {part.source}" for each in tracked for name, part in each.parts.items())
    return SessionTotals(
        wall_s=sum(each.wall_s for each in every),
        cpu_s=sum(each.cpu_s for each in every),
        kwh=sum(each.kwh for each in tracked) if tracked else None,
        measured_kwh=sum(each.measured_kwh for each in tracked),
        kg_co2=sum(emitted) if tracked and len(emitted) == len(tracked) else None,
        tracked_s=sum(each.seconds for each in tracked),
        places=tuple(dict.fromkeys(each.place for each in tracked if each.place)),
        sources=tuple(dict.fromkeys(sources)),
        reasons=tuple(reasons),
    )
