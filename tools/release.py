"""Check that everything names one version, and print the notes of a release.

    python3 tools/release.py check v0.1.0      # of the tag that is pushed
    python3 tools/release.py notes             # after tools/package.py, which measures

Needs nothing but Python.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_VERSION = re.compile(r'^__version__ = "(.+)"$', re.MULTILINE)
_CITED = re.compile(r"^version: (.+)$", re.MULTILINE)
_DATE = re.compile(r"^date-released: '?(\d{4}-\d\d-\d\d)'?$", re.MULTILINE)
_SECTION = re.compile(r"^## (?P<version>\S+) \((?P<date>[^)]+)\)\n(?P<text>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
USAGE = "usage: release.py check TAG | release.py notes"


class ReleaseError(Exception):
    """A release is not ready; the message says why."""


def main(arguments: list[str]) -> None:
    """Run a command."""
    try:
        match arguments:
            case ["check", tag]:
                check(ROOT, tag)
            case ["notes"]:
                print(notes(ROOT, measurements(ROOT / "dist" / "package.json")), end="")
            case _:
                sys.exit(USAGE)
    except ReleaseError as error:
        sys.exit(f"error: {error}")


def check(root: Path, tag: str) -> None:
    """Check that the tag, the package, the citation and the changelog agree.

    Raises:
        ReleaseError: one does not.
    """
    version = version_of(root)
    if tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag!r}, but src/phraseproof/version.py says {version!r}")
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    cited = _CITED.search(citation)
    if cited is None or cited[1] != version:
        raise ReleaseError(f"CITATION.cff: expected the version {version!r}, found {cited and cited[1]!r}")
    released = _section(root, version)["date"]
    date = _DATE.search(citation)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", released):
        raise ReleaseError(f"CHANGELOG.md: {version} has no date (found {released!r})")
    if date is None or date[1] != released:
        raise ReleaseError(f"CITATION.cff: expected `date-released: {released}`, as in CHANGELOG.md")


def version_of(root: Path) -> str:
    """The version of the package's source."""
    found = _VERSION.search((root / "src" / "phraseproof" / "version.py").read_text(encoding="utf-8"))
    if found is None:
        raise ReleaseError("src/phraseproof/version.py: no line `__version__ = ...`")
    return found[1]


def measurements(path: Path) -> dict[str, float | str]:
    """What `tools/package.py` kept.

    Raises:
        ReleaseError: there is nothing.
    """
    if not path.is_file():
        raise ReleaseError("nothing was measured: run make package first")
    found: dict[str, float | str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def notes(root: Path, measured: Mapping[str, float | str]) -> str:
    """The changelog's section of the version, and what was measured of the package, as Markdown.

    Args:
        root: the repository.
        measured: what `tools/package.py` keeps.

    Raises:
        ReleaseError: the changelog has no such section, or the package without extras was not measured.
    """
    if "import_s" not in measured:
        raise ReleaseError("the package without an extra was not measured: run make package without --extras")
    empty, imported, version = (1000 * float(measured[name]) for name in ("empty_s", "import_s", "version_s"))
    return (
        f"{_section(root, version_of(root))['text'].strip()}\n\n"
        f"Wheel: {float(measured['wheel_bytes']) / 1e6:.1f} MB. On Python {measured['python']}, `import phraseproof` "
        f"adds {imported - empty:.0f} ms to a start of {empty:.0f} ms, and `phraseproof --version` takes "
        f"{version:.0f} ms (medians of ten, elapsed).\n"
    )


def _section(root: Path, version: str) -> re.Match[str]:
    sections = {
        each["version"]: each for each in _SECTION.finditer((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    }
    if version not in sections:
        raise ReleaseError(
            f"CHANGELOG.md: no section `## {version} (DATE)`; there are: {', '.join(sections) or 'none'}"
        )
    return sections[version]


if __name__ == "__main__":
    main(sys.argv[1:])
