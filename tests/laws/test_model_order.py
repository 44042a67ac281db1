"""A result depends on what the files say, never on the order of their lines, the process or its hash seed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference.default_pair import PLATFORM, ROOT, WORKLOAD, default_system, system_of
from reference.random_systems import systems
from reference.systems import Case, shuffled_tree

from tlm3d.analysis.judge import judge
from tlm3d.errors import ElaborationError
from tlm3d.reporters.csv import export
from tlm3d.reporters.json import dumps
from tlm3d.spec.source import Source, read_source

_RELAXED = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


@_RELAXED
@given(systems(), st.integers(0, 2**32))
def test_the_order_of_lines_changes_no_integer_of_a_small_system(case: Case, seed: int) -> None:
    try:
        ordered = case.judge()
    except ElaborationError:
        assume(False)
    assert dumps(ordered) == dumps(case.shuffled(seed).judge())


def test_the_order_of_lines_changes_no_integer_of_the_default_pair(tmp_path: Path) -> None:
    texts = []
    for seed in range(3):
        platform, workload = read_source(PLATFORM), read_source(WORKLOAD)
        if seed:
            platform = Source(platform.file, shuffled_tree(platform.tree, seed))
            workload = Source(workload.file, shuffled_tree(workload.tree, seed))
        result = judge(system_of(platform, workload, horizon_ps=200 * 10**9).run())
        files = export(result, tmp_path / str(seed))
        texts.append([dumps(result), *(path.read_text() for path in files)])
    assert texts[0] == texts[1] == texts[2]


def test_progress_that_is_watched_changes_nothing() -> None:
    horizon_ps = 211_111_111_111
    plain = default_system(horizon_ps=horizon_ps).run()
    told: list[tuple[int, int]] = []
    watched = default_system(horizon_ps=horizon_ps).run(lambda done, whole: told.append((done, whole)))
    assert dumps(judge(plain)) == dumps(judge(watched))
    assert len(told) > 1
    assert told[-1] == (horizon_ps, horizon_ps)
    assert told == sorted(told)


@_RELAXED
@given(systems(), st.integers(1, 49_000_000))
def test_a_run_that_is_stopped_is_one_with_the_horizon_where_it_stopped(case: Case, at_ps: int) -> None:
    try:
        system = case.system()
    except ElaborationError:
        assume(False)
    stopped = system.run(lambda done_ps, _: done_ps >= at_ps)
    whole = Case(case.platform, case.workload, case.networks, case.policy, stopped.horizon_ps, case.seed).run()
    stopped.interrupted_of_ps = 0
    assert dumps(judge(stopped)) == dumps(judge(whole))


def test_stopping_the_default_pair_anywhere_is_choosing_that_horizon() -> None:
    for stop_ps in (10**9, 5 * 10**10, 3 * 10**11):
        stopped = default_system().run(lambda done_ps, _, stop_ps=stop_ps: done_ps >= stop_ps)
        assert stop_ps <= stopped.horizon_ps < 10**12
        assert stopped.interrupted_of_ps == 10**12
        whole = default_system(horizon_ps=stopped.horizon_ps).run()
        stopped.interrupted_of_ps = 0
        assert dumps(judge(stopped)) == dumps(judge(whole))


def test_every_process_and_hash_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        folder = tmp_path / hash_seed
        command = [sys.executable, "-m", "tlm3d", "run", str(PLATFORM), str(WORKLOAD), "--horizon", "100 ms"]
        options = ["--json", str(folder / "result.json"), "--export", str(folder)]
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        files = sorted(folder.iterdir())
        assert len(files) == 5
        digests.add(hashlib.sha256(b"".join(path.read_bytes() for path in files) + done.stdout.encode()).hexdigest())
    assert len(digests) == 1
