"""A task and a collection of wordings, as a user would write them."""

from __future__ import annotations

from pathlib import Path


def write_project(folder: Path, *, examples: int, wordings: int) -> Path:
    """Put `items.csv`, `task.yaml` (the task `parity`) and `wordings.yaml` (w0, w1, ...) into a folder; returns it."""
    rows = "".join(f"item {n},{'even' if n % 2 == 0 else 'odd'}\n" for n in range(examples))
    (folder / "items.csv").write_text("item,parity\n" + rows)
    (folder / "task.yaml").write_text(
        "name: parity\nkind: binary\ndata: items.csv\nfields: {item: item}\nchoices: [even, odd]\nanswer: parity\n"
    )
    found = "".join(
        f"  - {{id: w{n}, template: 'Wording {n}: {{{{ item }}}}', answer: text}}\n" for n in range(wordings)
    )
    (folder / "wordings.yaml").write_text(f"name: parities\ninstructions:\n{found}")
    return folder
