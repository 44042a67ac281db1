"""Which TSV rate is enough? A sweep through the Python API; other files may be named: PLATFORM WORKLOAD."""

from __future__ import annotations

import sys
from pathlib import Path

from tlm3d import Study, parse_axis, sweep

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    files = sys.argv[1:] or [
        str(ROOT / "platforms" / "three_tier_vision.yaml"),
        str(ROOT / "workloads" / "always_on_vision.yaml"),
    ]
    rates = parse_axis("links.tsv.rate=0.5..10 Mbit/s:log:8")
    for row in sweep(Study(*files), [rates]):
        if row.error:
            print(f"{row.values[0]:>14}  {row.error}")
            continue
        response_ms, power_mw = row.worst_response_ps / 1e9, row.average_nw / 1e6
        print(
            f"{row.values[0]:>14}  {row.verdict:7} {row.missed:3} late, worst {response_ms:7.2f} ms, {power_mw:.2f} mW"
        )


if __name__ == "__main__":
    main()
