"""Vega's package, or one line that says how to install it."""

from __future__ import annotations

import sys

import pytest

from phraseproof.errors import MissingExtraError
from phraseproof.reports.charts.vega import vl_convert


def test_without_the_package_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtraError, match=r"(?s)vl-convert-python.*phraseproof\[report\]"):
        vl_convert()
