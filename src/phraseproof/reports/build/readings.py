"""What a reader must know of how a run's answers were read, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.position_bias import position_bias
from phraseproof.analysis.readings import Readings, readings, unread_texts
from phraseproof.analysis.repeats import RepeatVariance, repeat_variances
from phraseproof.reports.build.judged_pairs import pair_lines
from phraseproof.reports.build.numbers import share_in_percent, short_difference_unit, value_in_unit
from phraseproof.scoring.scorer import Reading
from phraseproof.store.run_file import FITTING, GENERATION, IMPORTED, METRICS, FittedExamples, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run


_MANY_UNREAD = 0.05
"""The share of unread answers from which on some of their texts are shown."""


def reading_lines(run: Run) -> tuple[str, ...]:
    """Examples left out for long prompts, unread answers, open choices and the probability of options, in sentences."""
    lines = _fitting(run)
    program = run.settings.get(IMPORTED)
    if isinstance(program, str):
        lines.append(f"imported: another program read and scored the answers (import-results --from {program})")
    found = readings(run)
    if found is None:
        return tuple(lines)
    if found.reading is Reading.FIRST_TOKEN:
        mass = (
            ""
            if found.mass is None
            else f"; options have {share_in_percent(found.mass)}% of the probability on average"
        )
        low = (
            f", and less than half of it in {_share(found.low_mass, found.outcomes)} answers" if found.low_mass else ""
        )
        lines.append(f"read from the first token{mass}{low}")
        if found.open:
            lines.append(
                f"{_share(found.open, found.outcomes)} choices are open: within the bounds of what the server does not "
                "list, another option could be the most probable one"
            )
    if found.reading is Reading.TEXT and not isinstance(program, str):
        lines.append(f"read from generated texts{_generation(run)}")
    if found.free_texts:
        lines += [*_metric(run), *_free_texts(found)]
    else:
        lines.append(_unread(found.unread, found.outcomes, is_imported=isinstance(program, str)))
        if found.reading is Reading.TEXT and found.unread >= _MANY_UNREAD * found.outcomes:
            lines += _unread_texts(run, found.unread)
    lines += [_repeats(each, metric_of(run)) for each in repeat_variances(run)]
    return tuple(lines)


def labelled_reading_lines(runs: Sequence[Run]) -> list[str]:
    """The lines of several runs, each with its run's path."""
    return [f"{run.name}: {line}" for run in runs for line in reading_lines(run)]


def _fitting(run: Run) -> list[str]:
    """How many examples of each task keep the maximum length of prompts, where there is one."""
    tasks: Settings = run.content.get("tasks", {})
    found = {name: FittedExamples(**entry[FITTING]) for name, entry in tasks.items() if FITTING in entry}
    return [
        f"{name}: only examples with prompts of at most {each.max_prompt_tokens} tokens under every wording, "
        f"{_share(each.kept, each.examined)}"
        for name, each in found.items()
    ]


def _generation(run: Run) -> str:
    settings: Settings = run.settings.get(GENERATION) or {}
    model: Settings = run.settings.get("model") or {}
    form: object = model.get("settings", {}).get("answer_format")
    parts = (
        [f"temperature {settings['temperature']:g}", f"at most {settings['max_new_tokens']} tokens"] if settings else []
    )
    parts += [f"{name} {settings[name]:g}" for name in ("top_p", "top_k") if name in settings]
    parts += [f"stops at {' or '.join(map(repr, settings['stop']))}"] if settings.get("stop") else []
    parts += ["asked for a reasoning first"] if settings.get("reasoning") else []
    parts += [f"answer format {form}"] if form else []
    return f" ({', '.join(parts)})" if parts else ""


def _repeats(found: RepeatVariance, metric: Metric) -> str:
    repeats = f"{found.task}, {found.group}: {found.repeats} repeats"
    std = f"{value_in_unit(found.std_repeats, metric)} {short_difference_unit(metric)}"
    line = f"{repeats}; Std {std} over repeats of a wording"
    if found.std_wordings is not None and found.std_beyond_repeats is not None:
        line += (
            f", {value_in_unit(found.std_wordings, metric)} over the means of {found.wordings} wordings "
            f"({value_in_unit(found.std_beyond_repeats, metric)} beyond what repeats explain)"
        )
    return f"{line}; {share_in_percent(found.changed)}% of answers are not the same in every repeat"


def _metric(run: Run) -> list[str]:
    """How the library that computes the metric was used, and that a corpus metric is no mean over examples."""
    judge = metric_of(run)
    signature = run.content.get(METRICS, {}).get(judge.name, {}).get("signature")
    said = f" ({signature})" if signature else ""
    if judge.is_graded:
        if (pairs := position_bias(run)) is not None:
            what = "share of pairs that the text wins, where a tie counts half; 50% is no preference"
            return [f"{judge.name}{said}: {what}", *pair_lines(pairs)]
        ((row),) = run.query_rows(
            "SELECT count(*) AS grades, count(*) FILTER (WHERE list_last(statistics) = 0) AS unreadable FROM outcomes"
        )
        apart = f"{_share(row['unreadable'], row['grades'])} grades are unreadable, and are in no mean"
        return [f"{judge.name}{said}: grades in percent of the scale, from the lowest (0) to the highest", apart]
    if judge.is_corpus:
        return [f"{judge.name}{said} is computed from all examples of a task together, and is no mean over examples"]
    return [f"the metric is {judge.name}{said}"] if said else []


def _free_texts(found: Readings) -> list[str]:
    """What a reader must know of texts that a metric compares with references."""
    lines: list[str] = []
    if found.cut:
        lines.append(
            f"{_share(found.cut, found.free_texts)} texts ended at the maximum number of tokens (--max-new-tokens), "
            "and are scored as they are"
        )
    if found.empty:
        lines.append(f"{_share(found.empty, found.free_texts)} texts are empty, and are scored as they are")
    return lines


def _unread(unread: int, outcomes: int, *, is_imported: bool) -> str:
    if not unread:
        return f"all {outcomes:,} answers were read"
    counted = "with the other program's scores" if is_imported else "and count as wrong"
    return (
        f"{_share(unread, outcomes)} answers are unread: no option was found in them. They are in all means, {counted}"
    )


def _unread_texts(run: Run, unread: int) -> list[str]:
    """What the model wrote where no option was found, so that a user can choose another reading."""
    found = unread_texts(run)
    if not found.beginnings:
        return []
    what = "the last lines of unread texts" if found.of_last_lines else "unread texts"
    shown = ", ".join(
        f"{text!r} ({number:,})" if text else f"nothing ({number:,})" for text, number in found.beginnings
    )
    other = "" if IMPORTED in run.settings else "; --extract reads stored texts in another way, without the model"
    lines = [f"{what} begin most often with {shown}{other}"]
    if found.cut:
        lines.append(
            f"{_share(found.cut, unread)} unread texts ended at the maximum number of tokens (--max-new-tokens)"
        )
    return lines


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f}%)"
