"""Versions and entry points of installed packages."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from phraseproof.installed import entry_points, versions


def test_packages_are_searched_once_and_again_when_a_folder_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = "phraseproof.made_up"
    assert not entry_points(group)
    record = tmp_path / "made_up-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1.0\n", encoding="utf-8")
    (record / "entry_points.txt").write_text(f"[{group}]\nfirst = made_up:first\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [(each.name, each.value) for each in entry_points(group)] == [("first", "made_up:first")]
    monkeypatch.setattr(metadata, "entry_points", lambda **_: pytest.fail("packages are searched again"))
    assert [each.name for each in entry_points(group)] == ["first"]


def test_versions_are_those_of_the_packages_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("numpy", "made-up-too", "pytest")
    expected = {name: metadata.version(name) for name in ("numpy", "pytest")}
    assert versions(names) == expected
    record = tmp_path / "made_up_too-2.5.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up-too\nVersion: 2.5\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert versions(names) == {"numpy": expected["numpy"], "made-up-too": "2.5", "pytest": expected["pytest"]}
    monkeypatch.setattr(metadata, "version", lambda _: pytest.fail("packages are searched again"))
    assert versions(names)["made-up-too"] == "2.5"
