"""The cache of huggingface_hub with models of tests in it: names of the hub are then found without a network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

COMMIT = "722cf37b1afa9454edce342e7895e588b6ff1d59"


def use_cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Let the hub's library read this cache, and nothing else."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


def add_to_cache(cache: Path, name: str, model: Path, *, commit: str = COMMIT) -> Path:
    """Copy a model as the library lays it out: `refs/main`, and links in `snapshots/COMMIT` to `blobs`.

    Returns:
        The snapshot.
    """
    repository = cache / f"models--{name.replace('/', '--')}"
    blobs, snapshot = repository / "blobs", repository / "snapshots" / commit
    for folder in (blobs, snapshot, repository / "refs"):
        folder.mkdir(parents=True, exist_ok=True)
    for path in model.iterdir():
        shutil.copy(path, blobs / f"{commit}-{path.name}")
        (snapshot / path.name).symlink_to(Path("../../blobs") / f"{commit}-{path.name}")
    (repository / "refs" / "main").write_text(commit)
    return snapshot
