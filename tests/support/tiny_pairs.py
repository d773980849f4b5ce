"""Made-up pairs for tests of training: a fact a letter, asked for in a few wordings."""

from __future__ import annotations

from phraseproof.alignment.pairs import ParaphraseSet

ASKS = (
    "Which letter is correct?",
    "Choose the correct letter.",
    "Answer with a letter.",
    "Say which option is correct.",
    "What is the correct answer?",
    "The letter of the answer, please.",
)
THINGS = ("river", "mountain", "city", "planet", "moon", "star", "water", "stone", "bread", "glass", "paper", "engine")


def shared_wordings(count: int = 8, *, negations: bool = False) -> list[ParaphraseSet]:
    """Pairs of one collection: all have the same reference and the same five paraphrases."""
    return [
        ParaphraseSet(
            instruction=ASKS[0],
            paraphrases=ASKS[1:],
            input=f"Question: {thing}?",
            target="ABCD"[index % 4],
            negations=("Which letter is never correct?",) if negations else (),
            source=f"pair {index + 1}",
        )
        for index, thing in enumerate(THINGS[:count])
    ]


def own_wordings(count: int = 8) -> list[ParaphraseSet]:
    """Pairs as Alpaca's: each has an instruction and paraphrases of its own."""
    return [
        ParaphraseSet(
            instruction=f"Where is the {thing}?",
            paraphrases=(f"Say where the {thing} is.", f"The {thing}: where?"),
            input="",
            target="ABCD"[index % 4],
        )
        for index, thing in enumerate(THINGS[:count])
    ]
