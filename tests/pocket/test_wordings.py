"""The four sets of wordings are apart, and say what they say with words that training has shown."""

from __future__ import annotations

from phraseproof.pocket.lexicon import CONCEPTS
from phraseproof.pocket.wordings import SETS, slot, wordings
from phraseproof.pocket.world import vocabulary


def test_no_wording_is_in_two_sets_or_twice_in_one() -> None:
    every = [wording.words for name in SETS for some in wordings(name).values() for wording in some]
    assert len(every) == len(set(every))


def test_every_word_is_in_the_vocabulary() -> None:
    known = set(vocabulary())
    for name in SETS:
        for some in wordings(name).values():
            for wording in some:
                assert {word for word in wording.words if slot(word) is None} <= known


def test_observed_wordings_use_observed_words_only() -> None:
    rare = {word for concept in CONCEPTS.values() for word in concept.rare}
    for some in wordings("observed").values():
        for wording in some:
            assert wording.name == 0
            assert rare.isdisjoint(wording.words)


def test_paraphrases_and_test_wordings_use_words_of_their_own() -> None:
    paraphrase = {word for concept in CONCEPTS.values() for word in concept.paraphrase if word not in concept.shared}
    unobserved = {word for concept in CONCEPTS.values() for word in concept.unobserved if word not in concept.shared}
    for name, forbidden in (("paraphrase", unobserved), ("validation", paraphrase), ("test", paraphrase)):
        said = {word for some in wordings(name).values() for wording in some for word in wording.words}
        assert forbidden.isdisjoint(said)


def test_every_wording_names_the_attribute() -> None:
    for name in SETS:
        for some in wordings(name).values():
            assert all("{about}" in wording.words for wording in some)


def test_the_sets_are_the_same_every_time() -> None:
    assert all(wordings(name) == wordings(name) for name in SETS)
