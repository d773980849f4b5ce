"""Run every example, and write what it prints into examples/; with --check, compare instead.

    python tools/refresh_examples.py            # after a change; of one file: ... explore_run.ipynb
    python tools/refresh_examples.py --check    # in continuous integration: exit code 1 if something differs

Commands run in an empty folder. Numbers may differ by one unit and 2%, and hashes at all, such as those of trained
weights: processors round differently. Needs the extra `dev`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
_BLOCK = re.compile(r"^```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_HASH = re.compile(r"\b[0-9a-f]{16,64}\b")
_SECONDS = 900


def main() -> None:
    """Refresh or check all files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    names = ["README.md", *sorted(path.name for path in EXAMPLES.glob("*.ipynb"))]
    parser.add_argument("files", nargs="*", help=f"of {', '.join(names)}; default: all")
    asked = parser.parse_args()
    is_check: bool = asked.check
    if unknown := set(asked.files) - set(names):
        parser.error(f"no such file of examples: {', '.join(sorted(unknown))}")
    made: dict[Path, Callable[[Path], str]] = {
        EXAMPLES / name: refreshed_page if name.endswith(".md") else refreshed_notebook for name in asked.files or names
    }
    wrong = 0
    for path, refreshed in made.items():
        old = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="phraseproof-examples-") as folder:
            shutil.copytree(EXAMPLES, Path(folder) / "examples", ignore=shutil.ignore_patterns("__pycache__", "runs"))
            os.chdir(folder)
            new = refreshed(path)
            os.chdir(EXAMPLES)
        if is_check and not same(old, new):
            wrong += 1
            print("".join(difflib.unified_diff(old.splitlines(True), new.splitlines(True), path.name, "now")))
        elif not is_check:
            path.write_text(new, encoding="utf-8")
            print(f"{path.name}: written", flush=True)
        else:
            print(f"{path.name}: {'as stored' if old == new else 'the same but for rounding'}", flush=True)
    sys.exit(1 if wrong else 0)


def refreshed_page(path: Path) -> str:
    """A Markdown page, with the outputs of its commands in the current folder."""
    return _BLOCK.sub(
        lambda block: f"```console\n$ {block['command']}\n{output_of(block['command'])}```",
        path.read_text(encoding="utf-8"),
    )


def output_of(command: str) -> str:
    """What a command of a shell prints, with this Python as `python`.

    Raises:
        RuntimeError: it fails. A command whose failure is shown ends in `|| echo ...`.
    """
    done = subprocess.run(
        ["bash", "-c", command], env=_variables(), capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode:
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def refreshed_notebook(path: Path) -> str:
    """A notebook, with the outputs of its cells in the current folder."""
    import nbformat
    from nbclient import NotebookClient

    os.environ.update(_variables())
    notebook: Any = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=_SECONDS, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
    return notebook_text(json.loads(nbformat.writes(notebook)))


def notebook_text(content: dict[str, Any]) -> str:
    """A notebook as text, without what differs from run to run: times, versions, warnings on stderr."""
    content["metadata"] = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for cell in content["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"] = [each for each in cell["outputs"] if each.get("name") != "stderr"]
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def same(old: str, new: str) -> bool:
    """Whether two texts differ at most in hashes, and in numbers by one unit and 2%."""
    old, new = (_HASH.sub("HASH", text) for text in (old, new))
    if _NUMBER.sub("0", old) != _NUMBER.sub("0", new):
        return False
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    return all(abs(float(one) - float(other)) <= 1 + 0.02 * abs(float(one)) for one, other in pairs)


def _variables() -> Mapping[str, str]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {
        **os.environ,
        "PATH": programs,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "COLUMNS": "100",
        "PHRASEPROOF_ENERGY": "off",
    }


if __name__ == "__main__":
    main()
