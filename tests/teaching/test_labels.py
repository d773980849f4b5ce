"""Which pairs keep their labels."""

from __future__ import annotations

from phraseproof.teaching.labels import keep_labels
from phraseproof.teaching.teacher import labelled_places
from support.taught_pairs import pairs_of


def test_the_labelled_examples_are_those_of_a_teacher() -> None:
    pairs = [*pairs_of("t", 10), *pairs_of("t", 10, reference="ours/2"), *pairs_of("u", 6)]
    found = keep_labels(pairs, 4, seed=2)
    assert len(found) == len(pairs)
    for task, count in (("t", 10), ("u", 6)):
        kept = {pair.example for pair in found if pair.task == task and pair.labelled}
        assert kept == {str(place) for place in labelled_places(task, [str(n) for n in range(count)], 4, 2)}
    assert all(pair.target == "" for pair in found if not pair.labelled)
    assert not any(pair.labelled for pair in keep_labels(pairs, 0))
