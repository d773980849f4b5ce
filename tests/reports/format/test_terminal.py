"""Rich's blocks as text."""

from rich.text import Text

from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.terminal import print_blocks


def test_lines_have_no_white_space_at_their_ends() -> None:
    assert print_blocks([Text("a  "), Text(""), Text("")], Screen()) == "a\n"


def test_colour_appears_only_where_the_screen_has_it() -> None:
    block = Text("a", style="bold")
    assert print_blocks([block], Screen(color=False)) == "a\n"
    assert "\x1b[" in print_blocks([block], Screen(color=True))


def test_text_keeps_to_the_width() -> None:
    assert max(map(len, print_blocks([Text("word " * 40)], Screen(width=30)).splitlines())) <= 30
