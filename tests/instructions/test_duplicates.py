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


def test_another_system_prompt_or_target_delimiter_is_another_wording() -> None:
    first = wording(
        "first",
        ask="Which team answers this mail?",
        layout="{{ text }}",
        system="You sort mail.",
        answer="{{ choice }}",
    )
    brief = replace(first, id="brief", system="Be brief, polite and correct.")
    plain = replace(first, id="plain", system=None)
    loud = replace(first, id="loud", system="YOU SORT MAIL.")
    named = replace(first, id="named", target_delimiter=" Team: ")
    spaced = replace(first, id="spaced", target_delimiter="\n")
    apart = replace(first, id="apart", fewshot_delimiter="; ")
    again = replace(first, id="again")
    found = validate([first, brief, plain, loud, named, spaced, apart, again])
    repeated = [problem for problem in found if "duplicate" in problem.kind]
    assert [(problem.level, problem.kind, problem.wording) for problem in repeated] == [
        ("warning", "duplicate", "mine/loud"),
        ("warning", "duplicate", "mine/spaced"),
        ("error", "duplicate", "mine/again"),
        ("warning", "near-duplicate", "mine/named"),
        ("warning", "near-duplicate", "mine/apart"),
        ("warning", "near-duplicate", "mine/apart"),
    ]


def test_a_long_system_prompt_that_all_share_makes_none_of_them_near() -> None:
    system = "You work for a shop that sells garden tools and you read the mail of its customers every morning."
    one = wording("one", ask="Which team answers?", layout="{{ text }}", system=system, answer="{{ choice }}")
    other = replace(one, id="other", ask="Who is in charge?")
    assert not [problem for problem in validate([one, other]) if "duplicate" in problem.kind]
