"""Rich's blocks as text: as wide and as colourful as the screen, without white space at the ends of lines."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType

from phraseproof.reports.build.run_tables import Screen

MIN_WIDTH = 20


def print_blocks(blocks: Iterable[RenderableType], screen: Screen) -> str:
    """The blocks, one below the other, ending with one newline."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=max(screen.width, MIN_WIDTH),
        force_terminal=screen.color,
        color_system="standard" if screen.color else None,
        legacy_windows=False,
        highlight=False,
    )
    for block in blocks:
        console.print(block)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines).rstrip() + "\n"
