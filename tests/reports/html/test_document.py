"""What stands between hostile data and the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.reports.charts.intervals import Interval, intervals
from phraseproof.reports.html.document import inert_json, render_page
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.report_runs import HOSTILE

anything = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything)
def test_json_comes_back_and_holds_nothing_that_html_reads(data: object) -> None:
    text = inert_json(data)
    assert json.loads(text) == data
    assert not set("<>&\u2028\u2029\0") & set(text)
    assert text.isascii()


def test_nan_never_reaches_a_page() -> None:
    with pytest.raises(ValueError, match=r"NaN|JSON compliant"):
        inert_json({"value": float("nan")})


class Scripts(HTMLParser):
    """Gathers the scripts, the style and the policy of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.policy = ""
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "meta" and named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""
        assert not any(name.startswith("on") or name == "style" for name in named), "no handlers, no inline style"
        if tag in {"script", "style"} and named.get("type") != "application/json":
            self._into = self.scripts if tag == "script" else self.styles
            self._into.append("")

    def handle_endtag(self, tag: str) -> None:
        self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data


def test_the_policy_names_every_script_and_style_and_nothing_else() -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    mark = Interval("row", "", 1.0)
    chart = intervals([mark], title="t", description="d", metric=ACCURACY, differences=True)
    page = render_page("compare.html.j2", title=HOSTILE[1], charts={"x": (0, chart)}, views=[])
    found = Scripts()
    found.feed(page)
    assert len(found.scripts) == 2
    assert len(found.styles) == 1
    for text in (*found.scripts, *found.styles):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in found.policy
    assert found.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in found.policy
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page.split("<script", 1)[0])
