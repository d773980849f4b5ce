"""A task and wordings for tests of `harden`."""

from __future__ import annotations

from phraseproof.core import Example, Instruction, Kind, Task


def make_task(name: str = "parity", size: int = 12) -> Task:
    examples = tuple(
        Example(str(n), {"question": f"river {n}"}, ("yes", "no"), (1.0, 0.0) if n % 2 else (0.0, 1.0))
        for n in range(size)
    )
    return Task(name, Kind.BINARY, name, examples)


def make_wordings(count: int) -> tuple[Instruction, ...]:
    return tuple(
        Instruction(
            f"w{n}", "mine", ask=f"Question {n} of the teacher:", layout="{{ question }}", answer="{{ choice }}"
        )
        for n in range(count)
    )
