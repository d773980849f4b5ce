"""The workflows run what developers run, on every Python version that the package supports, and hold no secret."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.project_files import ROOT, make_targets, python_versions, read_yaml

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = {"actions/checkout", "actions/setup-python", "actions/upload-artifact", "actions/download-artifact"}
PUBLISHING = "pypa/gh-action-pypi-publish"


def _jobs(name: str) -> dict[str, Any]:
    return read_yaml(f".github/workflows/{name}")["jobs"]


def _commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("job", ["ci", "package"])
def test_every_supported_python_is_checked(job: str) -> None:
    assert _jobs("ci.yml")[job]["strategy"]["matrix"]["python"] == python_versions()


def test_a_change_must_pass_what_developers_run() -> None:
    assert "bash .ci/run" in _commands(_jobs("ci.yml")["ci"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_commands_exist_and_actions_are_few(path: Any) -> None:
    for job in _jobs(path.name).values():
        for command in _commands(job):
            target = re.search(r"make (?:--\w+ )?([\w-]+)", command)
            assert target is None or target[1] in make_targets(), command
            script = re.search(r"(?:bash|python3) (\S+)", command)
            assert script is None or (ROOT / script[1]).is_file(), command
        used = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
        assert used <= ACTIONS | ({PUBLISHING} if path.name == "release.yml" else set())


def test_a_release_needs_no_secret_and_only_its_last_job_may_publish() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert not re.search(r"secrets\.|password|api[-_]token", text, re.IGNORECASE)
    content = read_yaml(".github/workflows/release.yml")
    assert content["permissions"] == {"contents": "read"}
    jobs = content["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["publish"]
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["environment"] == "release"
    # What is published was built, checked and used in the job before, and is not built again.
    assert "make package" in _commands(jobs["build"])
    assert not any("build" in command for command in _commands(jobs["publish"]))


def test_templates_ask_for_what_a_fault_needs() -> None:
    fields = {each["id"]: each for each in read_yaml(".github/ISSUE_TEMPLATE/fault.yml")["body"]}
    assert all(fields[name]["validations"]["required"] for name in ("what", "command", "doctor"))
