"""`phraseproof plot`: real files of the right kind, and one line for what cannot be drawn."""

from __future__ import annotations

import json
import struct
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from support.command_line import Done, run_command
from support.report_runs import write_run

pytest.importorskip("vl_convert", reason="the extra `report` is not installed")

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    return partial(run_command, capsys, "plot")


@pytest.mark.parametrize("kind", ["headline", "strip", "heatmap"])
def test_svg_has_the_tasks_and_a_mark_for_each_wording(run: Path, call: Any, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"{kind}.svg"
    assert call(run, "--kind", kind, "--out", out) == Done(f"{out}\n", "", 0)
    root = ElementTree.parse(out).getroot()
    words = {element.text for element in root.iter(f"{SVG}text")}
    assert words >= ({"Overall", "KB", "Tone"} if kind == "headline" else {"kb/colours", "kb/shapes", "tone/polite"})
    assert {"observed", "unobserved"} <= words
    marks = {"headline": 6, "strip": 21, "heatmap": 21}[kind]
    shape = {"headline": "mark-symbol", "strip": "mark-symbol", "heatmap": "mark-rect"}[kind]
    drawn = [
        sum(1 for _ in group.iter(f"{SVG}path"))
        for group in root.iter(f"{SVG}g")
        if shape in group.get("class", "") and "role-mark" in group.get("class", "")
    ]
    assert marks in drawn


def test_pdf_and_png_are_what_their_names_say(run: Path, call: Any, tmp_path: Path) -> None:
    pdf, png = tmp_path / "strip.pdf", tmp_path / "strip.png"
    assert call(run, "--kind", "strip", "--out", pdf).code == 0
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert call(run, "--kind", "strip", "--out", png, "--width", "300").code == 0
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", content[16:24])
    assert width == pytest.approx(4 * 300, rel=0.02), "four pixels a point"


def test_a_category_alone(run: Path, call: Any, tmp_path: Path) -> None:
    out = tmp_path / "kb.svg"
    assert call(run, "--kind", "strip", "--out", out, "--task", "KB").code == 0
    assert "tone/polite" not in out.read_text(encoding="utf-8")


def test_a_training_s_losses(call: Any, tmp_path: Path) -> None:
    lines = [{"step": n, "loss": 1 / n, "held_out": {"loss": 2 / n}} for n in (1, 2, 3)]
    (tmp_path / "training.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "loss.svg"
    assert call(tmp_path, "--kind", "training", "--out", out).code == 0
    assert "held-out loss" in out.read_text(encoding="utf-8")


def test_scaling_needs_sizes_and_takes_them_from_options(call: Any, tmp_path: Path) -> None:
    runs = [write_run(tmp_path / f"size{n}", bonus=0.05 * n, examples=6) for n in range(3)]
    out = tmp_path / "scaling.svg"
    sizes = [text for n, run in enumerate(runs) for text in ("--parameters", f"{run}={10 ** (n + 6)}")]
    assert call(*runs, "--kind", "scaling", "--out", out, *sizes).code == 0
    assert "parameters" in out.read_text(encoding="utf-8")
    done = call(*runs, "--kind", "scaling", "--out", out)
    assert done.code == 2
    assert "--parameters" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kind", "strip", "--out", "x.gif"), "x.gif"),
        (("--kind", "strip", "--out", "x.svg", "--task", "nothing"), "kb/colours"),
        (("--kind", "strip", "--out", "x.svg", "--num-fewshot", "3"), "--num-fewshot"),
        (("--kind", "training", "--out", "x.svg"), "align"),
        (("--kind", "tsne", "--out", "x.svg"), "represent"),
        (("--kind", "distance", "--out", "x.svg"), "represent"),
        (("--kind", "pie", "--out", "x.svg"), "pie"),
        (("--kind", "strip", "--out", "x.svg", "--width", "3"), "--width"),
        (("--kind", "scaling", "--out", "x.svg", "--parameters", "many"), "RUN=NUMBER"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    run: Path, call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert len(done.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
