"""What a plan foresees is the truth where nobody else comes, and a run by a plan does what the plan says."""

from __future__ import annotations

import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from reference.placement_cases import random_case
from reference.random_systems import network
from reference.systems import Case, as_text

from tlm3d.model.planning import make_plan
from tlm3d.simulation import simulate
from tlm3d.spec.plan import plan_of, plan_text
from tlm3d.spec.platform import PlatformSpec, platform_of
from tlm3d.spec.source import Source, parse
from tlm3d.spec.workload import WorkloadSpec, workload_of

seeds = st.integers(0, 2**32)
places = st.sampled_from(["cpop", "fixed", "heft", "min-energy"])
US = 10**6


def described(case: Case) -> tuple[PlatformSpec, WorkloadSpec]:
    with TemporaryDirectory() as folder:
        (Path(folder) / "networks").mkdir()
        for name, tree in case.networks.items():
            (Path(folder) / "networks" / f"{name}.yaml").write_text(json.dumps(tree))
        workload = workload_of(Source("workload", as_text(case.workload)), Path(folder))
    return platform_of(Source("platform", as_text(case.platform))), workload


def alone(seed: int, where: list[str], buffers: int, is_chain: bool) -> tuple[PlatformSpec, WorkloadSpec]:
    """One job of one network on a random pair of blocks, which may be gated when idle; no link is."""
    rng = random.Random(seed)
    case = random_case(seed)
    case.platform["links"]["tsv"].pop("gated", None)
    for die in case.platform["dies"].values():
        for name in ("x", "y"):
            if name in die["blocks"]:
                die["blocks"][name]["buffers"] = buffers
                after = rng.choice([0, 1, 2 * US, 50 * US])
                gated = {"after": f"{after} ps", "power": "1 uW", "wake_time": f"{rng.choice([1, US])} ps"}
                die["blocks"][name]["states"] = rng.choice([{}, {"gated": gated}])
    rows = []
    for i in range(rng.randint(1, 6)):
        row = {"name": f"conv{i}", "op": "conv", "kernel": [3, 3], "channels": rng.randint(1, 6), "padding": "same"}
        if i:
            row["reads"] = [f"conv{i - 1 if is_chain else rng.randrange(i)}"]
        rows.append(row)
    networks = {"it": network(rows, (rng.randint(3, 8), rng.randint(3, 8), rng.randint(1, 4)), "it")}
    task = {"network": "it", "map": {"default": where}, "period": "100 ms"}
    return described(Case(case.platform, {"name": "alone", "tasks": {"it": task}}, networks))


def responses(platform: PlatformSpec, workload: WorkloadSpec, place: str) -> tuple[int, int, int, int]:
    """Foreseen and simulated: response, energy."""
    made = make_plan(platform, workload, "edf", place).plan
    result = simulate(platform, workload, horizon="100 ms", plan=made, record="totals")
    response, task = result.tasks["it"].response, made.tasks["it"]
    assert response is not None
    assert not response.max_is_bound
    assert task.response_ps is not None
    assert task.energy_aj is not None
    spent_aj = sum(account.energy_aj for account in result.accounts if account.task == "it")
    return task.response_ps, response.max_ps, task.energy_aj, spent_aj


@given(seeds, places)
@settings(max_examples=60, deadline=None)
def test_a_chain_alone_with_one_buffer_a_block_takes_and_spends_what_is_foreseen(seed: int, place: str) -> None:
    foreseen_ps, took_ps, foreseen_aj, spent_aj = responses(*alone(seed, ["x", "y"], 1, True), place)
    assert (foreseen_ps, foreseen_aj) == (took_ps, spent_aj)


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_branches_that_wait_for_one_block_go_in_the_order_foreseen(seed: int) -> None:
    foreseen_ps, took_ps, foreseen_aj, spent_aj = responses(*alone(seed, ["x"], 1, False), "fixed")
    assert (foreseen_ps, foreseen_aj) == (took_ps, spent_aj)


@given(seeds, places)
@settings(max_examples=60, deadline=None)
def test_with_two_buffers_only_loads_and_stores_that_meet_make_it_longer(seed: int, place: str) -> None:
    foreseen_ps, took_ps, foreseen_aj, spent_aj = responses(*alone(seed, ["x", "y"], 2, True), place)
    assert foreseen_ps <= took_ps
    assert foreseen_aj == spent_aj


@given(seeds, places)
@settings(max_examples=40, deadline=None)
def test_every_layer_of_every_job_runs_where_the_file_of_the_plan_says(seed: int, place: str) -> None:
    platform, workload = described(random_case(seed))
    made = plan_of(parse(plan_text(make_plan(platform, workload, "edf", place).plan), "plan"))
    recording = simulate(platform, workload, horizon=900 * US, plan=made).recording
    ran = {(s.task, s.layer, ".".join(s.component)) for s in recording.spans if s.what == "compute"}
    assert ran <= {(task, item, found.on) for task in made.tasks for item, found in made.tasks[task].items.items()}
    assert {task for task, _, _ in ran} == set(made.tasks)


@given(seeds)
@settings(max_examples=40, deadline=None)
def test_a_plan_is_the_same_whatever_the_order_of_the_files(seed: int) -> None:
    case = random_case(seed)
    plans = [make_plan(*described(one), "edf", "heft").plan for one in (case, case.shuffled(seed))]
    assert plan_text(plans[0]) == plan_text(plans[1])
