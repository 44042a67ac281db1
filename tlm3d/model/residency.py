"""What lives where, decided before the run: weights beside an array or in a memory, feature maps, frames."""

from __future__ import annotations

from collections import Counter, defaultdict

from tlm3d.blocks import ComputeSpec, SensorSpec
from tlm3d.blocks.memory import Memory
from tlm3d.cnn.layers import INPUT
from tlm3d.errors import ElaborationError
from tlm3d.spec.binding import BlockName, TaskBinding
from tlm3d.spec.platform import PlatformSpec, find_block
from tlm3d.spec.workload import Task, WorkloadSpec


class Residency:
    """Weights stay beside a block if all a network needs there fits ``weight_memory``, by task priority, then name.

    Else they lie in the block's ``weight_store`` and are fetched for every inference. Raises ElaborationError when a
    memory cannot hold what must lie in it, saying by how many bytes.
    """

    def __init__(self, platform: PlatformSpec, workload: WorkloadSpec, bindings: dict[str, TaskBinding]) -> None:
        self._platform = platform
        self._resident: set[tuple[str, BlockName]] = set()
        self.boot_bytes = 0
        self.weights: dict[tuple[str, BlockName], int] = {}  # by network and block: of the layers that run there
        self.contents: dict[BlockName, list[tuple[str, int]]] = defaultdict(list)  # memory → (what, bytes)
        self._free: dict[BlockName, int] = {}
        self._map_bytes: dict[tuple[str, str], dict[BlockName, int]] = {}  # by task and layer: alive while it runs
        self._stagers = self._count_stagers()
        self._place_weights(workload, bindings)
        self._place_maps(workload, bindings)
        self._check_capacities()

    def is_resident(self, network: str, block: BlockName) -> bool:
        """Whether the weights of ``network`` stay beside ``block``."""
        return (network, block) in self._resident

    def home(self, block: BlockName) -> BlockName:
        """The memory ``block`` writes its results to."""
        spec = self._platform.dies[block[0]].blocks[block[1]]
        assert isinstance(spec, ComputeSpec | SensorSpec)
        assert spec.home is not None  # the schema has filled it in
        return self._resolve(spec.home, block)

    def weight_store(self, block: BlockName) -> BlockName:
        """The memory ``block`` fetches weights from that are not resident."""
        spec = self._compute(block)
        return self._resolve(spec.weight_store, block) if spec.weight_store is not None else self.home(block)

    def weight_stage(self, block: BlockName) -> BlockName | None:
        """The memory that weights of ``block`` pass through on their way from its store; None: they do not."""
        spec = self._compute(block)
        return self._resolve(spec.weight_stage, block) if spec.weight_stage is not None else None

    def stage_bytes(self, task: str, layer: str, memory: BlockName) -> int:
        """Room for weights in ``memory`` while ``layer`` of ``task`` runs: what all else that lies there leaves.

        Several blocks that stage weights there have equal parts of it.
        """
        block = self._platform.dies[memory[0]].blocks[memory[1]]
        assert isinstance(block, Memory)
        others = sum(n for what, n in self.contents[memory] if what != _maps_of(task))
        alive = self._map_bytes[task, layer].get(memory, 0)
        return max(0, block.capacity_bytes - others - alive) // self._stagers[memory]

    def _compute(self, block: BlockName) -> ComputeSpec:
        spec = self._platform.dies[block[0]].blocks[block[1]]
        assert isinstance(spec, ComputeSpec)
        return spec

    def _resolve(self, reference: str, block: BlockName) -> BlockName:
        found = find_block(self._platform.dies, reference, block[0])
        assert found is not None  # the schema has checked it
        return found

    def _place_weights(self, workload: WorkloadSpec, bindings: dict[str, TaskBinding]) -> None:
        stored: set[tuple[str, str, BlockName]] = set()
        # By network, the most urgent task's first; then by block and layer.
        needed: dict[str, dict[BlockName, dict[str, int]]] = {}
        for task in sorted(workload.tasks.values(), key=lambda t: (t.spec.priority, t.name)):
            for layer in task.network.layers if task.network else ():
                assert task.network is not None
                for block in bindings[task.name].layers[layer.name] if layer.weight_bytes else ():
                    blocks = needed.setdefault(task.network.name, {})
                    blocks.setdefault(block, {})[layer.name] = layer.weight_bytes
        for name, blocks in needed.items():
            for block, layers in sorted(blocks.items()):
                n_bytes = self.weights[name, block] = sum(layers.values())
                free = self._free.setdefault(block, self._compute(block).weight_memory_bits // 8)
                if n_bytes <= free:
                    self._free[block] = free - n_bytes
                    self._resident.add((name, block))
                    self.boot_bytes += n_bytes
                    continue
                store = self.weight_store(block)
                missing = {layer: n for layer, n in layers.items() if (name, layer, store) not in stored}
                stored |= {(name, layer, store) for layer in missing}
                if missing:
                    self._store_weights(store, f"weights of {name}", sum(missing.values()))
                    memory = self._platform.dies[store[0]].blocks[store[1]]
                    if not (isinstance(memory, Memory) and memory.NON_VOLATILE):
                        self.boot_bytes += sum(missing.values())

    def _store_weights(self, store: BlockName, what: str, n_bytes: int) -> None:
        """One entry a network, though several blocks run parts of it."""
        before = sum(known for name, known in self.contents[store] if name == what)
        others = [content for content in self.contents[store] if content[0] != what]
        self.contents[store] = [*others, (what, before + n_bytes)]

    def _place_maps(self, workload: WorkloadSpec, bindings: dict[str, TaskBinding]) -> None:
        """Feature maps: the most that is alive at once in each memory; frames: one being read, the rest waiting."""
        in_sensor: dict[tuple[BlockName, str], int] = {}
        for task in workload.tasks.values():
            binding = bindings[task.name]
            if binding.camera is not None and task.spec.input is not None:
                camera = self._platform.dies[binding.camera[0]].blocks[binding.camera[1]]
                assert isinstance(camera, SensorSpec)
                mode, count = task.spec.input.mode, 1 + task.spec.backlog
                stored = camera.stored_bytes(mode, count)
                self.contents[self.home(binding.camera)].append((f"{count} frames for {task.name}", stored))
                in_sensor[binding.camera, mode] = camera.weight_bytes(mode)
            for memory, n_bytes in self._peak_maps(task, binding).items():
                self.contents[memory].append((_maps_of(task.name), n_bytes))
        self.boot_bytes += sum(in_sensor.values())

    def _peak_maps(self, task: Task, binding: TaskBinding) -> dict[BlockName, int]:
        if task.network is None:
            return {}
        peak: dict[BlockName, int] = defaultdict(int)
        alive: dict[str, tuple[BlockName, int]] = {}
        first = self.home(binding.layers[task.network.layers[0].name][0])
        if binding.camera is None:
            alive[INPUT] = (
                self.home(binding.feeder) if binding.feeder and self._has_home(binding.feeder) else first,
                task.network.input_bytes,
            )
        left = {INPUT: len(task.network.readers(INPUT))}
        for layer in task.network.layers:
            left[layer.name] = len(task.network.readers(layer.name))
            alive[layer.name] = (self.home(binding.layers[layer.name][0]), layer.out_bytes)
            here: Counter[BlockName] = Counter()
            for memory, n_bytes in alive.values():
                here[memory] += n_bytes
            self._map_bytes[task.name, layer.name] = dict(here)
            for memory, n_bytes in here.items():
                peak[memory] = max(peak[memory], n_bytes)
            for read in dict.fromkeys(layer.reads):
                left[read] -= 1
                if not left[read]:
                    alive.pop(read, None)
        return dict(peak)

    def _count_stagers(self) -> Counter[BlockName]:
        """How many blocks stage weights in each memory."""
        dies = self._platform.dies
        blocks = [
            (die, name) for die in dies for name, spec in dies[die].blocks.items() if isinstance(spec, ComputeSpec)
        ]
        return Counter(stage for block in blocks if (stage := self.weight_stage(block)) is not None)

    def _has_home(self, block: BlockName) -> bool:
        return isinstance(self._platform.dies[block[0]].blocks[block[1]], ComputeSpec)

    def _check_capacities(self) -> None:
        problems = []
        for (die, block), contents in sorted(self.contents.items()):
            spec = self._platform.dies[die].blocks[block]
            assert isinstance(spec, Memory)
            need = sum(n for _, n in contents)
            if need > spec.capacity_bytes:
                largest = ", ".join(f"{what} {n} B" for what, n in sorted(contents, key=lambda c: (-c[1], c[0]))[:3])
                over = need - spec.capacity_bytes
                need_text = f"{need} B must lie in it, {over} B too many: {largest}"
                problems.append(f"{die}.{block} holds {spec.capacity_bytes} B, {need_text}")
        if problems:
            raise ElaborationError(problems)


def _maps_of(task: str) -> str:
    return f"feature maps of {task}"
