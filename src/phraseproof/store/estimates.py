"""Keeps the posterior draws of a run with a budget in its folder, because drawing takes seconds per task.

A file is named by a hash of everything that its numbers depend on, so a file is never outdated: other inputs have
another name. The folder may be deleted at any time. If it cannot be written, only time is lost.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.errors import RunError
from phraseproof.files import replacing, require_regular

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "estimates"


class KeptDraws:
    """The arrays of a run. Arrays of one `prefix` are removed together when they are no longer used."""

    def __init__(self, run: Path, prefix: str) -> None:
        self._folder = run / FOLDER
        self._prefix = prefix
        self._used: set[str] = set()
        self._wrote = False

    def get(self, key: str) -> NDArray[np.float64] | None:
        """The array of a key; `None` if it is missing or damaged."""
        self._used.add(key)
        with suppress(OSError, ValueError, EOFError):
            require_regular(self._path(key))
            return np.load(self._path(key), allow_pickle=False).astype(np.float64)
        return None

    def put(self, key: str, draws: NDArray[np.float64]) -> None:
        """Keep an array, whole or not at all."""
        self._used.add(key)
        with suppress(RunError):
            with replacing(self._path(key), error=RunError) as temporary, temporary.open("wb") as file:
                np.save(file, draws, allow_pickle=False)
            self._wrote = True

    def tidy(self) -> None:
        """Remove the arrays that were not used, if new ones were written."""
        if not self._wrote:
            return
        for path in self._folder.glob(f"{self._prefix}-*.npy"):
            if path.stem.removeprefix(f"{self._prefix}-") not in self._used:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{self._prefix}-{key}.npy"
