"""Everything needed to repeat a run, from its own `run.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from phraseproof.energy.session import read_sessions, total_of
from phraseproof.identity import content_hash
from phraseproof.reports.build.text import printable

if TYPE_CHECKING:
    from phraseproof.core import Cell
    from phraseproof.store.queries import Run

_UNITS = {"_s": "seconds", "_bytes": "bytes", "_kwh": "kWh", "_kg": "kg", "_percent": "%"}


class Provenance(NamedTuple):
    """What to say of a run's origin.

    Attributes:
        command: as it was typed; `None` where it is not known.
        settings, versions, usage: name and value, in order.
        tasks: name, kind, examples, source and content hash of each.
        cells: how many there are, and a hash over the identities of all.
        self_test: name, result and detail of each check.
    """

    command: str | None
    settings: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    usage: list[tuple[str, str]]
    tasks: list[tuple[str, ...]]
    cells: tuple[int, str]
    self_test: list[tuple[str, str, str]]


def provenance(run: Run) -> Provenance:
    """Read it; what a run does not hold is left out."""
    content = run.content
    environment = dict(_section(content, "environment"))
    command = environment.pop("command", None)
    return Provenance(
        command=None if command is None else printable(str(command)),
        settings=[(name, _shown(value)) for name, value in _flat(run.settings)],
        versions=[(printable(str(name)), _shown(value)) for name, value in environment.items()],
        usage=[*_usages(_section(content, "usage")), *_costs(content)],
        tasks=[
            (
                printable(name),
                *(_shown(_mapping(entry).get(key, "")) for key in ("kind", "num_examples", "source", "content")),
            )
            for name, entry in _section(content, "tasks").items()
        ],
        cells=(len(run.cells), cells_hash(run.cells)),
        self_test=[
            (
                printable(name),
                "passed" if _mapping(check).get("passed") else "failed",
                printable(str(_mapping(check).get("detail", ""))),
            )
            for name, check in _section(content, "self_test").items()
        ],
    )


def cells_hash(cells: Iterable[Cell]) -> str:
    """A hash over the identities of cells, in any order."""
    return content_hash(sorted(cell.identity for cell in cells))


def _section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _mapping(content.get(name))


def _mapping(found: Any) -> Mapping[str, Any]:
    """Other types are treated as empty."""
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in settings.items():
        flat += (
            _flat(_mapping(value), f"{prefix}{name} ")
            if isinstance(value, Mapping)
            else [(printable(prefix + name), value)]
        )
    return flat


def _usages(usage: Mapping[str, Any]) -> list[tuple[str, str]]:
    shown = [_usage(name, value) for name, value in usage.items()]
    asked, computed = usage.get("tokens_asked"), usage.get("tokens_computed")
    if isinstance(asked, int) and isinstance(computed, int) and asked > 0:
        saved = asked - computed
        after = list(usage).index("tokens_computed") + 1
        shown.insert(after, ("tokens saved", f"{saved:,} ({100 * saved / asked:.1f}%)"))
    return shown


def _costs(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The hardware of a run's sessions, and their energy where it was tracked."""
    sessions = read_sessions(content)
    total = total_of(sessions)
    hardware = dict.fromkeys(each.hardware for each in sessions if each.hardware)
    shown = [("hardware", printable("; ".join(hardware)))] if hardware else []
    if total.kwh is not None:
        shown.append(("energy", f"{total.kwh:.3g} kWh ({total.basis}; tracked for {total.tracked_s:,.0f} seconds)"))
    if total.kg_co2 is not None:
        shown.append(("CO2 equivalent", printable(f"{total.kg_co2:.3g} kg ({', '.join(total.places)})")))
    return shown


def _usage(name: str, value: Any) -> tuple[str, str]:
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    ending = next((ending for ending in _UNITS if name.endswith(ending)), "")
    label = printable(name.removesuffix(ending).replace("_", " "))
    if name.endswith("_bytes") and isinstance(value, int | float):
        return label, f"{value / 2**20:,.0f} MiB"
    if isinstance(value, float):
        value = f"{value:,.2f}"
    elif isinstance(value, int):
        value = f"{value:,}"
    return label, f"{printable(str(value))} {unit}".strip()


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value))
