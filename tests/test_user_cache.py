"""The user's cache folder: entries are used only while no other user can have changed them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from phraseproof import user_cache
from phraseproof.user_cache import cache_folder, stored_text


class Maker:
    """Makes a text, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> str:
        self.times += 1
        return "first line\nsecond line, é\n"

    def stored(self, key: str = "key") -> str:
        return stored_text("texts", key, self)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(user_cache.SWITCH, raising=False)
    return tmp_path / "phraseproof" / "texts"


def test_a_text_is_made_once_per_key(cache: Path) -> None:
    make = Maker()
    assert {make.stored() for _ in range(3)} == {"first line\nsecond line, é\n"}
    assert make.times == 1
    make.stored("another")
    assert make.times == 2
    assert {path.name for path in cache.iterdir()} == {"key", "another"}
    assert cache.stat().st_mode & 0o777 == 0o700


DAMAGES: list[Callable[[Path], object]] = [
    lambda entry: entry.write_text("", encoding="utf-8"),
    lambda entry: entry.write_text(entry.read_text(encoding="utf-8")[:-3], encoding="utf-8"),
    lambda entry: entry.write_text(entry.read_text(encoding="utf-8") + "more", encoding="utf-8"),
    lambda entry: entry.write_bytes(b"\xff\xfe\xff"),
    lambda entry: entry.chmod(0o666),
    lambda entry: entry.unlink(),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_entry_that_is_damaged_or_open_to_others_is_made_again(
    cache: Path, damage: Callable[[Path], object]
) -> None:
    make = Maker()
    expected = make.stored()
    damage(cache / "key")
    assert make.stored() == expected
    assert make.times == 2
    assert make.stored() == expected
    assert make.times == 2


def test_a_group_that_may_write_by_default_changes_nothing(cache: Path) -> None:
    make = Maker()
    before = os.umask(0o002)
    try:
        assert make.stored() == make.stored()
    finally:
        os.umask(before)
    assert make.times == 1
    assert {path.stat().st_mode & 0o077 for path in (cache.parent, cache, cache / "key")} == {0}


def test_a_folder_that_others_can_write_to_is_not_used(cache: Path) -> None:
    assert cache_folder("texts") == cache
    cache.parent.chmod(0o777)
    assert cache_folder("texts") is None


@pytest.mark.usefixtures("cache")
def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(user_cache.SWITCH, "off")
    make = Maker()
    assert make.stored() == make.stored()
    assert make.times == 2
    assert cache_folder("texts") is None


def test_a_relative_folder_in_the_environment_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(user_cache.SWITCH, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder("texts") == tmp_path / ".cache" / "phraseproof" / "texts"
    monkeypatch.setenv("HOME", "relative")
    monkeypatch.chdir(tmp_path)
    assert cache_folder("texts") is None
    assert not (tmp_path / "relative").exists()


def test_a_place_that_cannot_be_written_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    make = Maker()
    assert make.stored() == make.stored()
    assert make.times == 2


def test_old_entries_are_removed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_cache, "MOST_KEPT", 3)
    make = Maker()
    for key in "abcde":
        make.stored(key)
    assert len(list(cache.iterdir())) == 3


@pytest.mark.usefixtures("cache")
def test_what_making_it_raises_is_raised() -> None:
    def fail() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stored_text("texts", "key", fail)
