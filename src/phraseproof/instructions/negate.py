"""Negate an English ask by rules: put one negation where a person would put it, or none.

The paper's negated wordings are the closest ones with "a negation word (e.g., not) in the appropriate place" (appendix
B.2.1). If the rules below do not find that place, they return the reason and leave the wording unchanged: a wrong guess
would be reported as a finding.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from phraseproof.instructions.template_segments import TemplateSegment, segments, source_of

TASK_VERBS = frozenset(
    """
    annotate announce answer arrange assign boil brief calculate call categorise categorize characterise
    characterize choose circle classify complete compute conclude condense copy correct decide deduce define
    describe detect determine distinguish draw enter estimate evaluate explain express fill find forecast form
    generate get give guess identify indicate infer interpret judge label list locate make map mark match
    mention name note number offer output paraphrase pick point predict present print produce provide quote rank
    rate recognise recognize render repeat rephrase replace reply report respond restate restore retell return
    rewrite say score select send settle shade shorten show simplify solve sort specify spell state suggest sum
    summarise summarize supply tag tell tick transform translate type underline vote write
    """.split()  # noqa: SIM905 - a list of words is easier to read and to add to
)
"""Verbs by which people ask for the answer itself; "read", "look" and "consider" only lead up to it."""

_QUESTION_VERBS = frozenset(
    """
    agree answer apply ask assert assign belong come complete contain convey correspond describe discuss entail
    express fall fit follow happen have hold imply indicate know lead make match mean mention name need occur
    prefer refer report say see seem show sound speak state suggest suit support talk tell think treat use want
    """.split()  # noqa: SIM905 - a list of words is easier to read and to add to
)
"""Verbs at which the subject of a question is known to end: does the last passage | support."""

_QUESTION_ADJECTIVES = frozenset(
    """
    acceptable accurate appropriate best causal certain clear consistent correct correlative different
    equivalent false funny grammatical helpful ironic logical likely meant negative neutral plausible positive
    possible related relevant right sarcastic similar sound spam spoken suitable supported true used valid wrong
    written
    """.split()  # noqa: SIM905 - a list of words is easier to read and to add to
)
"""The same after a form of to be: is the last sentence | true."""

_MARK = "\ue000"
"""Replaces a segment of code while a sentence is analysed: a character of Unicode's private use."""

_NEGATED = re.compile(
    r"\b(?:not|never|neither|nor|none|nobody|nothing|without|except|cannot|no one|no)\b|n['\u2019]t\b", re.IGNORECASE
)
_CONDITION = re.compile(r"^\W*(?:if|when|whenever|unless|suppose|supposing|once|should)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\s|$|[\"')\]])|\n|$|[.!?])", re.DOTALL)


class Negation(NamedTuple):
    """The result of negating an ask.

    Attributes:
        source: the negated ask as a template, or None.
        reason: why there is no negation; empty if there is one.
    """

    source: str | None
    reason: str = ""


def negate(source: str) -> Negation:
    """Put one negation into an ask: into its first sentence that requests or asks something.

    Args:
        source: the ask, a template. Code in it stays unchanged.

    Returns:
        The negated ask, which differs from `source` only in one negation; or the reason that no rule applies.

    Raises:
        InstructionError: not a template.
    """
    parts = segments(source)
    # The rules see the whole ask as one text, with a mark in place of code, so that they can match across it.
    text = "".join(segment.text if segment.is_prose else _MARK for segment in parts)
    if text.count(_MARK) != sum(not segment.is_prose for segment in parts):
        return Negation(None, "it holds a character of Unicode's private use")
    sentences = [match.group() for match in _SENTENCE.finditer(text)]
    for index, sentence in enumerate(sentences):
        negated = _in_request(sentence) or _in_question(sentence)
        if negated is None and _YES_OR_NO.search(sentence) and _is_question(sentence):
            return Negation(None, "a yes-or-no question asks the same with a negation")
        if negated is None and _is_question(sentence):
            return Negation(None, "no rule finds the place of a negation in its question")
        if negated is None:
            continue
        # A second negation, or one inside a condition, would not mean the opposite of the ask.
        if _NEGATED.search(sentence):
            return Negation(None, "what it asks for is negated already")
        if _CONDITION.search(sentence):
            return Negation(None, "what it asks for depends on a condition")
        if _asks_for_more(negated):
            return Negation(None, "it asks for two things at once")
        changed = "".join([*sentences[:index], negated, *sentences[index + 1 :]])
        return Negation(source_of(_with_code(changed, parts)))
    return Negation(None, "no rule finds the place of a negation in it")


def _with_code(text: str, parts: list[TemplateSegment]) -> list[TemplateSegment]:
    code = iter([segment for segment in parts if not segment.is_prose])
    return [
        next(code) if run == _MARK else TemplateSegment(run, "prose") for run in re.split(f"({_MARK})", text) if run
    ]


# ------------------------------------------------------------------------------------------------------------ requests

_LEAD = r"(?:(?:please|now|then|kindly|just|next|first|finally|so|simply|carefully|briefly|quickly)[, ]+)*"
_VERB = r"(?P<verb>[a-z]+)\b(?!\s*:|\s+(?:of|is|are|was|were)\b)"
_OBJECT = (
    r"(?:the|a|an|your|its|their|my|one|only|all|each|exactly|either|whether|which|what|who|how|that|this|these|it|them|me"
    r"|us|with|by|from|in|on|as|if|out|down|just|to|according)\b"
)

# Where a request may be in a sentence, and the words that negate it. `place` is where they go; by default, the verb.
_REQUESTS = {
    # Could you please | choose
    re.compile(
        rf"\b(?:could|can|would|will)\s+you\s+(?:(?:please|kindly|perhaps|just)\s+)*{_VERB}", re.IGNORECASE
    ): "not ",
    # Your task is | to choose
    re.compile(
        rf"\b(?:you\s+are|(?:task|job|goal|aim|role|duty)(?:\s+(?:here|now))?\s+is)\s+(?P<place>to)\s+{_VERB}",
        re.IGNORECASE,
    ): "not ",
    # I want you | to choose
    re.compile(
        rf"\b(?:want|ask|asked|need|like|expect|tell|told)\s+you\s+(?P<place>to)\s+{_VERB}", re.IGNORECASE
    ): "not ",
    # You must | choose
    re.compile(rf"\byou\s+(?:should|must|shall|will|can|may)\s+{_VERB}", re.IGNORECASE): "not ",
    # Please | choose
    re.compile(rf"^[\s\"'(\[]*{_LEAD}{_VERB}", re.IGNORECASE): "do not ",
    # Read the text and | choose the; Given a text, | choose the
    re.compile(
        rf"(?:[,;:]|\band|\bthen)\s+{_LEAD}{_VERB}(?=\s+(?:{_OBJECT}|[{_MARK}\"'\u201c]))", re.IGNORECASE
    ): "do not ",
}


# Could you read the text and | choose: after these the verb is negated without "do".
_OPENED = re.compile(
    r"\b(?:could|can|would|will|should|must)\s+you\b|\byou\s+(?:should|must)\b|\bis\s+to\b", re.IGNORECASE
)


def _in_request(sentence: str) -> str | None:
    """The sentence with its request negated, or None if it has no request that a rule recognises."""
    for pattern, words in _REQUESTS.items():
        for match in pattern.finditer(sentence):
            if match.group("verb").lower() in TASK_VERBS:
                place = match.start("place" if "place" in pattern.groupindex else "verb")
                before, after = sentence[:place], sentence[place:]
                negation = "not " if _OPENED.search(before) else words
                # At the beginning of a sentence, the negation takes over the capital letter.
                if after[0].isupper():
                    return before + negation.capitalize() + after[0].lower() + after[1:]
                return before + negation + after
    return None


_FURTHER = re.compile(
    rf"(?:[,;]\s+(?:and\s+|then\s+)*|\b(?:and|then)\s+){_LEAD}{_VERB}(?=\s+(?:{_OBJECT}|[{_MARK}\"'\u201c]))",
    re.IGNORECASE,
)


def _asks_for_more(negated: str) -> bool:
    """Whether another request follows the negated one in its sentence: it would still ask for the answer."""
    start = re.search(r"\bnot\b", negated, re.IGNORECASE)
    further = _FURTHER.finditer(negated, start.end() if start else 0)
    return any(match.group("verb").lower() in TASK_VERBS for match in further)


# ----------------------------------------------------------------------------------------------------------- questions

_WH = r"(?:which|what|who|whom|whose|where|when|why|how)"
_BE = r"(?:is|are|was|were)"
_HELP = r"(?:does|do|did|can|could|should|would|will|must|may|might)"
_DETERMINER = r"(?:the|a|an|this|that|these|those|your|my|its|their|our|each|every)"
_PERSON = r"(?:it|they|he|she|we|one)"
_VERBS = "|".join(sorted(_QUESTION_VERBS))
_ADJECTIVES = "|".join(sorted(_QUESTION_ADJECTIVES))

# Where "not" may be put into a question: at `place`.
_QUESTIONS = [
    # Which of these is it |; Can we | conclude
    rf"\b(?:{_BE}|{_HELP})\s+{_PERSON}(?P<place>)\b(?!\s+of\b)",
    # Does the last passage | support
    rf"\b{_HELP}\s+{_DETERMINER}\s+(?:[a-z]+\s+){{1,3}}?(?P<place>)(?:{_VERBS})\b",
    rf"\b{_HELP}\s+(?:this|that|these|those)\s+(?P<place>)(?:{_VERBS})\b",
    # Is the last sentence | true
    rf"^\W*{_BE}\s+{_DETERMINER}\s+(?:[a-z]+\s+){{1,3}}?(?P<place>)(?:{_ADJECTIVES})\b",
    # Which is | the right one
    rf"^\W*{_WH}\s+{_BE}(?P<place>)\s+(?:the|a|an)\b",
    # Which of the options is | correct
    rf"\b(?:which|what|who)\b(?:\s+[a-z{_MARK}]+){{0,6}}?\s+(?:{_BE}|{_HELP})(?P<place>)\s+(?!(?:{_DETERMINER}|{_PERSON}|{_WH}|you|i)\b)[a-z]",
]
_YES_OR_NO = re.compile(rf"(?:^|[,:;]\s|\b(?:and|or|so)\s)\W*(?:{_BE}|{_HELP})\s+(?!you\b)", re.IGNORECASE)
_ASKED_FOR = re.compile(rf"\b{_WH}\b", re.IGNORECASE)
_QUESTION_PATTERNS = [re.compile(pattern, re.IGNORECASE) for pattern in _QUESTIONS]

# Which of the options describes the text -> does not describe; but in which of these states is it -> no verb
_PLAIN_VERB = re.compile(
    rf"\b(?P<wh>which|what|who)\b(?P<of>(?:\s+[a-z{_MARK}]+){{0,6}}?)\s+(?P<best>best\s+)?(?P<verb>{_VERBS})s\b(?!\s+(?:{_BE}|{_HELP})\b)",
    re.IGNORECASE,
)


def _in_question(sentence: str) -> str | None:
    """The question with a "not" in it, or None if its place is not clear."""
    if not _is_question(sentence):
        return None
    for pattern in _QUESTION_PATTERNS:
        if match := pattern.search(sentence):
            place = match.start("place")
            if not _ASKED_FOR.search(sentence, 0, place):
                return None  # "Is it not true?" asks what "Is it true?" asks
            before, after = sentence[:place], sentence[place:]
            return f"{before}not {after}" if before.endswith(" ") else f"{before} not{after}"
    if match := _PLAIN_VERB.search(sentence):
        place = match.end("of")
        # "which ... describes" becomes "which ... does not describe": the pattern matched the verb without its s.
        rest = " does not " + (match.group("best") or "") + match.group("verb") + sentence[match.end() :]
        return sentence[:place] + rest
    return None


def _is_question(sentence: str) -> bool:
    return sentence.rstrip("\"')] \n").endswith("?")
