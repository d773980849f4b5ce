"""The Markdown format, read by an independent parser."""

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from phraseproof.reports.build.text import printable
from phraseproof.reports.format import table_markdown as markdown_table
from phraseproof.reports.format.tables import By, TableFormat, render
from support.table_samples import FORMULA, HOSTILE, NASTY, RUN


def tokens_of(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough").parse(markdown)


def plain(token: Token) -> str:
    kinds = {child.type for child in token.children or []}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}, kinds
    return "".join(child.content for child in token.children or [])


def tables_of(markdown: str) -> list[list[list[str]]]:
    """The cells of each table, as an independent parser of Markdown shows them."""
    tables: list[list[list[str]]] = []
    inside = False
    for token in tokens_of(markdown):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in {"th_open", "td_open"}:
            inside = True
        elif token.type in {"th_close", "td_close"}:
            inside = False
        elif token.type == "inline" and inside:
            tables[-1][-1].append(plain(token))
    return tables


def test_by_task():
    (rows,) = tables_of(render([RUN], form=TableFormat.MARKDOWN).text)
    assert rows[0] == ["", "observed", "unobserved", "unobserved minus observed"]
    assert ["qa/one", "53.0 ± 3.6 (3)", "45.0 ± 7.1 (2)", "-8.0"] in rows
    assert rows[-1][0] == "Overall"


def test_by_wording():
    tables = tables_of(render([RUN], form=TableFormat.MARKDOWN, by=By.WORDING).text)
    assert len(tables) == 6
    assert tables[0][1:] == [
        ["best", "57.0", "observed/2", ""],
        ["", "52.0", "observed/1", FORMULA],
        ["worst", "50.0", "observed/0", "Say which."],
    ]


def test_what_users_wrote_is_shown_and_does_not_act():
    markdown = render([HOSTILE], form=TableFormat.MARKDOWN).text
    (rows,) = tables_of(markdown)
    line = printable(NASTY)
    assert {len(row) for row in rows} == {4}
    assert [row[0] for row in rows] == ["", line, f"{line} 0", f"{line} 1", "Overall"]
    assert rows[0][1:3] == [f"{line} 0", f"{line} 1"]
    for token in tokens_of(markdown):
        if token.type == "inline":
            plain(token)


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("ab1 \\`*_{}[]<>()#!|~$&;:@^=-+.\"'\n\t/é中"), min_size=1))
def test_any_text_survives_a_cell_a_heading_and_a_list(text: str):
    escaped = markdown_table.escape(text)
    markdown = f"### x{escaped}\n\n| a |\n| --- |\n| x{escaped} |\n\n- x{escaped}\n"
    inline = [plain(token) for token in tokens_of(markdown) if token.type == "inline"]
    wanted = f"x{printable(text)}"
    assert inline == [wanted, "a", wanted, wanted]
