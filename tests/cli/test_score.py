"""`tlm3d score`: the tables, the JSON, and that a network alone is a run of its task alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from cli.conftest import Command

SCORE = ("score", "good/platform.yaml", "good/workload.yaml")


def as_json(tlm3d: Command, *command: object) -> Any:
    result = tlm3d(*command, "--json", "-")
    assert result.stderr == ""
    return json.loads(result.stdout)


def _crowded(folder: Path) -> tuple[Path, Path]:
    """Two tasks with the same network on the same array, released together, and the first of them alone."""
    network = Path("good/networks/tiny.yaml").resolve()
    task = {"network": str(network), "rate": "10 Hz", "map": {"default": "array", "softmax*": "cluster"}}
    files = []
    for name, tasks in (("both", ("a", "b")), ("alone", ("b",))):
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"name": name, "policy": "fifo", "tasks": dict.fromkeys(tasks, task)}))
        files.append(file)
    return files[0], files[1]


def test_a_row_a_network_and_what_they_come_to(tlm3d: Command) -> None:
    result = tlm3d(*SCORE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("SCORE: 100.0 of 100, 1 networks of small-work\n")
    assert "look" in result.stdout
    assert "control" not in result.stdout  # it runs no network
    assert " ANTT 1.0" in result.stdout


def test_the_response_alone_is_that_of_a_run_of_the_task_alone(tlm3d: Command, tmp_path: Path) -> None:
    both, alone = _crowded(tmp_path)
    found = as_json(tlm3d, "score", "good/platform.yaml", both)
    together = as_json(tlm3d, "run", "good/platform.yaml", both)["tasks"]
    by_itself = as_json(tlm3d, "run", "good/platform.yaml", alone)["tasks"]["b"]["response_ps"]["mean"]
    first, second = found["models"]
    assert first["alone_ps"] == second["alone_ps"] == by_itself
    assert [model["together_ps"] for model in found["models"]] == [
        together[name]["response_ps"]["mean"] for name in ("a", "b")
    ]
    assert second["together_ps"] > by_itself
    assert found["antt"] > 1.0
    assert found["stp"] < 2.0
    assert second["normalised"] == second["together_ps"] / by_itself


def test_every_key_of_the_scores_is_in_the_page_of_documentation(tlm3d: Command) -> None:
    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    page = page.partition("## JSON of `tlm3d score`")[2]
    found = as_json(tlm3d, *SCORE)
    for key in found:
        assert f"| `{key}`" in page or f"`{key}`" in page, key
    for key in found["models"][0]:
        assert f"| `models[].{key}`" in page, key


def test_a_cascaded_network_runs_alone_with_what_releases_it(tlm3d: Command, tmp_path: Path) -> None:
    both, _ = _crowded(tmp_path)
    text = yaml.safe_load(both.read_text())
    text["tasks"]["c"] = {key: value for key, value in text["tasks"]["b"].items() if key != "rate"}
    text["tasks"]["c"]["after"] = {"task": "b"}
    text["chains"] = {"all": {"tasks": ["b", "c"], "deadline": "1 s"}}
    both.write_text(yaml.safe_dump(text))
    models = {model["task"]: model for model in as_json(tlm3d, "score", "good/platform.yaml", both)["models"]}
    # It starts when b has finished, so that nothing is in its way, together or not.
    assert models["c"]["frames"] > 0
    assert models["c"]["together_ps"] == models["c"]["alone_ps"] == models["b"]["alone_ps"]
