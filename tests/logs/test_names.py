"""How wordings are found in the names of logs, and what can be read in several ways."""

from __future__ import annotations

import pytest

from phraseproof.errors import UsageError
from phraseproof.logs.cells import LogRequest
from phraseproof.logs.names import LogNames, group_of, name

NAMES = LogNames("tickets_short", folder="a", file="b", fields={"prompt": "brief"})


def _name(*rules: str, names: LogNames = NAMES, task: str | None = None) -> tuple[str, str] | None:
    return name(names, LogRequest(task=task, wordings=rules), "folder", "x.json")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("folder", ("tickets_short", "a")),
        ("file", ("tickets_short", "b")),
        ("field:prompt", ("tickets_short", "brief")),
        ("{task}_{wording}", ("tickets", "short")),
        ("{wording}_{task}", ("short", "tickets")),
        ("tickets_{wording}", ("tickets", "short")),
        ("support=tickets_{wording}", ("support", "short")),
        ("{wording}_short", ("short", "tickets")),
        ("reviews_{wording}", None),
    ],
)
def test_rules(rule: str, expected: tuple[str, str] | None) -> None:
    assert _name(rule) == expected


def test_the_default_is_a_rule_and_a_named_task_replaces_that_of_the_log() -> None:
    assert _name() == ("tickets_short", "a")
    assert _name(task="tickets") == ("tickets", "a")
    assert _name("tickets_{wording}", task="support") == ("support", "short")


def test_several_patterns_serve_several_tasks() -> None:
    rules = ("tickets_{wording}", "mails={wording}_mail")
    assert _name(*rules) == ("tickets", "short")
    assert _name(*rules, names=LogNames("brief_mail", "a", "b")) == ("mails", "brief")


def test_a_name_with_two_readings_is_refused() -> None:
    names = LogNames("bbl_winowhy_short", "a", "b")
    with pytest.raises(UsageError, match="several ways"):
        _name("{task}_{wording}", names=names)
    assert _name("bbl_winowhy_{wording}", names=names) == ("bbl_winowhy", "short")


@pytest.mark.parametrize("rule", ["name", "field:colour", "{wording}", "{wording}{task}", "{wording}_{wording}"])
def test_rules_that_say_nothing_are_refused(rule: str) -> None:
    if rule == "{wording}":
        assert _name(rule) == ("tickets_short", "tickets_short")
        return
    with pytest.raises(UsageError):
        _name(rule)


def test_the_first_fitting_group_counts() -> None:
    groups = {"observed": "old*", "unobserved": "*"}
    assert [group_of(each, groups) for each in ("old 1", "new")] == ["observed", "unobserved"]
    assert group_of("new", {"observed": "old*"}) is None
