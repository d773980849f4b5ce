from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError, UsageError
from phraseproof.instructions.paraphrase_prompts import PROMPT_SETS, ParaphrasePrompts, read_prompts


def test_the_papers_prompts() -> None:
    assert {name: len(texts) for name, texts in PROMPT_SETS.items()} == {"alpaca": 3, "flan": 3}
    assert all(text.count("{instruction}") == 1 for texts in PROMPT_SETS.values() for text in texts)
    assert read_prompts("flan") == ParaphrasePrompts("flan", PROMPT_SETS["flan"])


def test_ones_own_prompts(tmp_path: Path) -> None:
    path = tmp_path / "terse.yaml"
    path.write_text('prompts:\n  - "Shorter: {instruction}"\n')
    assert read_prompts(str(path)) == ParaphrasePrompts("terse", ("Shorter: {instruction}",))
    path.write_text("prompts:\n  - Shorter\n")
    with pytest.raises(FileError, match=r"terse.yaml:2, prompts.0: a prompt holds \{instruction\} once"):
        read_prompts(str(path))
    path.write_text("prompts: []\n")
    with pytest.raises(FileError, match="the list of prompts is empty"):
        read_prompts(str(path))
    with pytest.raises(UsageError, match="no set of prompts is called 'flann'"):
        read_prompts("flann")
