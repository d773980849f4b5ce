"""Writing a page: templates, the data inside it, and the policy that keeps everything else out.

A page holds one block of data (JSON), the script `page.js` and, if there are charts, Vega's libraries. Its
Content-Security-Policy names the scripts and the style by their hashes and forbids everything else, so nothing that a
model or a person wrote can run, and nothing is loaded from anywhere. Vega's expressions are interpreted (`ast`): no
`unsafe-eval` is needed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phraseproof.identity import content_hash
from phraseproof.reports.build import numbers, run_tables
from phraseproof.reports.build.text import printable, printable_lines
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.theme import VEGA_LITE, config
from phraseproof.reports.charts.vega import vl_convert
from phraseproof.reports.html.page_templates import page_templates
from phraseproof.user_cache import stored_text
from phraseproof.version import __version__

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).parent / "templates"
STYLE = _TEMPLATES / "page.css"
"""The style of all pages."""

_BUNDLE = "window.vegaEmbed = vegaEmbed;"


def render_page(
    template: str,
    *,
    title: str,
    subtitle: str = "",
    contents: Sequence[tuple[str, str]] = (),
    charts: Mapping[str, tuple[int, Chart]],
    texts: Sequence[Mapping[str, str]] = (),
    **context: Any,
) -> str:
    """The page as one text.

    Args:
        template: a file of `templates/`.
        contents: id and name of the sections to link to.
        charts: by the id of their figure, with the index into `texts` of the run they show.
        texts: for each run its wordings' texts, by wording, or by `task: wording` where tasks differ.
        context: what the template shows.

    Raises:
        MissingExtraError: there are charts, and vl-convert-python is not installed.
    """
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    css = STYLE.read_text(encoding="utf-8")
    libraries = vega_libraries() if charts else ""
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(_hashed(each) for each in (libraries, script) if each)}",
            f"style-src {_hashed(css)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    data = {
        "charts": {
            name: {
                "run": run,
                "spec": chart.spec,
                "data": _packed(chart),
                "description": chart.description,
                "minWidth": chart.min_width,
                "columns": chart.columns,
                "columnsShown": chart.columns_shown,
            }
            for name, (run, chart) in charts.items()
        },
        "texts": [{key: printable_lines(text) for key, text in of_run.items()} for of_run in texts],
        "themes": {"light": config(), "dark": config(dark=True)},
    }
    return (
        _environment()
        .get_template(template)
        .render(
            title=title,
            subtitle=subtitle,
            contents=contents,
            policy=policy,
            version=__version__,
            css=css,
            script=script,
            bundle=libraries,
            data=inert_json(data),
            legend=numbers.legend,
            **context,
        )
    )


def _packed(chart: Chart) -> dict[str, Any]:
    """Rows as lists under one list of names: a third of the size where there are thousands."""
    packed: dict[str, Any] = {}
    for name, rows in chart.data.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        packed[name] = {"columns": columns, "rows": [[row.get(key) for key in columns] for row in rows]}
    return packed


def inert_json(data: Any) -> str:
    """JSON that a `<script>` element can hold: no sign in it that HTML could take for its own."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def vega_libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script.

    Raises:
        MissingExtraError: vl-convert-python is not installed.
    """
    converter = vl_convert()

    def bundle() -> str:
        return converter.javascript_bundle(_BUNDLE, vl_version=VEGA_LITE)

    # Bundling takes more time than all other parts of a page together.
    text = stored_text("vega", content_hash([converter.__version__, _BUNDLE, VEGA_LITE]), bundle)
    # Inside a string literal or a comment `<\/script` says the same and does not end the element.
    return text.replace("\r\n", "\n").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _p_short(value: float | None) -> str:
    if value is None:
        return numbers.NO_DATA
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> jinja2.Environment:
    filters: dict[str, Callable[..., object]] = {
        "line": printable,
        "lines": printable_lines,
        "value_in_unit": numbers.value_in_unit,
        "difference_in_unit": numbers.difference_in_unit,
        "share_in_percent": numbers.share_in_percent,
        "title_with_unit": numbers.title_with_unit,
        "value_with_unit": numbers.value_with_unit,
        "spread": numbers.spread,
        "difference": numbers.difference,
        "p_short": _p_short,
        "unit_name": numbers.unit_name,
        "short_difference_unit": numbers.short_difference_unit,
        "comparison_line": run_tables.comparison_line,
        "ranking_title": run_tables.ranking_title,
    }
    return page_templates(_TEMPLATES, filters)
