"""The lexicon: words that mean one thing, attributes in pairs, and the synonyms that each set of wordings may use."""

from __future__ import annotations

import pytest

from phraseproof.pocket.lexicon import ABOUT, ATTRIBUTES, CONCEPTS, FILLERS, JUNK, SPEAKERS, THINGS, Words
from phraseproof.pocket.wordings import SETS, slot, wordings


def test_a_word_means_one_thing() -> None:
    concepts = {**CONCEPTS, **ABOUT}
    meanings = [(word, name) for name, words in concepts.items() for word in {*words.observed, *words.rare}]
    words = [word for word, _ in meanings]
    assert {word for word in words if words.count(word) > 1} == set()


def test_partners_are_mutual_and_share_their_values() -> None:
    for name, attribute in ATTRIBUTES.items():
        partner = ATTRIBUTES[attribute.partner]
        assert partner.partner == name
        assert partner.values == attribute.values
        assert partner.marker != attribute.marker


def test_every_attribute_has_six_values_and_five_names() -> None:
    assert set(ABOUT) == set(ATTRIBUTES)
    for name, attribute in ATTRIBUTES.items():
        assert len(set(attribute.values)) == 6
        assert [len(words) for words in ABOUT[name]] == [1, 1, 1, 2]


def test_rare_words_are_all_but_the_observed_ones_in_the_order_of_a_wordings_name() -> None:
    """`Wording.name` is an index into observed and rare words: the order is part of the published collections."""
    words = Words(("choose", "pick"), ("select",), ("mark",), ("identify", "circle"))
    assert words.rare == ("select", "mark", "identify", "circle")
    assert CONCEPTS["pick"] == words
    assert (*ABOUT["origin"].observed, *ABOUT["origin"].rare) == (
        "origin",
        "source",
        "departure",
        "provenance",
        "pick-up",
    )


def test_speakers_fillers_and_junk_are_no_answers() -> None:
    answers = {value for attribute in ATTRIBUTES.values() for value in attribute.values}
    for words in (SPEAKERS, FILLERS, JUNK, THINGS):
        assert len(set(words)) == len(words)
        assert not answers & set(words)
        assert not {attribute.marker for attribute in ATTRIBUTES.values()} & set(words)


@pytest.mark.parametrize("name", SETS)
def test_wordings_contain_no_speaker_and_no_filler(name: str) -> None:
    said = {word for some in wordings(name).values() for wording in some for word in wording.words if not slot(word)}
    assert not said & {*SPEAKERS, *FILLERS}
