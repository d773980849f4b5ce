"""A model in a package of its own, which writes down each prompt that it scores: who computed what, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_MODULE = """
import hashlib
import os
import time

from phraseproof.models.scripted import ScriptedModel


class CountedModel(ScriptedModel):
    def __init__(self, log, delay_s):
        super().__init__(name="counted")
        self._log, self._delay = log, delay_s

    def self_test(self, prompts):
        return []

    def score_options(self, prompts, **options):
        found = super().score_options(prompts, **options)
        time.sleep(self._delay * len(prompts))
        with open(self._log, "a") as file:
            for prompt in prompts:
                file.write(f"{os.getpid()} {hashlib.sha256(prompt.text.encode()).hexdigest()}\\n")
        return found


def load(name, options):
    return CountedModel(options.args["log"], float(options.args.get("delay_s", "0")))
"""


class Computed(NamedTuple):
    """A prompt that was computed: by which process, and its hash."""

    pid: int
    prompt: str


def write_package(folder: Path) -> Path:
    """A folder for `sys.path` in which the model `counted` is found; its arguments are `log` and `delay_s`."""
    info = folder / "counted-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "counted.py").write_text(_MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: counted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[phraseproof.models]\ncounted = counted:load\n")
    return folder


def read_log(path: Path) -> Iterator[Computed]:
    """What was computed so far, in order."""
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        pid, _, prompt = line.partition(" ")
        if len(prompt) == 64:
            yield Computed(int(pid), prompt)
