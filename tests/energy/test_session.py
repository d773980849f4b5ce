from __future__ import annotations

import json

import pytest

from phraseproof.energy.session import SESSIONS, Energy, EnergyPart, Session, read_sessions, total_of

GPU = Energy(
    {
        "cpu": EnergyPart(0.1, "RAPL", is_measured=True),
        "gpu": EnergyPart(0.6, "NVML", is_measured=True),
        "ram": EnergyPart(0.05, "estimated from its size", is_measured=False),
    },
    seconds=3600,
    tracker="codecarbon 3",
    kg_co2=0.3,
    place="DEU",
)
MISTYPED = Energy(GPU.parts, seconds=10, tracker="codecarbon 3", no_co2="no such country (got GER)")
TRACKED = Session("1 x GPU; CPU, 8 cores", "bfloat16", "16 prompts", wall_s=3610, cpu_s=4000, energy=GPU)
UNTRACKED = Session("CPU, 8 cores", "float32", "by tokens", wall_s=90, cpu_s=80, no_energy="not installed")


def test_energy_is_the_sum_of_its_parts_and_only_meters_measure() -> None:
    assert GPU.kwh == pytest.approx(0.75)
    assert GPU.measured_kwh == pytest.approx(0.7)


@pytest.mark.parametrize("session", [TRACKED, UNTRACKED, Session("CPU", "float32", "by tokens", 10, 9, MISTYPED)])
def test_a_session_survives_its_file(session: Session) -> None:
    content = json.loads(json.dumps({SESSIONS: {"one": session.as_record()}}))
    assert read_sessions(content) == [session]


def test_a_file_without_sessions_has_none() -> None:
    assert read_sessions({"cells": []}) == []


def test_sessions_add_up_and_say_what_is_not_tracked() -> None:
    found = total_of([TRACKED, UNTRACKED, TRACKED])
    assert (found.wall_s, found.cpu_s, found.tracked_s) == (7310, 8080, 7200)
    assert found.kwh == pytest.approx(1.5)
    assert found.measured_kwh == pytest.approx(1.4)
    assert found.kg_co2 == pytest.approx(0.6)
    assert found.places == ("DEU",)
    assert found.basis == "93% measured"
    assert found.reasons == ("not installed",)
    assert found.sources == ("cpu: RAPL", "gpu: NVML", "ram: estimated from its size")


def test_there_is_no_sum_of_co2_where_one_is_unknown() -> None:
    elsewhere = Energy(GPU.parts, seconds=10, tracker="codecarbon 3")
    found = total_of([TRACKED, Session("", "", "", 10, 10, elsewhere)])
    assert found.kwh == pytest.approx(1.5)
    assert found.kg_co2 is None


def test_nothing_tracked_is_no_zero() -> None:
    assert total_of([UNTRACKED]).kwh is None


def test_what_is_not_measured_is_called_estimated() -> None:
    assert total_of([Session("", "", "", 10, 10, Energy({"gpu": GPU.parts["gpu"]}, 10, "c"))]).basis == "measured"
    assert total_of([Session("", "", "", 10, 10, Energy({"ram": GPU.parts["ram"]}, 10, "c"))]).basis == "estimated"
