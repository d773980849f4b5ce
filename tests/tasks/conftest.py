from __future__ import annotations

from pathlib import Path

import pytest

from support.local_hub import LocalHub, install


@pytest.fixture
def local_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> LocalHub:
    return install(monkeypatch, tmp_path / "hub")
