"""What finished runs and trainings cost, from their folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from phraseproof.energy.session import Session, read_sessions
from phraseproof.errors import RunError
from phraseproof.studies.study import StepForecast

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer

Kind = Literal["inference", "training"]
"""The two parts of Table 8."""

_LOG: Final = "training.jsonl"
_RECORD: Final = "phraseproof.json"
_RUN: Final = "run.json"


@dataclass(frozen=True)
class CostStep:
    """The folder of a run or a training, whose record is read: nothing is computed."""

    folder: Path

    @property
    def title(self) -> str:
        """As of every step."""
        return f"read {self.folder}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step."""
        del timed
        return StepForecast(0, 0)

    def carry_out(self, observer: Observer) -> int:
        """As of every step."""
        del observer
        return 0


@dataclass(frozen=True)
class FolderCost:
    """What a run or a training cost.

    Attributes:
        folder: its folder.
        kind: what was done.
        model: its name, with the method if it was trained here.
        sessions: of every process. Of a folder of an earlier version one, with its times alone.
        is_recorded: whether the folder has the record of its sessions.
        unrecorded_s: the time in the model that no session holds, because a process was killed.
    """

    folder: Path
    kind: Kind
    model: str
    sessions: tuple[Session, ...]
    is_recorded: bool
    unrecorded_s: float = 0.0


def cost_steps(roots: Sequence[Path]) -> list[CostStep]:
    """The runs and trainings in some folders, at any depth, in the order of their names."""
    found: dict[Path, None] = {}
    for root in roots:
        runs = [path.parent for path in root.rglob(_RUN)]
        trainings = [path.parent for path in root.rglob(_LOG) if (path.parent / _RECORD).exists()]
        # The hidden states of a run are in a folder inside it.
        found |= dict.fromkeys(sorted({each for each in (*runs, *trainings) if not (each.parent / _RUN).exists()}))
    return [CostStep(folder) for folder in found]


def read_cost(folder: Path) -> FolderCost | None:
    """What the run or training of a folder cost; `None` where nothing was computed, as in an imported run.

    Raises:
        RunError: its record cannot be read.
    """
    from phraseproof.store.run_file import read_run_file
    from phraseproof.store.training_record import read_record

    if (folder / _RUN).exists():
        return _run_cost(folder, read_run_file(folder))
    record = read_record(folder)
    if record is None:
        raise RunError("neither a run nor a training", where=str(folder), hint="Give the folder of --out")
    return _training_cost(folder, record)


def _run_cost(folder: Path, content: Mapping[str, Any]) -> FolderCost | None:
    model: Mapping[str, Any] = content["settings"].get("model", {})
    given = str(model.get("name", ""))
    adapter = content.get("spec", {}).get("model_options", {}).get("adapter")
    unknown = f"{given}, adapter" if model.get("adapter") else given
    name = _trained(Path(str(adapter)) if model.get("adapter") and adapter else Path(given)) or unknown
    usage: Mapping[str, Any] = content.get("usage", {})
    wall, cpu = float(usage.get("wall_s", 0.0)), float(usage.get("scoring_cpu_s", 0.0))
    sessions = read_sessions(content)
    if sessions:
        unrecorded = max(0.0, wall - sum(each.wall_s for each in sessions))
        return FolderCost(folder, "inference", name, tuple(sessions), is_recorded=True, unrecorded_s=unrecorded)
    if not wall:
        return None
    alone = Session("", str(model.get("dtype") or ""), "", wall, cpu)
    return FolderCost(folder, "inference", name, (alone,), is_recorded=False)


def _training_cost(folder: Path, record: Mapping[str, Any]) -> FolderCost | None:
    base: Mapping[str, Any] = record["base_model"]
    name = _name(record)
    result: Mapping[str, Any] = record.get("result") or {}
    sessions = read_sessions(record)
    if not sessions and "seconds" in result:
        alone = Session("", str(base.get("dtype") or ""), "", float(result["seconds"]), 0.0)
        return FolderCost(folder, "training", name, (alone,), is_recorded=False)
    return FolderCost(folder, "training", name, tuple(sessions), is_recorded=True) if sessions else None


def _trained(folder: Path) -> str | None:
    """The base model and the method of what `align` or `tune` wrote; `None` for other models."""
    from phraseproof.store.training_record import read_record

    record = read_record(folder)
    return None if record is None else _name(record)


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['base_model']['name']}, {record['settings'].get('method', 'tune')}"
