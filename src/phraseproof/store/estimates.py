"""What was drawn for a run with a budget, kept in its folder: drawing it again takes seconds per task.

A file is named by a hash of everything that its numbers depend on, so there is nothing to keep up to date: what changes
gets another name. The folder may be deleted at any time, and one that cannot be written changes nothing but the time.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.errors import RunError
from phraseproof.files import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "estimates"


class KeptDraws:
    """The arrays kept beside a run's cells; `prefix` tells sets of them apart that are tidied up each for itself."""

    def __init__(self, run: Path, prefix: str) -> None:
        self._folder = run / FOLDER
        self._prefix = prefix
        self._used: set[str] = set()
        self._wrote = False

    def get(self, key: str) -> NDArray[np.float64] | None:
        """The array of a key, or nothing where it is not there or damaged."""
        self._used.add(key)
        with suppress(OSError, ValueError, EOFError):
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
        """Drop what was not asked for, if something new came in its place."""
        if not self._wrote:
            return
        for path in self._folder.glob(f"{self._prefix}-*.npy"):
            if path.stem.removeprefix(f"{self._prefix}-") not in self._used:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{self._prefix}-{key}.npy"
