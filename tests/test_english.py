"""No sentence of the code or the documentation falls back into the idiom that docs/style.md rules out."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
IDIOMS = re.compile(
    r"\bhangs? on\b|\btold\b|\banew\b|\bto be had\b|\bdress(?:es|ed|ing)?\b|\ba page otherwise than\b", re.IGNORECASE
)
ALLOWED = {
    "docs/style.md": 2,  # the page that names them
    "src/phraseproof/instructions/negate.py": 1,  # a pattern for English instructions: "told you to"
}
"""How many lines of a file may hold one, with the reason."""


def test_no_idiom() -> None:
    # Wordings (src/phraseproof/instructions/data, YAML) are what models read: they may be written in any style.
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
    files += [path for path in (ROOT / "src").rglob("*") if path.suffix in {".py", ".j2"}]
    assert len(files) > 300
    found: list[str] = []
    for path in sorted(files):
        name = path.relative_to(ROOT).as_posix()
        lines = [
            f"{name}:{number}: {line.strip()}"
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if IDIOMS.search(line)
        ]
        if len(lines) > ALLOWED.get(name, 0):
            found += lines
    assert found == []


def test_the_pattern_finds_what_it_is_for() -> None:
    for text in ("it hangs on the seed", "as told by", "drawn anew", "none to be had", "Dress a task"):
        assert IDIOMS.search(text), text
    assert not IDIOMS.search("an address is untold")
