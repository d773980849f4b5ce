"""Progress on stderr: a bar with the remaining time on a terminal, elsewhere a line every 15 seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self

from phraseproof.errors import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BETWEEN_LINES = 15.0
MIN_COLUMNS_FOR_WORDS = 72


class StderrBar:
    """A bar on a terminal, lines elsewhere; messages are printed above the bar.

    A terminal shows one bar at a time, also where several observers share it, as in `harden`: a bar ends when its work
    is done, or when another one starts.

    Args:
        quiet: print warnings only.
    """

    _shown: ClassVar[Progress | None] = None
    """The bar on the terminal, whichever observer it belongs to."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last_line_s = time.monotonic()
        self._began_s, self._done_before = time.monotonic(), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def warned(self, message: str) -> None:
        """Print a warning at once."""
        self._say(f"warning: {message}")

    def _line(self, text: str) -> None:
        if not self._quiet:
            self._say(text)

    def _line_now_and_then(self, text: str) -> None:
        if time.monotonic() - self._last_line_s > SECONDS_BETWEEN_LINES:
            self._last_line_s = time.monotonic()
            self._line(text)

    def _begins(self, done: int) -> None:
        """Start the clock. The `done` prompts were computed earlier, so the pace does not include them."""
        self._began_s, self._done_before = time.monotonic(), done

    def _time_left(self, done: int, total: int) -> str:
        """`, about 3 min left`, at the pace so far; empty before anything is done."""
        here = done - self._done_before
        if here <= 0 or done >= total:
            return ""
        return f", about {duration((time.monotonic() - self._began_s) / here * (total - done))} left"

    def _say(self, text: str) -> None:
        if StderrBar._shown is not None:
            StderrBar._shown.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
        else:
            print(printable(text), file=sys.stderr, flush=True)  # noqa: T201 - stderr is what this class is for

    def _show(self, bar: Progress, description: str, *, total: int, done: int) -> None:
        """Start a bar, in the place of an earlier one."""
        if StderrBar._shown is not None:
            StderrBar._shown.stop()
        self._bar = StderrBar._shown = bar
        self._task = bar.add_task(description, total=total, completed=done)
        bar.start()

    def _end(self) -> None:
        """Leave the bar as it is now; what is printed next comes below it."""
        if self._bar is not None:
            self._bar.stop()
            if StderrBar._shown is self._bar:
                StderrBar._shown = None
        self._bar = self._task = None


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 20 min`, `2 days 4 h`: rounded, because it is an estimate."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} day{'' if days == 1 else 's'} {hours} h"


class ProgressBar(StderrBar):
    """An `Observer` of an evaluation that prints to stderr.

    Args:
        quiet: print warnings only.
        reading: prompts are read and not scored (`represent`).
    """

    def __init__(self, *, quiet: bool = False, reading: bool = False) -> None:
        super().__init__(quiet=quiet)
        self._verb, self._doing, self._did = ("read", "reading", "read") if reading else ("score", "scoring", "scored")
        self._total = self._done = 0

    def noted(self, message: str) -> None:
        """Print a remark on a separate line."""
        self._line(message)

    def started(self, *, total: int, done: int) -> None:
        """Show how much is to be done, and how much was stored before."""
        self._total, self._done = total, done
        self._begins(done)
        if done == total:
            self._line(f"all {total:,} prompts were stored before; nothing is left to {self._verb}")
        elif done:
            self._line(f"{done:,} of {total:,} prompts were stored before; continuing with the rest")
        if self._quiet or done == total or not sys.stderr.isatty():
            return
        self._show(_bar(), self._doing, total=total, done=done)

    def advanced(self, prompts: int) -> None:
        """Advance the bar, or print a line if the last one is old."""
        self._done += prompts
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, prompts)
            if self._done >= self._total:
                self._end()
        else:
            self._line_now_and_then(
                f"{self._done:,} of {self._total:,} prompts {self._did}" + self._time_left(self._done, self._total)
            )


def _bar() -> Progress:
    """A bar for the width of the terminal: numbers are never cut; a narrow terminal shows no words."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    def whole() -> Column:
        return Column(no_wrap=True)

    console = Console(stderr=True)
    count = MofNCompleteColumn(table_column=whole())
    left = (TextColumn("left", table_column=whole()), TimeRemainingColumn(table_column=whole()))
    columns: tuple[ProgressColumn, ...] = (BarColumn(None), count, *left)
    if console.width >= MIN_COLUMNS_FOR_WORDS:
        elapsed = TimeElapsedColumn(table_column=whole())
        columns = (TextColumn("{task.description}"), BarColumn(), count, TextColumn("prompts"), elapsed, *left)
    return Progress(*columns, console=console)
