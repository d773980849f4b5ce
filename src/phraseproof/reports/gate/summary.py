"""A gate's result as GitHub-flavoured Markdown, for a job's summary or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.reports.format.markdown import escape, table_lines
from phraseproof.reports.gate.limits import LimitCheck

_SHOWN = 50


def render(checks: Sequence[LimitCheck], *, name: str, notes: Sequence[str] = ()) -> str:
    """Whether the gate passed, what is broken, and a line per limit.

    Args:
        name: what was checked, say the model and the run's folder.
        notes: what a reader must know to interpret the numbers, one line each.
    """
    broken = [check for check in checks if not check.is_kept]
    result = "passed" if not broken else "failed"
    lines = [f"### Wording gate {result}: {escape(name)}", ""]
    if broken:
        rows = [[f"`{check.option}`", escape(check.line)] for check in broken[:_SHOWN]]
        lines += table_lines(["limit", "broken by"], rows, right=())
        if len(broken) > _SHOWN:
            lines += ["", f"and {len(broken) - _SHOWN} more"]
        lines.append("")
    for option in dict.fromkeys(check.option for check in checks):
        of_option = [check for check in checks if check.option == option]
        kept = sum(check.is_kept for check in of_option)
        lines.append(f"- `{option}`: kept in {kept} of {len(of_option)} places")
    lines += [line for note in notes for line in ("", f"Note: {escape(note)}")]
    return "\n".join(lines) + "\n"
