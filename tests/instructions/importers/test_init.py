from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import PhraseproofError
from phraseproof.instructions.importers import find


def test_an_unknown_source_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(PhraseproofError, match="Did you mean 'promptsource'"):
        find("promtsource", tmp_path)
