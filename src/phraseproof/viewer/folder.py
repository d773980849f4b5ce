"""The folder that is viewed: its runs by name, and nothing outside it."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock

from phraseproof.errors import RunError
from phraseproof.store.run_file import RUN_FILE
from phraseproof.store.summary import run_folders

ITSELF = "."
"""The name of a run that is the folder itself."""

_LISTED_FOR_S = 3.0


class ViewedFolder:
    """A run folder, or a folder with run folders below it.

    Args:
        root: the folder.

    Raises:
        RunError: there is no such folder, or it holds no run.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_run = (root / RUN_FILE).is_file()
        self._lock = Lock()
        self._names: tuple[str, ...] = ()
        self._listed = -_LISTED_FOR_S
        if not root.is_dir():
            raise RunError("no such folder", where=str(root), hint="Name a run folder, or the folder of your runs")
        if not self.names():
            raise RunError(
                "no run in this folder or below it",
                where=str(root),
                hint=f"phraseproof evaluate --out {root}/NAME makes one",
            )

    def names(self) -> tuple[str, ...]:
        """The names of the runs, sorted: their paths below the folder. Listed again after some seconds."""
        if self.is_run:
            return (ITSELF,)
        with self._lock:
            if time.monotonic() - self._listed >= _LISTED_FOR_S:
                self._names = tuple(path.relative_to(self.root).as_posix() for path in run_folders(self.root))
                self._listed = time.monotonic()
            return self._names

    def path(self, name: str) -> Path:
        """The folder of a run.

        Raises:
            RunError: no run of the folder has this name.
        """
        if name not in self.names():
            raise RunError("no run of this name in the folder that is shown", got=name or "nothing")
        return self.root if self.is_run else self.root / name

    def shown_name(self, name: str) -> str:
        """The name of a run for people."""
        return (self.root.name or self.root.resolve().name) if self.is_run else name
