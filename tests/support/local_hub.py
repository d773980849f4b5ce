"""A folder laid out like hub repositories, and the real `datasets` library reading from it instead of the hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


class LocalHub:
    """Data sets on disk, one folder an id; `calls` records what `datasets.load_dataset` was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[tuple[str, str | None, str, str | None]] = []

    def add(self, hub_id: str, configs: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
        """Write a repository: configuration -> split -> rows, as Parquet files named in the card's metadata."""
        repository = self.folder / hub_id.replace("/", "__")
        card = ["---", "configs:"]
        for config, splits in configs.items():
            card += [f"- config_name: {config}", "  data_files:"]
            for split, rows in splits.items():
                path = repository / config / f"{split}-00000-of-00001.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(pa.Table.from_pylist(rows), path)
                card += [f"  - split: {split}", f"    path: {config}/{split}-*"]
        (repository / "README.md").write_text("\n".join([*card, "---", ""]))

    def add_script(self, hub_id: str, configs: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
        """Write a repository with a script, which `datasets` refuses, and the hub's own Parquet files of its rows."""
        repository = self.folder / hub_id.replace("/", "__")
        repository.mkdir(parents=True)
        (repository / f"{repository.name}.py").write_text("")
        for config, splits in configs.items():
            for split, rows in splits.items():
                path = self.folder / f"{repository.name}@parquet" / config / split / "0000.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(pa.Table.from_pylist(rows), path)


def install(monkeypatch: pytest.MonkeyPatch, folder: Path) -> LocalHub:
    """Send `datasets.load_dataset` to a LocalHub for the rest of a test."""
    import datasets

    hub = LocalHub(folder)
    real = datasets.load_dataset

    def load_dataset(
        path: str, name: str | None = None, *, split: str, revision: str | None = None, data_dir: str | None = None
    ) -> Any:
        hub.calls.append((path, name, split, revision))
        local = folder / path.replace("/", "__")
        if revision == "refs/convert/parquet":
            exported = str(local.with_name(f"{local.name}@parquet"))
            return real(exported, data_dir=data_dir, split=split, cache_dir=str(folder / "cache"))
        if not local.is_dir():
            return real(path, name, split=split, revision=revision)
        return real(str(local), name, split=split, cache_dir=str(folder / "cache"))

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    datasets.disable_progress_bars()
    return hub
