"""No sentence of the code or the documentation falls back into the idiom that docs/style.md rules out."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
_WORDS = (
    r"hangs? on",
    r"told",
    r"anew",
    r"to be had",
    r"dress(?:es|ed|ing)?",
    r"a page otherwise than",
    r"mend(?:s|ed|ing)?",
    r"alike",
    r"verdicts?",
    r"luck",
    r"endlessly",
    r"held against",
    r"(?:take|takes|taking) no part",
    r"(?:go|goes|went) on from",
    r"learnt",
)
IDIOMS = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
ALLOWED = {
    "docs/style.md": 7,  # the page that names them
    "docs/statistics.md": 1,  # the key "verdicts" of `analyze --json`, which programs read
    "src/phraseproof/reports/format/analysis_json.py": 1,  # the same
    "src/phraseproof/hardening/loop.py": 1,  # the property that `harden --json` prints
    "src/phraseproof/cli/harden.py": 2,  # the same
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
    for text in (
        "it hangs on the seed",
        "as told by",
        "drawn anew",
        "none to be had",
        "Dress a task",
        "both mended",
        "it went on from there",
    ):
        assert IDIOMS.search(text), text
    assert not IDIOMS.search("an address is untold")
