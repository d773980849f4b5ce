"""What is said of answers that are compared with labels."""

from __future__ import annotations

from phraseproof.alignment.teacher_quality import GradedAnswer, judge_answers, report_qualities


def test_reports_are_a_line_and_the_warnings() -> None:
    lines: list[str] = []
    graded = [GradedAnswer(number, 1.0, 0.5) for number in range(2)]
    report_qualities(
        [judge_answers("t", ["a", "a"], graded, single=0.5)], lines.append, lambda w: lines.append("!" + w)
    )
    assert lines[0] == "t: the teacher is right on 100.0% of 2 labelled pairs, single wordings on 50.0%, chance 50.0%"
    assert lines[1].startswith("!t: the teacher is not shown to be better than chance")
    assert lines[2].startswith("!t: the teacher answers 'a' to 100% of 2 pairs")


def test_many_tasks_without_a_warning_share_a_line() -> None:
    lines: list[str] = []
    right = [GradedAnswer(number, 1.0, 0.25) for number in range(12)]
    mostly = [GradedAnswer(number, float(number > 1), 0.25) for number in range(12)]
    judged = [judge_answers(task, ["a", "b"] * 6, right if task != "g" else mostly) for task in "abcdefg"]
    doubted = judge_answers("x", ["a", "b"] * 6, [GradedAnswer(number, 0.0, 0.25) for number in range(12)])
    report_qualities([*judged, doubted], lines.append, lambda _: None)
    assert lines == [
        "7 tasks: the teacher is right on 83.3% to 100.0% of the labelled pairs of each, above chance",
        "x: the teacher is right on 0.0% of 12 labelled pairs, chance 25.0%",
    ]


def test_the_advice_is_given_once_for_all_tasks() -> None:
    warnings: list[str] = []
    graded = [GradedAnswer(number, 1.0, 0.5) for number in range(2)]
    judged = [judge_answers(task, ["a", "b"], graded, advice="Do this instead") for task in ("t", "u", "v")]
    report_qualities(judged, lambda _: None, warnings.append)
    assert [each.split(":")[0] for each in warnings] == ["t", "u", "v"]
    assert [each.endswith(". Do this instead") for each in warnings] == [True, False, False]
    assert warnings[1].endswith("of 2 labelled pairs, chance 50.0%")
