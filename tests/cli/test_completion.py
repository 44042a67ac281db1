"""What the shell completes, and the script that makes it do so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "from tlm3d.cli import app; app(prog_name='tlm3d')")


def completed(line: str, folder: Path = ROOT) -> list[str]:
    """What bash offers for the last word of ``line``."""
    words = line.split(" ")
    return ask({"_TLM3D_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}, folder)


def ask(environment: dict[str, str], folder: Path) -> list[str]:
    settings = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(PROGRAM, cwd=folder, env=settings, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split("\n") if "source" in environment["_TLM3D_COMPLETE"] else done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_the_shell(shell: str) -> None:
    script = "\n".join(ask({"_TLM3D_COMPLETE": f"source_{shell}"}, ROOT))
    assert "_TLM3D_COMPLETE" in script
    assert f"complete_{shell}" in script


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tlm3d sh", ["show"]),
        ("tlm3d run --policy ed", ["edf"]),
        ("tlm3d list bl", ["blocks"]),
        ("tlm3d list blocks ris", ["riscv-cluster"]),
        ("tlm3d list links ts", ["tsv"]),
        ("tlm3d list networks resn", ["resnet8"]),
        ("tlm3d schema w", ["workload"]),
        ("tlm3d explain x.yaml mobile", ["mobilenet_v1_025_96"]),
        (
            "tlm3d explain platforms/silicon/gap8.yaml mobile",
            ["mobilenet_v1_025_96", "mobilenet_v1_025_96_5b", "mobilenet_v1_100_128"],
        ),
        ("tlm3d list kernels im", ["im2col"]),
        ("tlm3d list supplies l", ["linear"]),
        ("tlm3d run platforms/three_t", ["platforms/three_tier_vision.yaml"]),
        ("tlm3d run nowhere/at", []),
        ("tlm3d run --corner h", ["high"]),
        ("tlm3d explain platforms/three_tier_vision.yaml resnet8 --on clu", ["cluster"]),
        ("tlm3d explain nowhere.yaml resnet8 --on clu", []),
        ("tlm3d explain --on clu", []),
    ],
)
def test_the_last_word_is_completed(line: str, offered: list[str]) -> None:
    assert completed(line) == offered


def test_files_are_folders_and_yaml_and_an_only_folder_is_entered(tmp_path: Path) -> None:
    for file in ("one/deep/a.yaml", "one/deep/b.yml", "one/deep/c.txt", "other/d.yaml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert completed("tlm3d show o", tmp_path) == ["one/", "other/"]
    assert completed("tlm3d check on", tmp_path) == ["one/deep/a.yaml", "one/deep/b.yml"]
