"""`tlm3d explain`: the table, the block it chooses, where it looks for a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from cli.conftest import Command

EXPLAIN = ("explain", "good/platform.yaml", "good/networks/tiny.yaml")
ROOT = Path(__file__).parents[2]


def as_json(tlm3d: Command, *arguments: str) -> Any:
    result = tlm3d(*EXPLAIN, *arguments, "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def test_a_row_a_layer_and_a_total(tlm3d: Command) -> None:
    result = tlm3d(*EXPLAIN, "--on", "cluster")
    assert (result.exit_code, result.stderr) == (0, "")
    first, *lines = result.stdout.splitlines()
    assert first == "tiny · small-stack · on logic.cluster"
    rows = {line.split()[0]: line.split() for line in lines if line.startswith(" ")}
    # 16 x 16 x 4 outputs of 9 taps are 9216 MAC; 1 kB in, 4 x (9 + 4) B of weights, 1 kB out.
    assert rows["conv0"][2:6] == ["9.22k", "1.02k", "52", "1.02k"]
    assert rows["fc1"][2:6] == ["2.05k", "1.02k", "2.06k", "2"]
    assert rows["total"][1] == "11.3k"
    assert rows["total"][-3] == "100"


def test_layers_that_the_block_does_not_run_go_elsewhere_and_are_named(tlm3d: Command) -> None:
    assert " note: npu.array does not run softmax2: on logic.cluster\n" in tlm3d(*EXPLAIN, "--on", "array").stdout
    document = as_json(tlm3d, "--on", "array")
    assert document["elsewhere"] == {"softmax2": "logic.cluster"}
    assert [layer["block"] for layer in document["layers"]] == ["npu.array", "npu.array", "logic.cluster"]


def test_a_layer_is_mapped_to_another_block(tlm3d: Command) -> None:
    there = (*EXPLAIN, "--on", "array", "--map", "fc1=cluster")
    text = tlm3d(*there).stdout
    assert " --map: fc1 on logic.cluster\n" in text
    assert " note: npu.array does not run softmax2: on logic.cluster\n" in text
    document = as_json(tlm3d, *there[len(EXPLAIN) :])
    assert document["elsewhere"] == {"fc1": "logic.cluster", "softmax2": "logic.cluster"}
    # As long there as in the same place with all that the cluster runs.
    mapped, alone = (
        next(layer for layer in one["layers"] if layer["name"] == "fc1")
        for one in (document, as_json(tlm3d, "--on", "cluster"))
    )
    assert mapped["cycles"] == alone["cycles"]
    assert mapped["block"] == "logic.cluster"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("fc1", "--map: expected LAYER=BLOCK, got 'fc1'"),
        ("=cluster", "--map: expected LAYER=BLOCK, got '=cluster'"),
        ("fd1=cluster", "--map: no layer 'fd1' in network tiny; did you mean 'fc1'?"),
        ("fc1=clutser", "did you mean 'cluster'?"),
        ("fc1=l2", "--map: no block 'l2' that runs layers in platform small-stack; expected one of: array, cluster"),
        ("softmax2=array", "--map: npu.array does not run softmax2, a softmax with"),
    ],
)
def test_what_cannot_be_mapped_is_said(tlm3d: Command, word: str, message: str) -> None:
    result = tlm3d(*EXPLAIN, "--map", word)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_layer_is_mapped_once(tlm3d: Command) -> None:
    result = tlm3d(*EXPLAIN, "--map", "fc1=cluster", "--map", "fc1=array")
    assert result.exit_code == 2
    assert "--map: layer 'fc1' is mapped twice" in result.stderr


def test_without_on_it_says_which_block_it_took_and_before_which(tlm3d: Command) -> None:
    assert " --on not given: npu.array is the fastest, before logic.cluster\n" in tlm3d(*EXPLAIN).stdout
    # An array of a hundredth of the clock is slower than the cluster.
    slow = tlm3d(*EXPLAIN, "--set", "dies.npu.blocks.array.clock=1 MHz").stdout
    assert " --on not given: logic.cluster is the fastest, before npu.array\n" in slow
    assert "--on" not in tlm3d(*EXPLAIN, "--on", "array").stdout


def test_a_block_too_small_for_a_tile_is_passed_over(tlm3d: Command) -> None:
    fast = "{kind: cnn-accelerator, array: [64, 64], clock: 10 GHz, local: %s, home: l2}"
    roomy, small = (("--set", f"dies.npu.blocks.fast={fast % local}") for local in ("8 KiB", "64 B"))
    assert as_json(tlm3d, *roomy)["block"] == "npu.fast"
    assert " --on not given: npu.array is the fastest, before logic.cluster\n" in tlm3d(*EXPLAIN, *small).stdout


def test_a_network_is_found_by_name_beside_the_platform_and_in_workloads(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_name = tlm3d("explain", "good/platform.yaml", "tiny")
    assert (by_name.exit_code, by_name.stdout) == (0, tlm3d(*EXPLAIN).stdout)
    monkeypatch.chdir(ROOT)
    shipped = tlm3d("explain", "platforms/three_tier_vision.yaml", "ds_cnn_kws")
    assert shipped.stdout.startswith("ds_cnn_kws · three-tier-vision · on ")


def test_json_in_a_file_is_the_same_beside_the_report(tlm3d: Command, tmp_path: Path) -> None:
    file = tmp_path / "explained.json"
    assert tlm3d(*EXPLAIN, "--json", file).stdout.startswith("tiny")
    assert json.loads(file.read_text(encoding="utf-8")) == as_json(tlm3d)


def test_the_page_of_json_lists_every_field(tlm3d: Command) -> None:
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    document = as_json(tlm3d)
    for key in (*document, *(f"layers[].{key}" for key in document["layers"][0])):
        assert f"| `{key}` |" in page


@pytest.mark.parametrize(("columns", "at_most"), [("80", 80), ("120", 100)])
@pytest.mark.parametrize("network", sorted(path.stem for path in (ROOT / "workloads" / "networks").glob("*.yaml")))
def test_no_line_is_longer_than_the_terminal(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, network: str, columns: str, at_most: int
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", columns)
    result = tlm3d("explain", "platforms/three_tier_vision.yaml", network)
    assert result.exit_code == 0
    assert max(map(cell_len, result.stdout.splitlines())) <= at_most


DIANA = ("explain", ROOT / "platforms" / "silicon" / "diana.yaml", ROOT / "workloads" / "networks" / "resnet8.yaml")


@pytest.mark.parametrize("columns", ["80", "120"])
def test_what_a_block_says_of_its_layers_stands_below_them(
    tlm3d: Command, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    result = tlm3d(*DIANA, "--on", "analog")
    assert (result.exit_code, result.stderr) == (0, "")
    table = result.stdout.partition("Layers there  what soc.analog says of them\n")[2].partition("\n\n")[0]
    rows = {line.split()[0]: line.split()[1:] for line in table.splitlines()}
    # 64 inputs of 3 rows and 3 + 3 columns; 64 outputs of 4 pixels; 64 pixels, 4 a pass; 7 + 1.5 + log2 576 bits.
    assert rows["conv9"] == ["1152", "256", "4", "16", "17.7", "0.33"]
    assert "add3" not in rows
    assert max(map(cell_len, result.stdout.splitlines())) <= int(columns)
    assert "Layers there" not in tlm3d(*DIANA, "--on", "digital").stdout


def test_what_a_block_says_of_a_layer_is_in_the_json(tlm3d: Command) -> None:
    layers = {
        layer["name"]: layer for layer in json.loads(tlm3d(*DIANA, "--on", "analog", "--json", "-").stdout)["layers"]
    }
    assert layers["conv9"]["facts"] == {
        "rows": 1152, "columns": 256, "pixels": 4, "passes": 16, "bits_needed": 17.67, "effective_bits": 0.33
    }  # fmt: skip
    assert layers["add3"]["facts"] == layers["softmax15"]["facts"] == {}


def test_a_network_on_two_blocks_has_one_entry_in_the_memory_that_both_fetch_from(tlm3d: Command) -> None:
    network = ROOT / "workloads/networks/ds_cnn_kws.yaml"
    result = tlm3d("explain", ROOT / "platforms/silicon/gap9.yaml", network, "--on", "ne16", "--json", "-")
    residency = json.loads(result.stdout)["residency"]
    (l2,) = [memory for memory in residency["memories"] if memory["memory"] == "chip.l2"]
    stored = [content["bytes"] for content in l2["contents"] if content["what"] == "weights of ds_cnn_kws"]
    by_block = [place["bytes"] for place in residency["weights"]]
    assert len(by_block) == 2
    assert stored == [sum(by_block)]
