"""How a log names its wordings: by folders, files, fields, or patterns of the log's task names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from phraseproof.errors import UsageError
from phraseproof.logs.cells import LogRequest

FOLDER, FILE, FIELD = "folder", "file", "field:"
_OPTION = "--wordings"
_TASK, _WORDING = "{task}", "{wording}"
_ENDS = " _-./:"


class LogNames(NamedTuple):
    """The names that a log offers.

    Attributes:
        task: the log's own name of its task.
        folder, file: of the log.
        fields: arguments and settings of the log, by name.
    """

    task: str
    folder: str
    file: str
    fields: Mapping[str, str] = {}


class Named(NamedTuple):
    """The task and the wording of a log."""

    task: str
    wording: str


def name(names: LogNames, request: LogRequest, default: str, where: str) -> Named | None:
    """The task and the wording of a log.

    Args:
        names: those that the log offers.
        request: how it names its wordings.
        default: used where the request does not say it: `folder`, `file` or `field:NAME`.
        where: the log, for errors.

    Returns:
        `None` if the request has patterns, and none fits the task's name.

    Raises:
        UsageError: a field that the log lacks, or a pattern that can be read in several ways.
    """
    rules = request.wordings or (default,)
    patterns = [rule for rule in rules if _WORDING in rule]
    if len(patterns) < len(rules):
        if len(rules) > 1:
            raise UsageError("only patterns can be given several times", got=", ".join(rules), where=_OPTION)
        return Named(request.task or names.task, _by_rule(names, next(iter(rules)), where))
    found = {each for pattern in patterns for each in _split(names.task, pattern, request)}
    if len(found) > 1:
        readings = ", ".join(sorted(f"wording {each.wording!r} of {each.task!r}" for each in found))
        raise UsageError(
            f"the name {names.task!r} can be read in several ways",
            got=readings,
            where=_OPTION,
            hint="Write the task's name out: --wordings 'TASK_{wording}'",
        )
    return found.pop() if found else None


def _by_rule(names: LogNames, rule: str, where: str) -> str:
    if rule == FOLDER:
        return names.folder
    if rule == FILE:
        return names.file
    if not rule.startswith(FIELD):
        raise UsageError(
            "this does not say where the wording's name is",
            expected="folder, file, field:NAME, or a pattern with {wording}",
            got=rule,
            where=_OPTION,
        )
    field = rule.removeprefix(FIELD)
    if not names.fields.get(field):
        raise UsageError(
            f"{where} has no field {field!r}",
            expected=f"one of: {', '.join(sorted(names.fields))}" if names.fields else "a log with fields",
            where=_OPTION,
        )
    return names.fields[field]


def _split(task: str, rule: str, request: LogRequest) -> set[Named]:
    """All ways to read a task's name as `[TASK=]PATTERN`."""
    given, equals, pattern = rule.partition("=")
    if not equals:
        given, pattern = "", rule
    pieces = re.split(r"(\{task\}|\{wording\})", pattern)
    if pieces.count(_WORDING) != 1 or pieces.count(_TASK) > 1:
        raise UsageError("a pattern names the wording once, and the task at most once", got=rule, where=_OPTION)
    if _TASK not in pieces:
        literal = given or request.task or pattern.replace(_WORDING, "").strip(_ENDS)
        form = "".join("(.+)" if piece == _WORDING else re.escape(piece) for piece in pieces)
        match = re.fullmatch(form, task, re.DOTALL)
        return {Named(literal or task, match[1])} if match else set()
    before, first, between, _, after = pieces
    if not between:
        raise UsageError("a pattern has text between task and wording", got=rule, where=_OPTION)
    if not (task.startswith(before) and task.endswith(after) and len(task) > len(before) + len(after)):
        return set()
    inner = task[len(before) : len(task) - len(after)]
    ends = [place for place in range(1, len(inner) - len(between)) if inner.startswith(between, place)]
    pairs = [(inner[:end], inner[end + len(between) :]) for end in ends]
    return {Named(given or left, right) if first == _TASK else Named(given or right, left) for left, right in pairs}


def group_of(wording: str, groups: Mapping[str, str]) -> str | None:
    """The first group whose pattern fits the wording; `None` if none does.

    Args:
        wording: its name.
        groups: shell patterns by the group's name, such as `{"observed": "short*"}`.
    """
    return next((group for group, pattern in groups.items() if fnmatchcase(wording, pattern)), None)
