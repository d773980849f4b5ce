"""`energy`: sums of sessions by hand, and what is estimated is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.energy.session import SESSIONS, Energy, EnergyPart, Session
from phraseproof.errors import UsageError
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.tables import TableFormat
from phraseproof.store.run_file import read_run_file, write_run_file
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.cost_step import CostStep, FolderCost, Kind
from phraseproof.studies.energy import EnergyStudy
from phraseproof.studies.exhibit import Exhibit
from phraseproof.studies.format import render
from phraseproof.studies.published import figures
from phraseproof.studies.study import StudyRequest
from support.reading_task import make_evaluation

GPU = "1 x NVIDIA H200; CPU, 8 cores"


def session(hardware: str, hours: float, *, gpu: float = 0.0, ram: float = 0.0, kg: float | None = None) -> Session:
    parts = {"gpu": EnergyPart(gpu, "NVML", is_measured=True), "ram": EnergyPart(ram, "its size", is_measured=False)}
    energy = Energy(parts, hours * 3600, "codecarbon", kg_co2=kg, place="" if kg is None else "DEU")
    is_tracked = gpu + ram > 0
    reason = "" if is_tracked else "not installed"
    return Session(
        hardware, "bfloat16", "16 prompts", hours * 3600, hours * 7200, energy if is_tracked else None, reason
    )


def run_with(folder: Path, *sessions: Session) -> Path:
    make_evaluation().run(folder)
    content = read_run_file(folder)
    content[SESSIONS] = {str(number): each.as_record() for number, each in enumerate(sessions)}
    content["usage"]["wall_s"] = 0.0
    write_run_file(folder, content)
    return folder


def made(*folders: Path, out: Path) -> Exhibit:
    return carry_out(EnergyStudy(), StudyRequest(runs=folders, out=out))


def test_sessions_of_equal_work_are_one_row(tmp_path: Path) -> None:
    one = run_with(tmp_path / "one", session(GPU, 2, gpu=0.75, ram=0.25, kg=0.3), session(GPU, 1, gpu=0.5, kg=0.2))
    two = run_with(tmp_path / "two", session(GPU, 3, gpu=0.25, ram=0.25, kg=0.1), session("CPU, 2 cores", 0.5))
    exhibit = made(one, two, out=tmp_path / "studies")
    shown, paper = exhibit.tables
    by_hardware = {row[1].split("\n")[1]: row for row in shown.rows[:-1]}
    first, second = GPU.split("; ")
    assert by_hardware[first][1:] == (
        f"inference, bfloat16\n{first}\n{second}\n16 prompts", "2", "6", "12", "2", "0.6", "75% measured",
    )  # fmt: skip
    assert by_hardware["CPU, 2 cores"][2:] == ("1", "0.5", "1", "", "", "")
    assert shown.rows[-1][2:] == ("3", "6.5", "13", "2", "0.6", "75% measured\n92% of hours")
    assert "no energy of 1 of 2 folders, or of a part of them: not installed" in exhibit.notes
    (kwh,) = exhibit.results.select(statistic="energy")
    assert (kwh.estimate, kwh.unit) == (2.0, "kWh")
    assert "NVML" in kwh.method
    assert paper.rows[0] == ("Flan-T5-Small", "inference", "V100-SXM2-32G", "FP16", "128", "64", "4.0")
    assert paper.rows[-1][-1] == "164.2"


def test_energy_of_a_part_of_the_time_says_so(tmp_path: Path) -> None:
    tracked, not_tracked = session(GPU, 3, gpu=0.6, kg=0.1), session(GPU, 1)
    exhibit = made(run_with(tmp_path / "one", tracked, not_tracked), out=tmp_path / "studies")
    assert exhibit.tables[0].rows[0][5:] == ("0.6", "0.1", "measured\n75% of hours")


def test_co2_that_was_not_known_then_is_computed_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = run_with(tmp_path / "one", session(GPU, 1, gpu=2.0))
    assert made(folder, out=tmp_path / "studies").tables[0].rows[0][6] == ""
    monkeypatch.delenv("PHRASEPROOF_ENERGY")
    monkeypatch.setenv("CODECARBON_FORCE_CARBON_INTENSITY_G_CO2E_KWH", "210")
    exhibit = made(folder, out=tmp_path / "studies")
    assert exhibit.tables[0].rows[0][6:] == ("0.42", "measured")
    assert any("is taken as it is now" in note for note in exhibit.notes)


def cost(model: str, kind: Kind, *sessions: Session) -> FolderCost:
    return FolderCost(Path(model), kind, model, sessions, is_recorded=True)


def test_long_names_fit_and_stay_distinct(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = session("AMD EPYC 9V74 80-Core Processor, 2 cores", 7.123, ram=0.25, kg=0.001)
    smol, *others = named = (
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "pocket/tiny",
        "/home/one/models/a-long-name",
        "/home/two/models/a-long-name",
    )
    aligned = f"{smol}, lora+paft+choice"
    costs = {aligned: cost(aligned, "training", work)} | {each: cost(each, "inference", work) for each in named}
    folders = {tmp_path / str(number): each for number, each in enumerate(costs.values())}
    monkeypatch.setattr("phraseproof.studies.energy.cost_steps", lambda _: [CostStep(each) for each in folders])
    monkeypatch.setattr("phraseproof.studies.energy.read_cost", folders.get)
    exhibit = carry_out(EnergyStudy(), StudyRequest(out=tmp_path))
    short = "SmolLM2-135M-Instruct"
    assert {row[0] for row in exhibit.tables[0].rows} == {short, f"{short}\nlora+paft+choice", *others, "all"}
    text = render(exhibit, TableFormat.TEXT, screen=Screen(100)).text
    assert any(line.startswith(f"{short} ") for line in text.splitlines())
    assert {row.run for row in exhibit.results if row.statistic == "energy"} == {*named, aligned}


def test_charts_are_of_the_energy_or_of_the_hours(tmp_path: Path) -> None:
    one = run_with(tmp_path / "one", session(GPU, 2, gpu=0.5, ram=0.25), session("CPU, 2 cores", 1, ram=0.002))
    exhibit = made(one, out=tmp_path / "studies")
    (bar,) = exhibit.charts["energy"].data["bars"]
    # One model on two machines: 0.75 and 0.002 kWh, in Wh because they are less than 1 kWh.
    assert (bar["value"], bar["group"]) == (pytest.approx(752), "inference")
    assert "energy (Wh)" in exhibit.charts["energy"].description
    assert "66% measured" in exhibit.charts["energy"].title
    printed = exhibit.charts["co2-printed"].data["bars"]
    assert sum(each["value"] for each in printed) == pytest.approx(164.2, abs=0.05)
    assert {each["group"] for each in printed} == {"inference", "training"}
    without = made(run_with(tmp_path / "two", session(GPU, 3)), out=tmp_path / "others")
    assert list(without.charts) == ["hours", "co2-printed"]
    assert [each["value"] for each in without.charts["hours"].data["bars"]] == [3]


def test_all_folders_of_the_studies_are_read(tmp_path: Path) -> None:
    run_with(tmp_path / "runs" / "one", session(GPU, 1, gpu=1))
    exhibit = carry_out(EnergyStudy(), StudyRequest(out=tmp_path))
    assert exhibit.tables[0].rows[0][2] == "1"


def test_without_a_folder_there_is_nothing_to_show(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run and no training"):
        carry_out(EnergyStudy(), StudyRequest(out=tmp_path))


def test_the_printed_kilograms_are_hours_times_power_and_add_up_to_the_printed_total() -> None:
    printed = figures(["Table 8"])
    hours = {each.row: float(each.value) for each in printed if each.statistic == "hours"}
    kilograms = {each.row: float(each.value) for each in printed if each.statistic == "CO2"}
    total = kilograms.pop("Estimated Total")
    assert len(hours) == 10
    for row, found in kilograms.items():
        power = 0.4 if "A100" in row else 0.3
        assert found == pytest.approx(hours[row] * power * 0.21, abs=0.1)
    assert sum(kilograms.values()) == pytest.approx(total, abs=0.05)
