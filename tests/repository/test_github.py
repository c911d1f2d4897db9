"""Files for GitHub: the workflow runs the project's own script, and the issue forms are valid."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
KINDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}


def read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


def test_the_workflow_runs_the_projects_own_script_on_every_change() -> None:
    (path,) = (ROOT / ".github" / "workflows").glob("*.yml")
    workflow = read(path)
    triggers = workflow[True]  # YAML 1.1 reads the key `on` as true
    assert triggers["push"] == {"branches": ["main"]}
    assert "pull_request" in triggers
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (call,) = [step for step in steps if step.get("run") == ".ci/run"]
    assert not {"if", "continue-on-error"} & set(call)
    checkout = next(step for step in steps if step.get("uses", "").startswith("actions/checkout@"))
    assert steps.index(checkout) < steps.index(call)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_is_valid(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    assert {part["type"] for part in form["body"]} <= KINDS
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids))
    for field in fields:
        assert field["attributes"]["label"]
        options = field["attributes"].get("options", [])
        assert all(isinstance(option, str) for option in options)
        assert bool(options) is (field["type"] == "dropdown")
    assert any(field.get("validations", {}).get("required") for field in fields)


def test_bugs_and_ideas_have_forms_and_pull_requests_a_template() -> None:
    assert [path.stem for path in FORMS] == ["bug", "idea"]
    template = (ROOT / ".github" / "pull_request_template.md").read_text()
    assert "- [ ] `make check` and `make test` pass" in template
