"""The bar and the lines on stderr: numbers are whole in a terminal of any width."""

from __future__ import annotations

import io
import re

import pytest

from phraseproof.cli.progress import ProgressBar, duration


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


def test_a_second_evaluation_has_its_own_bar_in_the_place_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    with ProgressBar() as bar:
        bar.started(total=10, done=0)
        bar.advanced(10)
        bar.started(total=7, done=0)
        after = len(terminal.getvalue())
        bar.advanced(7)
        bar.noted("the end")
    shown = terminal.getvalue()[after:]
    assert "7/7" in shown
    assert "/10" not in shown
    # A terminal shows the cursor again for each bar that is stopped.
    assert terminal.getvalue().count("\x1b[?25h") == terminal.getvalue().count("\x1b[?25l") == 2


def test_without_a_terminal_there_are_lines_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phraseproof.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    clock = iter(range(1000, 10_000, 60))
    monkeypatch.setattr("phraseproof.cli.progress.time.monotonic", lambda: float(next(clock)))
    with ProgressBar() as bar:
        bar.started(total=2000, done=500)
        bar.advanced(500)
        bar.advanced(1000)
    first, second, last = capsys.readouterr().err.splitlines()
    assert first == "500 of 2,000 prompts were stored before; continuing with the rest"
    # The clock of the test moves by a minute whenever it is read: twice or three times for each line.
    found = re.fullmatch(r"1,000 of 2,000 prompts scored, about (\d+) min left", second)
    assert found is not None
    assert int(found[1]) in {2 * minutes for minutes in range(1, 6)}, "500 prompts took half of what 1,000 take"
    assert last == "2,000 of 2,000 prompts scored"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (89, "89 s"),
        (100, "2 min"),
        (3600 * 2, "2 h"),
        (3600 * 3 + 20 * 60, "3 h 20 min"),
        (86_400 * 2 + 3600 * 4, "2 days 4 h"),
    ],
)
def test_durations_are_as_exact_as_an_estimate(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_quiet_keeps_to_warnings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with ProgressBar(quiet=True) as bar:
        bar.started(total=20, done=5)
        bar.advanced(5)
        bar.warned("look out")
    assert capsys.readouterr().err == "warning: look out\n"
