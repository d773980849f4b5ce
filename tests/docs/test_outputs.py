"""Outputs are written into pages as they were printed, whole or in part; tables of the code, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.building.blocks import blocks_of, page_name, pages
from docs.building.generated import TABLES, attribute_texts, table
from docs.building.outputs import OutputWriter, selected, with_generated

from phraseproof import __version__

PRINTED = "loading  \nrow a 1\nrow b 2\nnote\nrow c 3\nend\n"


def test_lines_are_chosen_by_how_they_begin() -> None:
    assert selected(PRINTED, '"row a" to "row b", "row c"') == "...\nrow a 1\nrow b 2\n...\nrow c 3\n...\n"
    assert selected(PRINTED, '"load" to "end"') == "loading\nrow a 1\nrow b 2\nnote\nrow c 3\nend\n"


def test_a_line_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no line begins with 'row a' from line 4 on"):
        selected(PRINTED, '"row b", "row a"')
    with pytest.raises(ValueError, match="the mark shows: row a"):
        selected(PRINTED, "row a")


def test_outputs_replace_what_a_page_showed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '<!-- shows: "b" -->\n```\n$ phraseproof \\\n    one\nold\n```\ntext\n'
        "```\n$ phraseproof two\n$ phraseproof three\n```\n",
        encoding="utf-8",
    )
    writer = OutputWriter()
    first, second = blocks_of(page)
    writer.add(first, "phraseproof one", "old\n", "a\nb\nc\n")
    writer.add(second, "phraseproof two", "", f"{__version__}\n\nlast\n")
    writer.add(second, "phraseproof three", "", "")
    assert writer.written(page.read_text(encoding="utf-8")) == (
        '<!-- shows: "b" -->\n```\n$ phraseproof \\\n    one\n...\nb\n...\n```\ntext\n'
        f"```\n$ phraseproof two\n{__version__}\n\nlast\n$ phraseproof three\n```\n"
    )
    assert writer.by_hand == []


def test_lines_left_out_by_hand_are_reported_where_they_no_longer_fit(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```\n$ phraseproof one\na\n...\n```\n", encoding="utf-8")
    [block] = blocks_of(page)
    writer = OutputWriter()
    writer.add(block, "phraseproof one", "a\n...\n", "a\nother\n")
    assert writer.by_hand == []
    writer.add(block, "phraseproof one", "a\n...\n", "b\nother\n")
    assert writer.by_hand == ["page.md:1: phraseproof one"]


@pytest.mark.parametrize(
    "page", [page for page in pages() if "<!-- generated: " in page.read_text(encoding="utf-8")], ids=page_name
)
def test_generated_tables_are_those_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert with_generated(text) == text, f"run: make docs-outputs PAGES={page_name(page)}"


def test_every_generated_table_is_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in pages())
    for name, made in TABLES.items():
        assert f"<!-- generated: {name} -->\n\n{made()}\n" in text


def test_texts_of_attributes() -> None:
    class Described:
        """Something.

        Attributes:
            one: a text
                on two lines.
            low, high: of an interval.
        """

    assert attribute_texts(Described) == {
        "one": "a text on two lines.",
        "low": "of an interval.",
        "high": "of an interval.",
    }


def test_bars_in_tables_are_escaped() -> None:
    assert table(("a", "b"), [("1|2", "3")]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"
