"""The lengths of a run's options, in bytes or tokens, as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from phraseproof.analysis.calibrated import Extra
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues
from phraseproof.calibration.methods import Needs
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.columns import flat_values
from phraseproof.store.queries import Run


def option_lengths(run: Run, tasks: Sequence[OptionValues], needs: Needs) -> list[Extra]:
    """The lengths [R, E, C] of the options of each task; 1 where there is no option.

    Args:
        run: the run.
        tasks: all of its tasks, as `load_option_values` gives them.
        needs: `Needs.BYTES` or `Needs.TOKENS`.

    Raises:
        NotEnoughDataError: the run does not hold the numbers of tokens.
    """
    found = [np.ones(values.values.shape) for values in tasks]
    number = {(values.task, values.num_fewshot): place for place, values in enumerate(tasks)}
    rows = [0] * len(tasks)
    for cell, table in run.read_cells(("example_id", "options", "option_tokens")):
        task = number.get((cell.task, cell.num_fewshot))
        if task is None:
            continue
        options: list[list[str]] = table["options"].to_pylist()
        sizes = np.array([len(each) for each in options])
        if needs is Needs.TOKENS:
            column = table["option_tokens"]
            lengths = np.zeros(0) if column.null_count else flat_values(column)
            if len(lengths) != sizes.sum() or lengths.min(initial=1) < 1:
                raise NotEnoughDataError(
                    f"the options' numbers of tokens are not stored for {cell.task} under {cell.instruction}",
                    where=run.name,
                    hint="Use --method per-byte",
                )
        else:
            lengths = np.array([max(1, len(text.encode())) for each in options for text in each], dtype=np.float64)
        _place(found[task][rows[task]], tasks[task], table["example_id"].to_pylist(), sizes, lengths)
        rows[task] += 1
    return [Extra(lengths=each) for each in found]


def _place(row: Floats, values: OptionValues, ids: Sequence[str], sizes: Ints, lengths: Floats) -> None:
    """Write the lengths of a cell's options into its row [E, C]."""
    own = np.ones((len(ids), row.shape[1]))
    own[np.arange(row.shape[1]) < sizes[:, None]] = lengths
    if tuple(ids) == values.examples:
        row[:] = own
        return
    place = {name: number for number, name in enumerate(ids)}
    row[:] = own[[place[name] for name in values.examples]]
