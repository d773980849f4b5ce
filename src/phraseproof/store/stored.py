"""What a run folder holds, without writing to it: for forecasts, and before a run begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from phraseproof.core import Cell, ModelIdentity
from phraseproof.files import files_below
from phraseproof.store.cell_files import CellFiles
from phraseproof.store.checksums import CHECKSUMS
from phraseproof.store.run_file import (
    ACCURACIES,
    GENERATION,
    RUN_FILE,
    EvaluatedSample,
    RunContent,
    Settings,
    read_run_file,
    require_growth,
    samples_of,
)


def stored_cells(run: Path, settings: Settings, cells: Sequence[Cell]) -> set[Cell]:
    """The cells that the run folder holds, under any name.

    Raises:
        RunError: the folder belongs to a run with other settings.
    """
    if not (run / RUN_FILE).exists():
        return set()
    content = read_run_file(run)
    if not is_empty(run, content):
        require_growth(run, content["settings"], settings)
    files = CellFiles(run)
    return {cell for cell in cells if files.of_cell(cell) is not None}


def stored_files(run: Path) -> CellFiles:
    """The index of a run folder's files."""
    content = read_run_file(run) if (run / RUN_FILE).exists() else {}
    return CellFiles(run, content.get(CHECKSUMS))


def stored_samples(run: Path) -> list[EvaluatedSample]:
    """The samples of all evaluations into a run folder."""
    return samples_of(read_run_file(run)) if (run / RUN_FILE).exists() else []


def stored_model_name(run: Path, model: ModelIdentity) -> str | None:
    """What a run folder calls a model; `None` where it holds no run, or one of another model.

    A folder that was moved is the same model under another path: its revision is a hash of its contents.
    """
    if not (run / RUN_FILE).exists():
        return None
    there: Settings = read_run_file(run)["settings"].get("model") or {}
    here = {**asdict(model), "settings": dict(model.settings)}
    return str(there["name"]) if there == {**here, "name": there.get("name")} else None


def stored_answer_limit(run: Path) -> int | None:
    """The maximum number of tokens of the generated answers in a run folder; `None` where it holds none."""
    if not (run / RUN_FILE).exists():
        return None
    content = read_run_file(run)
    if is_empty(run, content):
        return None
    limit: int | None = content["settings"].get(GENERATION, {}).get("max_new_tokens")
    return limit


def is_empty(run: Path, content: RunContent) -> bool:
    """Whether a run folder holds neither computed nor imported results."""
    return ACCURACIES not in content and not any(
        path.suffix in {".parquet", ".jsonl"} for path in files_below(run) if not path.name.startswith(".")
    )
