from __future__ import annotations

from dataclasses import replace
from typing import Any

from phraseproof.core import Instruction
from phraseproof.instructions.validate import validate


def wording(identifier: str = "w", **parts: Any) -> Instruction:
    parts = {"template": "{{ text }}\n{{ choices | enumerate }}", "answer": "{{ letter }}"} | parts
    if "ask" in parts:
        del parts["template"]
    return Instruction(identifier, "mine", **parts)


def test_duplicates_and_near_duplicates() -> None:
    long = "Read the text below with care and say in one word which of the colours it is that it speaks of: {{ text }}"
    first = wording("first", template=long, answer="{{ choice }}")
    again = wording("again", template=long, answer="{{ choice }}")
    close = wording("close", template=long.replace("speaks of", "speaks about"), answer="{{ choice }}")
    elsewhere = wording("elsewhere", template=long, answer="{{ choice }}", serves=("other",))
    loud = wording("loud", template=long.upper().replace("TEXT }}", "text }}"), answer="{{ choice }}")
    found = validate([first, again, loud, close, elsewhere])
    assert [(problem.level, problem.kind, problem.wording) for problem in found] == [
        ("error", "duplicate", "mine/again"),
        ("warning", "duplicate", "mine/loud"),
        ("warning", "near-duplicate", "mine/close"),
    ]


def test_formats_that_differ_in_white_space_alone_may_be_meant() -> None:
    spread = wording("spread", template="{{ text }}\n\n{{ choices | join(' ') }}:", answer="{{ choice }}")
    close = wording("close", template="{{ text }}\n{{ choices | join(' ') }}:", answer="{{ choice }}")
    apart = replace(spread, id="apart", template=None, ask="Say!", layout="{{ text }}", separator="\n")
    nearer = replace(apart, id="nearer", separator=" ")
    found = validate([spread, close, apart, nearer])
    assert [(problem.level, problem.wording) for problem in found if problem.kind == "duplicate"] == [
        ("warning", "mine/close"),
        ("warning", "mine/nearer"),
    ]
    assert "white space" in found[0].message
