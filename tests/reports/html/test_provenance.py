"""Where a run came from."""

from dataclasses import replace
from pathlib import Path

from phraseproof.energy.session import SESSIONS, Energy, EnergyPart, Session
from phraseproof.reports.html.provenance import provenance
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_the_command_tasks_and_settings_are_shown(tmp_path: Path) -> None:
    found = provenance(load_run(write_run(tmp_path / "a")))
    assert found.command == "phraseproof evaluate --model org/model"
    assert [task[0] for task in found.tasks] == ["kb/colours", "kb/shapes", "tone/polite"]
    assert found.cells[0] == 3 * 7


def test_hardware_and_energy_are_those_of_all_sessions(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a"))
    parts = {"cpu": EnergyPart(0.25, "RAPL", is_measured=True), "ram": EnergyPart(0.75, "its size", is_measured=False)}
    energy = Energy(parts, seconds=3600, tracker="codecarbon", kg_co2=0.2, place="DEU")
    session = Session("1 x GPU; CPU, 8 cores", "float32", "by tokens", 3610, 20, energy)
    content = {**run.content, SESSIONS: {"one": session.as_record(), "two": session.as_record()}}
    shown = dict(provenance(replace(run, content=content)).usage)
    assert shown["hardware"] == "1 x GPU; CPU, 8 cores"
    assert shown["energy"] == "2 kWh (25% measured; tracked for 7,200 seconds)"
    assert shown["CO2 equivalent"] == "0.4 kg (DEU)"
