from __future__ import annotations

from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.loop.batches import rows_of
from phraseproof.alignment.pairs.tokens import SetTokens


def test_rows_are_the_reference_then_the_drawn_paraphrases_and_negations() -> None:
    tokens = [SetTokens((1,), ((2,), (3,)), ((4,), (5,)), (9,)), SetTokens((6,), ((7,),), (), (8,))]
    rows = rows_of(tokens, [Draw(0, (1,), (0,)), Draw(1, (0,), ())])
    assert [(row.context, row.target) for row in rows] == [
        ((1,), (9,)),
        ((3,), (9,)),
        ((4,), (9,)),
        ((6,), (8,)),
        ((7,), (8,)),
    ]
