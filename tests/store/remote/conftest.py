from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.object_stores import fragile_memory, use_machine


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_machine(monkeypatch, tmp_path, "here")
    with fragile_memory():
        yield
