"""The texts of another run, with which a judge compares those of this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from phraseproof.core import Cell, Task
from phraseproof.errors import RunError
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.registry import reads_text
from phraseproof.scoring.texts.rubric import OtherRun
from phraseproof.store.queries import Run, load_run


class ComparedRun:
    """Gives the stored texts of a run, by cell and example.

    Args:
        against: the run, and the wording if one is named.
        tasks: in full; the run must hold answers to the same data.

    Raises:
        RunError: there is no such run, it lacks a task, or it was evaluated on other data.
    """

    def __init__(self, against: OtherRun, tasks: Sequence[Task]) -> None:
        self._against = against
        try:
            self._run = load_run(against.run)
        except RunError as error:
            raise RunError(
                f"{error.problem}, and a rubric compares texts with those of this run",
                expected=error.expected,
                got=error.got,
                where=error.where,
                hint=f"{error.hint or 'Check the path'}; the field against of the rubric names it",
            ) from None
        for task in tasks:
            self._require_same_data(task)
        self._found: dict[CellKey, Mapping[str, str]] = {}
        self._selected: dict[tuple[str, str], Run] = {}

    @property
    def name(self) -> str:
        """The run's folder."""
        return str(self._run.path)

    def texts(self, cell: CellKey) -> Mapping[str, str]:
        """By example, the texts with which those of a cell are compared.

        They were written under the wording that the rubric names, or else the cell's own; with the same demonstrations
        and in the same repeat.

        Raises:
            RunError: the run does not hold them, or a file is damaged.
        """
        wanted = cell if self._against.instruction is None else cell._replace(instruction=self._against.instruction)
        if wanted not in self._found:
            self._found[wanted] = self._read(wanted)
        return self._found[wanted]

    def _read(self, wanted: CellKey) -> Mapping[str, str]:
        of_task = [each for each in self._run.all_cells if each.task == wanted.task and reads_text(each.scoring)]
        found = [each for each in of_task if CellKey.of(each) == wanted]
        missing = set(self._run.missing_of(found))
        stored = next((each for each in found if each not in missing), None)
        if stored is None:
            raise self._missing(wanted, of_task, is_planned=bool(found))
        by = (stored.scoring, stored.metric)
        run = self._selected.setdefault(by, self._run.select(*by))
        ((_, table),) = run.read_cells(("example_id", "text"), only=[stored])
        rows = zip(table["example_id"].to_pylist(), table["text"].to_pylist(), strict=True)
        return {name: text for name, text in rows if text is not None}

    def _missing(self, wanted: CellKey, of_task: Sequence[Cell], *, is_planned: bool) -> RunError:
        names = list(dict.fromkeys(each.instruction for each in of_task))
        if is_planned or wanted.instruction in names:
            shots = (
                f" with {wanted.num_fewshot} demonstrations (seed {wanted.fewshot_seed})" if wanted.num_fewshot else ""
            )
            repeat = f" in repeat {wanted.repeat}" if wanted.repeat else ""
            return RunError(
                f"the run holds no texts of {wanted.task!r} under {wanted.instruction!r}{shots}{repeat} yet, "
                "and a rubric compares texts with them",
                where=self.name,
                hint="Evaluate them first",
            )
        some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return RunError(
            f"the run holds no texts of {wanted.task!r} under {wanted.instruction!r}, and a rubric compares texts with "
            "them",
            expected=f"one of: {some}" if names else None,
            where=self.name,
            hint="Name one of its wordings in the rubric: against: {run: ..., instruction: ...}" if names else None,
        )

    def _require_same_data(self, task: Task) -> None:
        entries: Mapping[str, Mapping[str, object]] = self._run.content.get("tasks", {})
        if task.name not in entries:
            raise RunError(
                f"a rubric compares texts with those of this run, which has none of the task {task.name!r}",
                expected=f"a run of {task.name}",
                got=f"a run of {', '.join(entries)}",
                where=self.name,
            )
        stored = entries[task.name].get("data")
        if stored is not None and stored != task.data:
            raise RunError(
                f"a rubric compares texts with those of this run, which answer other data of the task {task.name!r}",
                where=self.name,
                hint="Evaluate it on the task's present data, into a new folder",
            )
