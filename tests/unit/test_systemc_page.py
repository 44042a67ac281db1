"""docs/systemc.md: the example prints what the page shows, the tables name what there is, the message is a real one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import simpy
from reference.parts import Caller, Scripted, accept

import tlm3d
from tlm3d.errors import ModuleError
from tlm3d.tlm.module import Module, elaborate
from tlm3d.tlm.nonblocking import Phase
from tlm3d.tlm.payload import Payload, ResponseStatus
from tlm3d.tlm.protocol_checker import ProtocolChecker

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "systemc.md").read_text(encoding="utf-8")
CODE, SHOWN = re.findall(r"^```(?:python|text)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_a_module_beside_the_platform_prints_what_the_page_shows() -> None:
    assert len(CODE.splitlines()) <= 40
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.stderr == ""
    assert done.stdout == SHOWN


def test_the_numbers_worked_by_hand_are_those_shown() -> None:
    bits = 25 * 65_536 * 8
    alone_ps, beside_ps = (int(text) for text in re.findall(r"(\d+) ps of TSV", SHOWN))
    assert beside_ps - alone_ps == bits * 10**12 // (32 * 10_000_000) == 40_960_000_000
    booked = dict(re.findall(r"'(\w+)': (\d+)", SHOWN))
    per_bit_aj = {"bus": 120_000, "tsv": 50_000, "l2": 390_000}
    assert booked == {name: str(bits * aj) for name, aj in per_bit_aj.items()} | {"logger": str(25 * 3_000_000_000)}


def test_every_word_of_ours_can_be_imported() -> None:
    words = ("Module Payload Command ResponseStatus Account Priority InitiatorSocket TargetSocket Answer Phase Sync "
             "ProtocolChecker Router Interconnect Channel MemoryTarget Surroundings elaborate")  # fmt: skip
    for word in words.split():
        assert word in tlm3d.__all__
        assert getattr(tlm3d, word).__name__ == word
        assert f"`{word}" in PAGE
    assert len(ResponseStatus) == 7


def test_the_message_of_the_page_is_that_of_the_checker() -> None:
    env = simpy.Environment()
    top = Module("top", env)
    cpu, checker, memory = Caller("cpu", top), ProtocolChecker("checker", top), Scripted("memory", top, accept)
    cpu.out.bind(checker.target)
    checker.initiator.bind(memory.target)
    elaborate(top)
    env.run(until=10_000)
    cpu.out.nb_transport_fw(Payload.read(0, 4), Phase.BEGIN_REQ)
    env.run(until=25_000)
    with pytest.raises(ModuleError) as raised:
        cpu.out.nb_transport_fw(Payload.read(4, 4), Phase.BEGIN_REQ)
    assert f"\n    {raised.value}\n" in PAGE


def test_every_public_name_leads_somewhere() -> None:
    for name in tlm3d.__all__:
        assert getattr(tlm3d, name) is not None
