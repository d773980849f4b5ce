"""What GitHub renders is rendered equally by the site: links, list items with more than one line, languages of code."""

from __future__ import annotations

from docs.building.markdown import for_site, indented, prose

TARGETS = {"README.md": "index.md", "docs/a.md": "a.md", "docs/how-to/b.md": "how-to/b.md", "docs/c.png": "c.png"}


def test_links_lead_to_pages_of_the_site() -> None:
    text = "[a](../a.md#part) [home](../../README.md) [self](#here) [web](https://example.org) ![c](../c.png)"
    assert for_site(text, "docs/how-to/b.md", "how-to/b.md", TARGETS) == (
        "[a](../a.md#part) [home](../index.md) [self](#here) [web](https://example.org) ![c](../c.png)"
    )
    assert for_site("[a](docs/a.md) [b](docs/how-to/b.md)", "README.md", "index.md", TARGETS) == (
        "[a](a.md) [b](how-to/b.md)"
    )


def test_links_to_files_that_the_site_lacks_become_text() -> None:
    assert for_site("[`core/`](../src/core.py) [text [1]](x.md)", "docs/a.md", "a.md", TARGETS) == "`core/` text [1]"


def test_a_picture_in_two_colours_follows_the_colours_of_the_site() -> None:
    text = (
        '<picture>\n<source media="(prefers-color-scheme: dark)" srcset="docs/images/a-dark.png">\n'
        '<img alt="Dots" src="docs/images/a.png" width="600">\n</picture>\n'
    )
    targets = {f"docs/images/{name}.png": f"images/{name}.png" for name in ("a", "a-dark")}
    assert for_site(text, "README.md", "index.md", targets) == (
        "![Dots](images/a.png#only-light)![Dots](images/a-dark.png#only-dark)\n"
    )


def test_marks_are_removed_and_commands_get_a_language() -> None:
    text = (
        "<!-- exit: 3 -->\n```\n$ phraseproof a\n[b](c.md)\n<!-- x -->\n```\n```\nphraseproof b\n```\n```\ntree\n```\n"
    )
    assert for_site(text, "docs/a.md", "a.md", TARGETS) == (
        "```console\n$ phraseproof a\n[b](c.md)\n<!-- x -->\n```\n```bash\nphraseproof b\n```\n```\ntree\n```\n"
    )


def test_what_belongs_to_an_item_is_four_spaces_in() -> None:
    text = "* one\n  more\n\n  | a |\n  |---|\n  * inner\n    text\n* two\n\nend\n1. first\n   more\n"
    assert indented(text) == (
        "* one\n    more\n\n    | a |\n    |---|\n    * inner\n        text\n* two\n\nend\n1. first\n    more\n"
    )
    assert indented("```\n* a\n  b\n```\n  c") == "```\n* a\n  b\n```\nc"


def test_sentences_of_the_code_are_shown_as_they_are() -> None:
    assert prose("Of lm_eval/NAME, <b> `a_b` needs --data-dir (docs/tables.md).", "reference/cli") == (
        r"Of lm\_eval/NAME, &lt;b&gt; `a_b` needs `--data-dir` ([tables](../../tables.md))."
    )
