from __future__ import annotations

from pathlib import Path

import pytest

from support.local_hub import LocalHub, install


@pytest.fixture
def local_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalHub:
    return install(monkeypatch, tmp_path / "hub")


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let `datasets` keep what it reads in the test's folder."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
