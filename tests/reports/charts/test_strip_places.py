"""Which dots become lines, and which numbers have room."""

import pytest

from phraseproof.reports.charts.strip_places import coincident, crowded_places, largest_place, pushed_apart


def test_only_lanes_of_many_values_have_crowded_places_and_each_holds_more_than_dots_fit() -> None:
    many = [50.0] * 296 + [70.0, 71.0, 72.0, 90.0, 90.0]
    assert list(crowded_places(many, 90.0).values()) == [[50.0] * 296]
    assert crowded_places(many[1:], 90.0) == {}
    # Nearly one score: one column of 90.
    spread = [50 + n / 1000 for n in range(301)]
    (place,) = crowded_places(spread, 90.0).values()
    assert place == spread
    assert largest_place({0: [1.0, 2.0], 7: [8.0, 9.0, 10.0]}) == (9.0, 3, True)
    assert sum(map(len, crowded_places([60.0] * 400, 0.0).values())) == 400


def test_a_narrow_page_shows_fewer_numbers() -> None:
    values = [10.0] * 30 + [15.0] * 20 + [20.0] * 10 + [40.0] * 12
    found = coincident(values, 100.0)
    assert {number.value: number.wordings for number in found} == {10.0: 30, 15.0: 20, 20.0: 10, 40.0: 12}
    # Numbers of two digits take 16.4 of 270 pixels there: 6.1 of 100.
    assert [number.value for number in found if number.is_narrow] == [10.0, 40.0, 20.0]


def test_longer_numbers_take_more_room() -> None:
    short, long = ([10.0] * 9 * size + [13.0] * 8 * size for size in (1, 1000))
    assert [number.value for number in coincident(short, 100.0)] == [10.0, 13.0]
    assert [number.value for number in coincident(long, 100.0)] == [10.0]


def test_equal_values_are_moved_to_both_sides_of_the_middle() -> None:
    assert pushed_apart([1.0, 1.0, 1.0, 50.0], 100.0) == pytest.approx([0, 1 / 6, -1 / 6, 0])
