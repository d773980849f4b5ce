"""The bar and the lines on stderr: numbers are whole in a terminal of any width."""

from __future__ import annotations

import io

import pytest

from phraseproof.cli.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [40, 45, 71, 72, 80, 200])
def test_numbers_are_never_cut(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    with ProgressBar() as bar:
        bar.started(total=1_120_000, done=4000)
        bar.advanced(2000)
        bar.warned("[bold]as it is[/bold]")
    shown = terminal.getvalue()
    assert "6000/1120000" in shown
    assert "…" not in shown
    assert "left -:--:--" in shown
    assert ("0 prompts " in shown.partition("continuing with the rest")[2]) == (columns >= 72)
    assert "warning: [bold]as it is[/bold]" in shown


def test_without_a_terminal_there_are_lines_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phraseproof.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with ProgressBar() as bar:
        bar.started(total=2000, done=0)
        bar.advanced(1500)
    assert capsys.readouterr().err == "1,500 of 2,000 prompts scored\n"


def test_quiet_keeps_to_warnings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with ProgressBar(quiet=True) as bar:
        bar.started(total=20, done=5)
        bar.advanced(5)
        bar.warned("look out")
    assert capsys.readouterr().err == "warning: look out\n"
