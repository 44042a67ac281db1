"""Keyword spotting from a microphone, two ways: the sound sent down and made to features there, or features sent down.

The network is MLPerf Tiny's DS-CNN, 49 × 10 features of a second, twice a second; the microphone that of the page.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from formula.test_sensors import of_page
from reference.systems import Case, Tree

from tlm3d.analysis.result import Result

NETWORKS = Path(__file__).parents[2] / "workloads" / "networks"
DS_CNN = yaml.load((NETWORKS / "ds_cnn_kws.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
MFCC_CYCLES = 49 * 20_000  # assumption: a spectrum and its logarithms for each of the 49 steps
MS = 10**9


def ear(mode: str, fifo: str = "4 KiB") -> Case:
    cluster: Tree = {
        "kind": "riscv-cluster", "cores": 8, "clock": "100 MHz", "l1": "64 KiB", "energy": {"cycle": "20 pJ/cycle"},
        "mac_per_cycle": {"conv": 8, "depthwise": 2, "linear": 4}, "elements_per_cycle": {"pool": 4, "softmax": 1},
    }  # fmt: skip
    sram = {"kind": "memory", "capacity": "256 KiB", "rate": "1 Gbit/s"}
    top = {"tier": 1, "blocks": {"mic": {**of_page("mic"), "home": "logic.sram", "fifo": fifo}}}
    dies = {"ear": top, "logic": {"tier": 0, "blocks": {"cluster": cluster, "sram": sram}}}
    link = {"kind": "tsv", "between": ["ear", "logic"], "rate": "1 Mbit/s", "energy": "0.05 pJ/bit"}
    task: Tree = {
        "network": "kws", "input": {"camera": "mic", "mode": mode}, "map": {"default": "cluster"}, "deadline": "600 ms"
    }  # fmt: skip
    if mode == "wave":
        task["stages"] = [{"on": "cluster", "cycles": MFCC_CYCLES}]
    platform = {"name": "listener", "dies": dies, "links": {"tsv": link}}
    return Case(platform, {"name": "kws", "tasks": {"kws": task}}, {"kws": DS_CNN}, horizon_ps=4000 * MS)


def spent(result: Result, what: str) -> int:
    return sum(account.energy_aj for account in result.accounts if account.what == what)


def test_features_made_in_the_sensor_move_less_convert_less_and_answer_sooner() -> None:
    sound, features = ear("wave").judge(), ear("features").judge()
    answers = []
    for result, n_bytes in ((sound, 12_000), (features, 250)):
        jobs = [job for job in result.recording.jobs if job.status == "finished"]
        assert len(jobs) == 7  # the eighth frame's last sample is there with the end of the window
        assert {job.status for job in result.recording.jobs} <= {"finished", "unfinished"}
        sent = sum(leg.bits for leg in result.recording.legs if leg.channel == "tsv:ear>logic")
        assert 7 * n_bytes * 8 <= sent <= 8 * n_bytes * 8
        answers.append({job.finish_ps - job.release_ps - 500 * MS for job in jobs})
    (with_sound,), (with_features,) = answers
    # The network is the same. The stage is 9.8 ms on top, and the first weights, 22 µs, come meanwhile; but the last
    # packet of sound is one of 96 B, that of features one of 250 B: 1.233 ms longer on its way.
    assert with_sound - with_features == pytest.approx((9.8 - 0.022 - 1.233) * MS, rel=1e-3)
    assert spent(sound, "conversion") == pytest.approx(48.5 * spent(features, "conversion"), rel=0.02)
    assert spent(sound, "link") == (8 * 12_000 - 96) * 8 * 50_000  # all but the very last packet
    assert spent(features, "link") == 7 * 250 * 8 * 50_000
    assert spent(sound, "active") == spent(features, "active")  # the same amplifier
    assert (spent(sound, "analog"), spent(features, "analog")) == (0, 9300 * 4 * 10**9)  # 9.3 µW for 4 s
    assert spent(sound, "compute") > spent(features, "compute")


def test_packets_that_the_link_cannot_take_in_time_lose_the_frame() -> None:
    slow = ear("wave", fifo="96 B")
    slow.platform["links"]["tsv"]["rate"] = "150 kbit/s"  # 96 B take 5.1 ms, and a packet comes every 4 ms
    assert {job.status for job in slow.judge().recording.jobs} == {"input-lost"}
