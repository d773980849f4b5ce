"""Edits of `run.json` that tests make on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phraseproof.store.run_file import accept_edit


def edit_run_file(run: Path, change: Callable[[dict[str, Any]], object], *, is_accepted: bool = True) -> None:
    """Change `run.json` in place; give it a checksum of what it then holds, unless the edit is not accepted."""
    path = run / "run.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    if is_accepted:
        accept_edit(run)
