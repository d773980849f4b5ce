"""Numbers as people read them: values and differences in a metric's unit, probabilities, methods."""

from __future__ import annotations

from phraseproof.analysis.robustness import Difference, GroupSummary
from phraseproof.core import Finding
from phraseproof.scoring.metric import Metric

NO_DATA = "n/a"


def unit_name(metric: Metric) -> str:
    """The unit of a metric's values in a sentence: `percent`, another unit, or the metric's name."""
    return "percent" if metric.unit == "%" else metric.unit or metric.name


def difference_unit(metric: Metric) -> str:
    """The unit of differences of a metric's values in a sentence."""
    return "percentage points" if metric.unit == "%" else unit_name(metric)


def short_difference_unit(metric: Metric) -> str:
    """The unit of differences after a number: `points`, another unit, or the metric's name."""
    return "points" if metric.unit == "%" else unit_name(metric)


def unit_sign(metric: Metric) -> str:
    """The unit of a metric's values in a heading: `%`, another unit, or the metric's name."""
    return metric.unit or metric.name


def title_with_unit(metric: Metric) -> str:
    """The heading of a column or axis of values: `accuracy (%)`, `length (letters)`."""
    return f"{metric.name} ({metric.unit})" if metric.unit else metric.name


def value_with_unit(value: float, metric: Metric) -> str:
    """`48.1%`, or `12.3 letters`."""
    number = value_in_unit(value, metric)
    return f"{number}%" if metric.unit == "%" else f"{number} {unit_name(metric)}"


def difference_with_unit(value: float, metric: Metric) -> str:
    """`+2.1 points`, or `-0.5 letters`."""
    return f"{difference_in_unit(value, metric)} {short_difference_unit(metric)}"


def legend(metric: Metric, *, with_counts: bool = True) -> str:
    """What the cells of a table by task hold, and their units."""
    counts = " (number of wordings)" if with_counts else ""
    return f"mean ± Std over wordings, in {unit_name(metric)}{counts}; differences in {difference_unit(metric)}"


def value_in_unit(value: float, metric: Metric) -> str:
    """A value as a number in the metric's unit: percent with one decimal, other units with three significant digits."""
    scaled = metric.scale * value
    return f"{scaled:.1f}" if metric.unit == "%" else f"{scaled:.3g}"


def difference_in_unit(value: float, metric: Metric) -> str:
    """A signed difference with the digits of `value_in_unit`; zero is `0.0`, never `-0.0`."""
    scaled = metric.scale * value
    text = f"{scaled:+.1f}" if metric.unit == "%" else f"{scaled:+.3g}"
    return "0.0" if text in {"+0.0", "-0.0", "+0", "-0"} else text


def share_in_percent(share: float) -> str:
    """A share of examples, pairs or variance, which is in percent whatever the metric is."""
    return f"{100 * share:.1f}"


def share_with_interval(found: Finding | None) -> str:
    """`57 [36, 73]` in whole percent, which is broken before the interval where the screen is narrow."""
    if found is None or found.low is None or found.high is None:
        return NO_DATA
    return f"{_whole(found.estimate)} [{_whole(found.low)},\u00a0{_whole(found.high)}]"


def _whole(share: float) -> str:
    text = f"{100 * share:.0f}"
    return "0" if text == "-0" else text


def spread(summary: GroupSummary | None, metric: Metric) -> str:
    """`48.1 ± 0.3 (50)`: mean, Std, number of wordings."""
    if summary is None:
        return NO_DATA
    std = NO_DATA if summary.std is None else value_in_unit(summary.std, metric)
    return f"{value_in_unit(summary.mean, metric)} ± {std} ({summary.num_wordings})"


def difference(value: Difference | None, metric: Metric) -> str:
    """A difference of means, or that there is none."""
    return NO_DATA if value is None else difference_in_unit(value.value, metric)


def p_value(value: float) -> str:
    """`p = 0.023`, or `p < 0.001`."""
    number = p_number(value)
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def p_number(value: float) -> str:
    """`0.023`, or `< 0.001`: a cell of a column of probabilities."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def short_method(found: Finding) -> str:
    """How an estimate and its interval were found, without numbers of resamples and degrees of freedom."""
    return found.method.partition(" (")[0]
