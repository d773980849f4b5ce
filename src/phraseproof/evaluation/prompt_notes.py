"""What a reader should know about the prompts of a run, counted over all of them: cut, special tokens, options."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from phraseproof.core import Cell, Outcome, PromptRemark
from phraseproof.evaluation.observer import Observer

_TEXTS = {
    PromptRemark.DOUBLED_BOS: "begin with two BOS tokens",
    PromptRemark.NO_BOS: "begin without the BOS token that the tokenizer puts before plain texts (the chat template "
    "writes none)",
    PromptRemark.OPTION_BEGINS_ANOTHER: "have an option that begins another one, so its log-likelihood can never be "
    "lower (--scoring loglikelihood_norm divides by length)",
}


class PromptNotes:
    """Counts prompts by what is notable, and warns an observer: of cut prompts at once, of all at the end.

    Args:
        observer: warned.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._cut: dict[str, int] = {}
        self._all: dict[str, int] = {}
        self._cells: dict[str, int] = {}
        self._remarks: dict[str, Counter[PromptRemark]] = {}

    def count(self, cell: Cell, outcomes: Sequence[Outcome], remarks: Mapping[int, int]) -> None:
        """Count the prompts of a cell.

        Args:
            cell: the cell.
            outcomes: all of them.
            remarks: for each sum of `PromptRemark`, how many of its prompts have it.
        """
        task = cell.task
        self._all[task] = self._all.get(task, 0) + len(outcomes)
        found = self._remarks.setdefault(task, Counter())
        for total, prompts in remarks.items():
            for remark in PromptRemark(total):
                found[remark] += prompts
        cut = sum(outcome.truncated_tokens > 0 for outcome in outcomes)
        if not cut:
            return
        if task not in self._cut:
            self._observer.warned(
                f"{task} under {cell.instruction}: {cut} of {len(outcomes)} prompts did not fit the model's context "
                "and were cut from the left"
            )
        self._cut[task] = self._cut.get(task, 0) + cut
        self._cells[task] = self._cells.get(task, 0) + 1

    def sum_up(self) -> None:
        """Warn once per task of every remark, and of cut prompts if they are in more cells than the first."""
        for task, cut in self._cut.items():
            if self._cells[task] > 1:
                share = f"{cut:,} of {self._all[task]:,} prompts"
                self._observer.warned(f"{task}: {share} were cut from the left, in {self._cells[task]} cells")
        for task, found in self._remarks.items():
            for remark, prompts in sorted(found.items()):
                self._observer.warned(f"{task}: {prompts:,} of {self._all[task]:,} prompts {_TEXTS[remark]}")
