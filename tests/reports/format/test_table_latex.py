"""The LaTeX format: balanced, escaped, and compiled where there is a compiler."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.reports.build.text import printable
from phraseproof.reports.format import table_latex as latex_table
from phraseproof.reports.format.tables import By, TableFormat, render
from support.table_samples import HOSTILE, NASTY, RUN


def balanced(latex: str) -> bool:
    depth = 0
    for mark in re.findall(r"\\.|[{}]", latex, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(mark, 0)
        if depth < 0:
            return False
    return depth == 0


def test_by_task():
    latex = render([RUN], form=TableFormat.LATEX).text
    assert r"\quad qa/one & 53.0 $\pm$ 3.6 (3) & 45.0 $\pm$ 7.1 (2) & $-8.0$ \\" in latex
    assert r"\begin{tabular}{lrrr}" in latex
    assert [latex.count(rule) for rule in (r"\toprule", r"\bottomrule", r"\end{table}")] == [1, 1, 1]
    assert latex.index(r"\textbf{bc}") < latex.index(r"\textbf{Overall}")


def test_by_wording():
    latex = render([RUN], form=TableFormat.LATEX, by=By.WORDING).text
    assert r"worst & 50.0 & observed/0 & Say which. \\" in latex
    assert latex.count(r"\begin{longtable}") == latex.count(r"\end{longtable}") == 1


@pytest.mark.parametrize("by", By)
def test_what_users_wrote_is_set_and_does_not_act(by: By):
    latex = render([HOSTILE], form=TableFormat.LATEX, by=by).text
    assert balanced(latex)
    rows = [line for line in latex.splitlines() if line.endswith(r" \\")]
    rows = [row for row in rows if not row.startswith((r"\caption", r"\multicolumn"))]
    columns = {len(re.findall(r"(?<!\\)&", row)) for row in rows}
    assert columns == {3}
    assert "\x1b" not in latex


@given(st.text())
def test_any_text_is_escaped(text: str):
    escaped = latex_table.escape(text)
    assert balanced(escaped)
    without_commands = re.sub(r"\\[a-z]+\{\}|\\[{}$&#%_]|\{[\[*]\}|-\{\}|\$\\pm\$", "", escaped)
    assert not set(without_commands) & set("\\{}$&#%_^~<>|\"'`[*±")
    assert "--" not in escaped


def test_escaping_can_be_undone():
    commands = {
        r"\textbackslash{}": "\\",
        r"\textasciicircum{}": "^",
        r"\textasciitilde{}": "~",
        r"\textless{}": "<",
        r"\textgreater{}": ">",
        r"\textbar{}": "|",
        r"\textquotedbl{}": '"',
        r"\textquotesingle{}": "'",
        r"\textasciigrave{}": "`",
        "{[}": "[",
        "{*}": "*",
        "-{}": "-",
        **{rf"\{mark}": mark for mark in "{}$&#%_"},
    }
    pattern = re.compile("|".join(map(re.escape, commands)))
    undone = pattern.sub(lambda found: commands[found.group()], latex_table.escape(NASTY))
    assert undone == printable(NASTY)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("by", By)
def test_compiles(by: By, tmp_path: Path):
    packages = r"\usepackage{booktabs,longtable,textcomp}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}"
    body = render([RUN, HOSTILE], form=TableFormat.LATEX, by=by).text
    document = rf"\documentclass{{article}}{packages}\begin{{document}}" + f"\n{body}" + r"\end{document}"
    (tmp_path / "table.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
