"""The words of the pocket tasks: things, attributes and their values, and the words of instructions.

The weights that ship were trained on these words, in this order. A change needs a new training of all pocket models.
"""

from __future__ import annotations

from typing import NamedTuple


class Attribute(NamedTuple):
    """A property that a note can give of a thing.

    Attributes:
        marker: the word before the value in a note.
        values: the possible values.
        partner: the name of the attribute with the same values. It provides a plausible wrong answer.
    """

    marker: str
    values: tuple[str, ...]
    partner: str


class Words(NamedTuple):
    """The synonyms for one concept, by the sets of wordings that use them.

    Attributes:
        observed: the words of observed wordings, the commonest first.
        shared: words of paraphrases and of validation and test wordings.
        paraphrase: words of paraphrases only.
        unobserved: words of validation and test wordings only.
    """

    observed: tuple[str, ...]
    shared: tuple[str, ...]
    paraphrase: tuple[str, ...]
    unobserved: tuple[str, ...]

    @property
    def rare(self) -> tuple[str, ...]:
        """All words that observed wordings do not use."""
        return self.shared + self.paraphrase + self.unobserved


def _list(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def _words(line: str) -> Words:
    """Parse a line such as `choose pick | select | mark | identify circle`."""
    observed, shared, paraphrase, unobserved = (tuple(part.split()) for part in line.split("|"))
    return Words(observed, shared, paraphrase, unobserved)


_PEOPLE = _list("anna boris clara david elena felix")
_PLACES = _list("forest river desert market harbour valley")
_DAYS = _list("monday tuesday wednesday thursday friday sunday")
_NUMBERS = _list("two three five seven nine ten")

ATTRIBUTES = {
    "maker": Attribute("made-by", _PEOPLE, "buyer"),
    "buyer": Attribute("sold-to", _PEOPLE, "maker"),
    "origin": Attribute("sent-from", _PLACES, "destination"),
    "destination": Attribute("sent-to", _PLACES, "origin"),
    "start": Attribute("opens", _DAYS, "end"),
    "end": Attribute("closes", _DAYS, "start"),
    "price": Attribute("costs", _NUMBERS, "weight"),
    "weight": Attribute("weighs", _NUMBERS, "price"),
}

THINGS = _list(
    "fox owl bear wolf goat duck lamp bell drum kite boat cart rope cake soup bread rose fern shop fair tent barn mill "
    "inn"
)

ABOUT = {
    name: _words(line)
    for name, line in {
        "maker": "maker | creator | builder | producer manufacturer",
        "buyer": "buyer | customer | client | purchaser shopper",
        "origin": "origin | source | departure | provenance pick-up",
        "destination": "destination | target | arrival | endpoint drop-off",
        "start": "start | beginning | opening | outset commencement",
        "end": "end | ending | closing | finish conclusion",
        "price": "price | cost | charge | fee amount-due",
        "weight": "weight | mass | heaviness | load heft",
    }.items()
}
"""The names of each attribute, which replace `{about}` in a wording."""

CONCEPTS = {
    name: _words(line)
    for name, line in {
        "pick": "choose pick | select | mark | identify circle",
        "option": "option line | choice | alternative | entry item",
        "letter": "letter | symbol | character | sign",
        "note": "note | text | record | passage message",
        "give": "give write | state | provide | report name",
        "label": "label word | term | tag | value",
        "sort": "sort file | classify | group | arrange categorise",
        "read": "read | examine | study | inspect review",
        "check": "check see | verify | judge | determine establish",
        "has": "has gives | mentions | contains | includes states",
        "if": "if | whether | whether | whether",
        "right": "right true | correct | proper | suitable accurate",
    }.items()
}

SPEAKERS = _list("nora omar pia quinn rosa sven tara ugo vera walt xenia yusuf zoe ivan jane karl")
"""The names of speakers. None of them is a value in a note."""

FILLERS = _list("uh um well-now so-then oh hm okay hey ah er alright anyhow thus-far indeed mind-you behold")
"""Words without meaning. The training puts them before instructions, where a soft prompt goes later."""

JUNK = _list(
    "today quickly again gently maybe now simply always often kindly slowly calmly rather quite too also still ever "
    "surely truly fairly nearly with within upon over under between during because although while never not"
)
"""Words that do not change the question. The training inserts them into speech, so that the model ignores them."""
