from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.checksums import checksum_of, require_checksum


def test_one_bit_is_noticed_and_the_file_named(tmp_path: Path) -> None:
    path = tmp_path / "cell.parquet"
    path.write_bytes(b"abc")
    require_checksum(path, checksum_of(path))
    with pytest.raises(RunError, match=r"cell\.parquet: a cell file is damaged: its checksum is not the one"):
        require_checksum(path, checksum_of(path) ^ 1)
    with pytest.raises(RunError, match="No such file"):
        checksum_of(tmp_path / "gone")
