"""The number of requests in flight follows what a simulated server can do."""

from __future__ import annotations

from phraseproof.models.openai.adaptive_limit import AdaptiveLimit


class Simulation:
    """Rounds of requests to a server that answers `places` at once, each in one second; others queue."""

    def __init__(self, most: int, *, places: int, time_limit_s: float = 1000.0) -> None:
        self.now_s = 0.0
        self.places = places
        self.limit = AdaptiveLimit(most, time_limit_s=time_limit_s, clock=lambda: self.now_s)

    def rounds(self, number: int) -> list[int]:
        """The number in flight in each round."""
        found: list[int] = []
        for _ in range(number):
            found.append(self.limit.now)
            began = [self.limit.began() for _ in range(self.limit.now)]
            for place, began_s in enumerate(began):
                self.now_s = began_s + 1 + place // self.places
                self.limit.answered(began_s)
        return found


def test_it_doubles_at_first_and_stays_within_the_maximum() -> None:
    assert Simulation(64, places=1000).rounds(7) == [4, 8, 16, 32, 64, 64, 64]
    assert Simulation(3, places=1000).rounds(2) == [3, 3]


def test_it_stops_to_grow_where_more_requests_bring_no_more_answers() -> None:
    flights = Simulation(4096, places=16).rounds(60)
    assert max(flights) <= 128
    assert min(flights[5:]) >= 16


def test_a_busy_server_gets_half_as_many_and_then_one_more_per_round() -> None:
    simulation = Simulation(64, places=1000)
    simulation.rounds(5)
    began_s = [simulation.limit.began() for _ in range(64)]
    simulation.now_s += 1
    for each in began_s:  # one event: all were sent before the first refusal
        simulation.limit.refused(each)
    assert simulation.limit.now == 32
    assert simulation.rounds(4) == [32, 33, 34, 35]
    for _ in range(10):
        simulation.now_s += 1
        simulation.limit.refused(simulation.limit.began())
    assert simulation.limit.now == 1


def test_answers_near_the_time_limit_halve_it() -> None:
    simulation = Simulation(64, places=4, time_limit_s=8.0)
    assert max(simulation.rounds(40)[10:]) <= 33  # 33 in flight take 5 s on average
