"""Which source reads a path: recognized, named, or of an installed package."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof import logs
from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.logs import LogRequest, find_source, read_logs, source_names
from phraseproof.logs.cells import Log, LoggedCell, LogPlace

DATA = Path(__file__).parent / "data"


class OurReader:
    """A source of another package."""

    @staticmethod
    def recognizes(path: Path, /) -> bool:
        return path.suffix == ".ours"

    @staticmethod
    def read(paths: list[Path], request: LogRequest, /) -> Log:
        place = LogPlace(request.model or "m", "t", "w", "s")
        return Log("ours", paths, [LoggedCell(place, [Outcome("1", 1.0)], str(paths[0]))])


class OurEntry:
    """The entry point of that package."""

    def load(self) -> type[OurReader]:
        return OurReader


@pytest.mark.parametrize(
    ("folder", "source"),
    [("lm_eval", "lm-eval"), ("inspect", "inspect"), ("helm", "helm"), ("promptfoo/opinions.json", "promptfoo")],
)
def test_every_log_is_recognized_by_one_source(folder: str, source: str) -> None:
    assert find_source([DATA / folder]) == source


def test_what_no_source_or_several_sources_recognize_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").touch()
    with pytest.raises(FileError, match="not a known kind of log"):
        find_source([tmp_path / "x.txt"])
    with pytest.raises(FileError, match="can be a log of lm-eval and of inspect and of helm"):
        find_source([DATA])
    with pytest.raises(UsageError, match="of several programs"):
        find_source([DATA / "lm_eval", DATA / "helm"])
    with pytest.raises(FileError, match="no such file"):
        find_source([tmp_path / "none"])
    with pytest.raises(FileError, match="no such file"):
        read_logs("csv", [tmp_path / "none"], LogRequest())
    with pytest.raises(UsageError, match="no logs are called 'xml'"):
        read_logs("xml", [DATA], LogRequest())


def test_an_installed_package_adds_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_entry_points", lambda: {"ours": OurEntry()})
    path = tmp_path / "x.ours"
    path.touch()
    assert source_names()[-1] == "ours"
    assert find_source([path]) == "ours"
    assert read_logs("ours", [path], LogRequest(model="n")).cells[0].place.model == "n"
