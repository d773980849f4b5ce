"""The noun, and what is kept of the wordings that training uses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.alignment.pairs import ParaphraseSet, TextOrigin, wording_hashes, wording_names
from phraseproof.errors import UsageError
from phraseproof.identity import content_hash
from phraseproof.instructions.fingerprint import fingerprint

PLAIN = ParaphraseSet("Say it.", ("Tell it.", "Speak it."), "x", "y", negations=("Say it not.",))
RENDERED = ParaphraseSet(
    "Count 1.",
    ("Number 1.",),
    "x",
    "y",
    origins=(
        TextOrigin("Count 1.", "c/count", "Count {{ n }}."),
        TextOrigin("Number 1.", "c/number", "Number {{ n }}."),
    ),
)


def test_a_pair_has_a_paraphrase() -> None:
    with pytest.raises(UsageError, match=r"^here:3: an example has no paraphrase"):
        ParaphraseSet("Say.", (), "x", "y", source="here:3")


def test_where_it_came_from_is_not_what_it_is() -> None:
    assert replace(PLAIN, source="a:1") == replace(PLAIN, source="b:2")
    assert replace(PLAIN, target_delimiter="") != PLAIN


def test_every_wording_is_recorded_once_by_what_it_says() -> None:
    other = ParaphraseSet("say  IT.", ("Something new.",), "z", "w")
    found = wording_hashes([PLAIN, other])
    assert list(found.values()) == ["Say it.", "Tell it.", "Speak it.", "Say it not.", "Something new."]
    assert all(key == fingerprint(text) for key, text in found.items())


def test_a_rendered_text_counts_as_its_template() -> None:
    second = replace(
        RENDERED,
        instruction="Count 2.",
        paraphrases=("By hand.",),
        origins=(TextOrigin("Count 2.", "c/count", "Count {{n}}."),),
    )
    assert list(wording_hashes([RENDERED, second]).values()) == ["Count {{ n }}.", "Number {{ n }}.", "By hand."]
    assert wording_names([RENDERED, second, PLAIN]) == ["c/count", "c/number"]
    assert RENDERED.wording_key("Count 1.") == second.wording_key("Count 2.")
    assert second.wording_key("By hand.") == fingerprint("By hand.")


def test_wordings_that_were_taken_out_leave_no_trace() -> None:
    """Holding some paraphrases out replaces the tuple and nothing else."""
    more = replace(RENDERED, paraphrases=("Add 1.",))
    assert "Number {{ n }}." not in wording_hashes([more]).values()
    assert wording_names([more]) == ["c/count"]


def test_the_content_hash_of_sets_made_before_the_attribute_was_renamed_is_the_same() -> None:
    """A training that was begun under the old name `joint` can be resumed."""
    before = {
        "instruction": "Say.",
        "paraphrases": ["Tell."],
        "input": "x",
        "target": "y",
        "negations": ["Keep quiet."],
        "joint": "\n",
        "separator": "|",
        "ask_last": True,
        "origins": [["Say.", "mine/one", "Say {{ it }}."]],
    }
    now = ParaphraseSet(
        "Say.",
        ("Tell.",),
        "x",
        "y",
        ("Keep quiet.",),
        target_delimiter="\n",
        separator="|",
        ask_last=True,
        origins=(TextOrigin("Say.", "mine/one", "Say {{ it }}."),),
        source="somewhere",
    )
    assert content_hash([now.identity()]) == content_hash([before])
