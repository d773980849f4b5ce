"""The complete cells of a run folder, found, checked and read while other processes write and compact the folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.store.cell_files import CellFiles, cell_path, read_table
from phraseproof.store.checksums import CHECKSUMS, checksum_of
from phraseproof.store.integrity import CheckedFiles
from phraseproof.store.packs import CellPlace
from phraseproof.store.run_file import RunContent

if TYPE_CHECKING:
    import pyarrow as pa

TRIALS = 4
"""How often reading is tried where cells move from files into packs meanwhile. Each moves at most once."""


class CompleteCells:
    """Finds the cells of a run that are complete under their own names.

    Args:
        run: the run folder.
        content: `run.json`.
    """

    def __init__(self, run: Path, content: RunContent) -> None:
        self._run, self._content = run, content
        self._files, self._checked = CellFiles(run), CheckedFiles()

    def missing(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """The cells that are not complete."""
        return tuple(cell for cell in cells if self._files.under_own_name(cell) is None)

    def places(self, cells: Sequence[Cell], missing: Iterable[Cell] = ()) -> list[CellPlace]:
        """Where complete cells are, their files checked.

        Args:
            cells: complete cells.
            missing: others, which may be in packs that cannot be read.

        Raises:
            RunError: a file is damaged or removed, or the list of cells in a pack of which a cell is missing.
        """
        for task in dict.fromkeys(cell.task for cell in missing):
            for error in self._files.damaged_packs(task).values():
                raise error
        for trial in range(TRIALS):
            found = [(place, cell) for cell in cells if (place := self._files.under_own_name(cell)) is not None]
            try:
                self._checked.check(self._run, dict(found), self._content)
            except RunError:
                if trial + 1 == TRIALS or not self.have_moved(place for place, _ in found):
                    raise
            else:
                if len(found) < len(cells):
                    raise RunError(
                        "files of complete cells were removed while the run was read",
                        where=str(self._run),
                        hint="Run the command again",
                    )
                return [place for place, _ in found]
        raise AssertionError

    def checksum(self, cell: Cell) -> int:
        """The CRC-32 of a complete cell's own file, also after it was compacted.

        Raises:
            RunError: the cell is not complete, or its file cannot be read.
        """
        path = cell_path(self._run, cell)
        known: Mapping[str, int] = self._content.get(CHECKSUMS, {})
        checksum = known.get(path.relative_to(self._run).as_posix())
        if checksum is not None:
            return checksum
        place = self._files.under_own_name(cell) or CellPlace(path)
        packed = place.packed
        return checksum_of(place.path) if packed is None else packed.checksum

    def have_moved(self, places: Iterable[CellPlace]) -> bool:
        """Whether a file of these places is gone; then the folder is listed again."""
        if all(path.exists() for path in {place.path for place in places}):
            return False
        self._files.refresh()
        return True

    def read(self, place: CellPlace, cell: Cell, columns: Sequence[str]) -> pa.Table:
        """The columns of a complete cell, also if its file was compacted since it was found.

        Raises:
            RunError: it is damaged.
        """
        try:
            return read_table(place, columns)
        except RunError:
            if not self.have_moved([place]):
                raise
        (moved,) = self.places([cell])
        return read_table(moved, columns)
