"""The settings that a run's numbers depend on, as lines for people, and where two runs differ in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

_NOT_COMPARED = frozenset({"log_samples"})
"""Settings that change no score."""

_DRAWS = "draws of demonstrations"

_VERSIONS = ("phraseproof", "torch", "transformers", "tokenizers", "peft")


class SettingDifference(NamedTuple):
    """A setting that two runs do not share; `None` where a run does not have it."""

    name: str
    before: str | None
    after: str | None

    @property
    def line(self) -> str:
        """`prompt_format: plain before, chat after`."""
        return f"{self.name}: {_or_none(self.before)} before, {_or_none(self.after)} after"


def setting_line(run: Run) -> str:
    """`prompt format chat, scoring loglikelihood, metric accuracy`; empty for imported accuracies."""
    if run.accuracies:
        return ""
    prompt_format = run.settings.get("prompt_format")
    metrics = dict.fromkeys(cell.metric for cell in run.cells)
    parts = [
        f"prompt format {prompt_format}{_served(run) if prompt_format != 'chat' else ''}" if prompt_format else "",
        f"scoring {run.scoring}",
        f"metric {', '.join(metrics)}" if metrics else "",
    ]
    return ", ".join(part for part in (*parts, *_averaged(run)) if part)


def _averaged(run: Run) -> Iterator[str]:
    """What a wording's scores are means over."""
    some = " where there are any" if any(cell.num_fewshot == 0 for cell in run.cells) else ""
    several = [f"{number} {what}{some if what == _DRAWS else ''}" for what, number in _drawn(run) if number > 1]
    if several:
        yield f"scores are means over {' and '.join(several)}"


def _drawn(run: Run) -> Iterator[tuple[str, int]]:
    """How many draws of demonstrations and orders of options a wording has at most."""
    yield "orders of options", max(1, len({cell.option_order for cell in run.cells}))
    yield _DRAWS, max(1, len({cell.fewshot_seed for cell in run.cells if cell.num_fewshot}))


def differing_settings(before: Run, after: Run) -> tuple[SettingDifference, ...]:
    """The settings in which two runs differ, the software that computed them, then tasks whose data is not the same."""
    first, second = (dict(_settings(run)) for run in (before, after))
    earlier, later = _data(before), _data(after)
    for task in [name for name in earlier if name in later]:
        first[f"data of {task}"], second[f"data of {task}"] = earlier[task], later[task]
    return tuple(
        SettingDifference(name, first.get(name), second.get(name))
        for name in dict.fromkeys((*first, *second))
        if first.get(name) != second.get(name)
    )


def _settings(run: Run) -> Iterator[tuple[str, str]]:
    kept = {name: value for name, value in run.settings.items() if name not in _NOT_COMPARED}
    yield from _flat(kept)
    yield "metric", ", ".join(dict.fromkeys(cell.metric for cell in run.cells))
    yield from ((name, str(number)) for name, number in _drawn(run))
    if run.share < 1:
        yield "share of the grid", f"{100 * run.share:.3g}%"
    versions = run.content.get("environment", {})
    yield from ((f"version of {name}", str(versions[name])) for name in _VERSIONS if name in versions)


def _data(run: Run) -> Mapping[str, str]:
    """By task the hash of its data, where the run holds it."""
    tasks: Mapping[str, Mapping[str, str]] = run.content.get("tasks", {})
    return {name: entry["data"] for name, entry in sorted(tasks.items()) if entry.get("data")}


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings under dotted names; a setting that is null is one that the run does not have."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(cast("Mapping[str, object]", value), f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name, str(value)


def _served(run: Run) -> str:
    """A server's completions receive text as it is: whether its model has a chat template does not matter to them."""
    model = run.settings.get("model")
    if not isinstance(model, Mapping):
        return ""
    settings = cast("Mapping[str, object]", model).get("settings")
    served = isinstance(settings, Mapping) and cast("Mapping[str, object]", settings).get("endpoint") == "completions"
    return " (served as completions, without a chat template)" if served else ""


def _or_none(value: str | None) -> str:
    return value or "none"
