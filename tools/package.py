"""Build wheel and source archive, look into them, and use the wheel in empty environments, with each extra alone.

    python3 tools/package.py                           # everything, with this Python
    python3 tools/package.py --extras none,report      # only these extras

Environments are made by venv and filled by pip, with its settings, as a user's are, and removed after use: one with
torch takes 1 to 7 GB. The archives stay in dist/, and dist/package.json keeps what was measured,
for the release notes. Needs nothing but Python and pip.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.package_uses import FILES, NOT_INSTALLED, USES, Step  # noqa: E402

DIST = ROOT / "dist"
MEASURED = "package.json"
PACKAGE = "phraseproof"
WITHOUT = "none"
"""How the command line names the package without an extra."""

IN_SDIST = ("CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md", ".gitignore", "pyproject.toml")
_CONSTRAINTS = str(ROOT / "constraints.txt")
_TIMES = 11


class CheckFailedError(Exception):
    """The package is not as it should be; the message says how."""


def main() -> None:
    """Do everything, and say what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    known = [WITHOUT, *filter(None, USES)]
    parser.add_argument("--extras", default=",".join(known), help=f"of {','.join(known)}; default: all")
    chosen = parser.parse_args().extras.split(",")
    if unknown := set(chosen) - set(known):
        sys.exit(f"no such extra, or none that is checked: {', '.join(sorted(unknown))}")
    try:
        check(["" if extra == WITHOUT else extra for extra in chosen])
    except CheckFailedError as error:
        sys.exit(f"error: {error}")


def check(extras: Sequence[str]) -> None:
    """Build and check, and install with each of the extras.

    Raises:
        CheckFailedError: something is not as it should be.
    """
    with tempfile.TemporaryDirectory(prefix="phraseproof-package-") as folder:
        installer = Installer(Path(folder))
        wheel, sdist = build(installer)
        sizes = {"wheel_bytes": wheel.stat().st_size, "sdist_bytes": sdist.stat().st_size}
        print(f"{wheel.name}: {sizes['wheel_bytes']:,} bytes; {sdist.name}: {sizes['sdist_bytes']:,} bytes")
        measured: dict[str, object] = {"python": sys.version.split()[0], **sizes}
        for extra in extras:
            began = time.monotonic()
            times = use(wheel, extra, installer)
            if not extra:
                measured |= times
            print(f"ok    {extra or 'without an extra'}  ({time.monotonic() - began:.0f} s)", flush=True)
    for extra, reason in NOT_INSTALLED.items():
        print(f"left out: {extra}: {reason}")
    (DIST / MEASURED).write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


class Installer:
    """Makes environments in a folder.

    Attributes:
        folder: where they are.
        tools: the Python of the one that has the tools.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tools = str(folder / "tools" / "bin" / "python")
        _run([sys.executable, "-m", "venv", str(folder / "tools")])
        _run([self.tools, "-m", "pip", "install", "--quiet", "-c", _CONSTRAINTS, "build", "twine"])

    def environment(self, name: str, requirement: str) -> str:
        """A new environment with one requirement, by this Python and its installer; the path of its Python."""
        folder = self.folder / name / "venv"
        python = str(folder / "bin" / "python")
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([python, "-m", "pip", "install", "--quiet", "-c", _CONSTRAINTS, requirement])
        return python


def build(installer: Installer) -> tuple[Path, Path]:
    """The wheel and the source archive in dist/, built from the archive, twice, with the same bytes.

    Raises:
        CheckFailedError: they differ, or do not hold what they should.
    """
    tools = installer.tools
    shutil.rmtree(DIST, ignore_errors=True)
    again = installer.folder / "again"
    for target in (DIST, again):
        _run([tools, "-m", "build", "--outdir", str(target), str(ROOT)])
    wheel, sdist = (next(DIST.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    for each in (wheel, sdist):
        if _sha256(each) != _sha256(again / each.name):
            raise CheckFailedError(f"two builds of {each.name} differ")
    _run([tools, "-m", "twine", "check", "--strict", str(wheel), str(sdist)])
    tracked = _run(["git", "-C", str(ROOT), "ls-files", "src"]).split()
    with zipfile.ZipFile(wheel) as archive:
        wrong = problems_of_wheel(archive.namelist(), tracked)
    with tarfile.open(sdist) as archive:
        wrong += problems_of_sdist([each.name for each in archive if each.isfile()], tracked)
    if wrong:
        raise CheckFailedError("; ".join(wrong))
    return wheel, sdist


def problems_of_wheel(names: Sequence[str], tracked: Sequence[str]) -> list[str]:
    """What is wrong with the names of a wheel's files, given the tracked files below src/."""
    own = {name for name in names if ".dist-info/" not in name}
    return _differences("wheel", own, {name.removeprefix("src/") for name in tracked})


def problems_of_sdist(names: Sequence[str], tracked: Sequence[str]) -> list[str]:
    """The same for the source archive, whose files are below one folder."""
    return _differences("source archive", {name.partition("/")[2] for name in names}, {*tracked, *IN_SDIST})


def _differences(what: str, found: set[str], expected: set[str]) -> list[str]:
    wrong = [f"not in the {what}: {', '.join(sorted(expected - found))}"] if expected - found else []
    return wrong + ([f"too much in the {what}: {', '.join(sorted(found - expected))}"] if found - expected else [])


def use(wheel: Path, extra: str, installer: Installer) -> dict[str, object]:
    """Install the wheel with an extra into an empty environment, and run what it is for.

    Returns:
        Without an extra: the seconds of an import and of `--version`.

    Raises:
        CheckFailedError: a step does not do what it should.
    """
    name = extra or WITHOUT
    home = installer.folder / name
    work = home / "work"
    for path, text in FILES.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text(text, encoding="utf-8")
    python = installer.environment(name, f"{PACKAGE}[{extra}] @ {wheel.as_uri()}" if extra else str(wheel))
    try:
        for step in USES[extra]:
            do(step, python, work)
        if extra:
            return {}
        return {
            "import_s": _median_seconds([python, "-c", f"import {PACKAGE}"], work),
            "empty_s": _median_seconds([python, "-c", ""], work),
            "version_s": _median_seconds([python, "-m", PACKAGE, "--version"], work),
        }
    finally:
        shutil.rmtree(home)


def do(step: Step, python: str, work: Path) -> None:
    """Run one step.

    Raises:
        CheckFailedError: another exit code, or the text is not in what was printed.
    """
    is_program = step.arguments.startswith("-c ")
    # The installed command, not the module: it is what users type.
    command = [python, "-c", step.arguments[3:]] if is_program else [_script(python), *step.arguments.split()]
    done = subprocess.run(
        command, cwd=work, env=_environment_variables(), capture_output=True, text=True, check=False, timeout=1800
    )
    printed = done.stdout + done.stderr
    if done.returncode != step.code or step.prints not in printed:
        raise CheckFailedError(
            f"{PACKAGE} {step.arguments}: exit code {done.returncode} (expected {step.code}), expected to print "
            f"{step.prints!r}, printed:\n{printed}"
        )


def _script(python: str) -> str:
    return str(Path(python).with_name(PACKAGE))


def _environment_variables() -> Mapping[str, str]:
    """Those of this process, without what would let the checkout be imported, and without a network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "HF_HUB_OFFLINE": "1", "COLUMNS": "120", "OMP_NUM_THREADS": "1"}


def _median_seconds(command: Sequence[str], work: Path) -> float:
    """The median of elapsed seconds, after a first start that compiles."""
    seconds: list[float] = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        subprocess.run(command, cwd=work, env=_environment_variables(), capture_output=True, check=True)
        seconds.append(time.perf_counter() - began)
    return round(statistics.median(seconds[1:]), 4)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailedError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
