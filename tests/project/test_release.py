"""A release is refused until tag, package, citation and changelog agree; its notes have what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.release import ReleaseError, check, notes

CHANGELOG = "# Changelog\n\n## 0.2.0 ({})\n\n* **New.**\n\n## 0.1.0 (2026-01-02)\n\n* **Old.**\n"


def _repository(root: Path, *, date: str = "2026-12-01", cited: str = "0.2.0", cited_date: str = "2026-12-01") -> Path:
    (root / "src" / "phraseproof").mkdir(parents=True)
    (root / "src" / "phraseproof" / "version.py").write_text('__version__ = "0.2.0"\n', encoding="utf-8")
    (root / "CHANGELOG.md").write_text(CHANGELOG.format(date), encoding="utf-8")
    citation = f"cff-version: 1.2.0\nversion: {cited}\ndate-released: {cited_date}\n"
    (root / "CITATION.cff").write_text(citation, encoding="utf-8")
    return root


def test_what_agrees_passes(tmp_path: Path) -> None:
    check(_repository(tmp_path), "v0.2.0")


@pytest.mark.parametrize(
    ("changed", "tag", "message"),
    [
        ({}, "v0.3.0", r"the tag is 'v0\.3\.0', but .*'0\.2\.0'"),
        ({"cited": "0.1.0"}, "v0.2.0", r"CITATION\.cff: expected the version '0\.2\.0', found '0\.1\.0'"),
        ({"date": "unreleased"}, "v0.2.0", r"0\.2\.0 has no date \(found 'unreleased'\)"),
        ({"cited_date": "2026-11-30"}, "v0.2.0", r"expected `date-released: 2026-12-01`"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, changed: dict[str, str], tag: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        check(_repository(tmp_path, **changed), tag)


def test_notes_are_this_versions_with_size_and_times(tmp_path: Path) -> None:
    measured = {
        "python": "3.12.1", "wheel_bytes": 9_540_000, "empty_s": 0.02, "import_s": 0.035, "version_s": 0.25,
    }  # fmt: skip
    text = notes(_repository(tmp_path), measured)
    assert text.startswith("* **New.**\n\nWheel: 9.5 MB. On Python 3.12.1, `import phraseproof` adds 15 ms to a start")
    assert "of 20 ms, and `phraseproof --version` takes 250 ms" in text
    assert "Old" not in text


def test_notes_without_a_measurement_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="was not measured"):
        notes(_repository(tmp_path), {"python": "3.12.1", "wheel_bytes": 1})
