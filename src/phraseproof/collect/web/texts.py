"""Sentences of the form that the code chooses; `gettext` translates them. Sentences of pages are in the templates."""

from __future__ import annotations

from collections.abc import Callable

from phraseproof.collect.preview import Preview, PreviewProblem
from phraseproof.collect.records import Action, Shots, Status
from phraseproof.core import Kind

Gettext = Callable[[str], str]


def status_name(status: Status, _: Gettext) -> str:
    """What a status is called."""
    return {
        "draft": _("draft"),
        "submitted": _("submitted"),
        "returned": _("returned"),
        "accepted": _("accepted"),
    }[status]


def action_name(action: Action, _: Gettext) -> str:
    """What was done to a wording."""
    return {
        "saved": _("saved"),
        "submitted": _("submitted"),
        "accepted": _("accepted"),
        "returned": _("returned"),
        "edited": _("edited"),
        "imported": _("imported"),
    }[action]


def table_name(kind: Shots, _: Gettext) -> str:
    """What a table of the form is called."""
    return {"zero-shot": _("Zero-shot"), "few-shot": _("Few-shot")}[kind]


def table_hint(kind: Shots, _: Gettext) -> str:
    """What a table of the form is for."""
    if kind == "zero-shot":
        return _("The model sees your text and one question, and no solved example.")
    return _("The model sees your text, one or more solved examples, and then the question.")


def kind_hint(kind: Kind, _: Gettext) -> str:
    """What answers of a task are."""
    if kind is Kind.MULTIPLE_CHOICE:
        return _("Every example brings its own options. The model chooses one of them.")
    if kind is Kind.BINARY:
        return _("There are two options, the same for every example. The model chooses one of them.")
    if kind is Kind.MULTI_CLASS:
        return _("The options are the same for every example. The model chooses one of them.")
    if kind is Kind.SUMMARIZATION:
        return _("The model writes a summary.")
    if kind is Kind.TRANSLATION:
        return _("The model writes a translation.")
    return _("The model writes its answer freely.")


def problem_text(problem: PreviewProblem, _: Gettext) -> str:
    """What is wrong, in plain words."""
    known = {
        "empty": _("Nothing is written yet."),
        "too-long": _("The text is too long."),
        "unknown-field": _("No field is called “%(name)s”. Did you mean “%(suggestion)s”?")
        if problem.suggestion
        else _("No field is called “%(name)s”."),
        "template": _("The text between the braces cannot be read: %(detail)s."),
        "example": _("The model would see nothing of the example. Insert a field."),
        "options": _("The model would not see the options. Name them, or insert {{ choices }}.")
        if problem.level == "warning"
        else _("Answers are labels, and the model would not see the options."),
        "answers": _("The labels of the options and the answers that are scored do not fit: %(detail)s."),
        "gives-away": _("The text may give the answer away: %(detail)s."),
        "unused-field": _("The model would not see every field: %(detail)s."),
    }
    text = known.get(problem.kind, "%(detail)s")
    return text % {"detail": problem.message, "name": problem.name, "suggestion": problem.suggestion}


def preview_summary(preview: Preview, _: Gettext) -> str:
    """A preview in one sentence, for the line that screen readers read aloud."""
    errors = [problem for problem in preview.problems if problem.level == "error"]
    if errors:
        return problem_text(errors[0], _)
    if preview.problems:
        return _("It can be used. Please look at this: %(problem)s") % {"problem": problem_text(preview.problems[0], _)}
    if any(each.is_same for each in preview.similar):
        return _("It can be used, but the same text exists already.")
    if preview.similar:
        return _("It can be used. Similar texts exist.")
    return _("It can be used.")


def refusal(reason: str, _: Gettext) -> tuple[str, str]:
    """The heading and the sentence of an error page."""
    known = {
        "origin": (_("Not accepted"), _("The request came from another site. Open the form itself, and try again.")),
        "csrf": (_("Not accepted"), _("This page is too old. Go back, reload it, and try again.")),
        "form": (_("Not accepted"), _("What was sent cannot be read as a form.")),
        "size": (_("Too large"), _("What was sent is too large.")),
        "rate": (_("Too many requests"), _("Wait a minute, then try again. What was saved is kept.")),
        "unusable": (
            _("Not saved"),
            _("The server cannot store or read anything now. Keep this page open, and try again later."),
        ),
        "missing": (_("Not found"), _("There is no such page.")),
        "session": (
            _("Please open your link"),
            _("Open the link that you received. It opens the form in this browser."),
        ),
        "link-forged": (_("The link is not valid"), _("Check that the link is complete, or ask for a new one.")),
        "link-revoked": (_("The link was withdrawn"), _("Ask the person who sent it for a new one.")),
        "link-expired": (_("The link has expired"), _("Ask the person who sent it for a new one.")),
        "conflict": (_("Not done"), _("Something else changed in the meantime, or the step is not possible now.")),
    }
    return known.get(reason, known["conflict"])
