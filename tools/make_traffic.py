"""Write a traffic file for `tlm3d traffic`: periodic, Poisson or bursty transfers, seeded, as CSV on standard output.

    python tools/make_traffic.py poisson --route camera="bond:pixel>logic|logic.l2" --gap "20 us" > traffic.csv

One initiator a route: i0, i1, … or the name in front of it; routes with the same name are taken in turn. What is drawn
is the pause from the finish of a transfer to the posting of the next one (the column after_ps):

    periodic   always --gap
    poisson    exponential with mean --gap, rounded down to a ps
    bursty     --burst transfers without a pause, then a pause, exponential with mean --burst times --gap, so that the
               mean is --gap as well

The first pause of an initiator is drawn like the others (periodic: 0). The draws depend on the seed and the
initiator's name, on nothing else: another route added changes nothing of those that are there.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from tlm3d.units import DATA, TIME, Dimension, QuantityError, duration_ps, parse_quantity

PATTERNS = ("periodic", "poisson", "bursty")


class Row(NamedTuple):
    """A line of the file."""

    initiator: str
    after_ps: int
    n_bytes: int
    route: str
    priority: int


def pauses_ps(pattern: str, gap_ps: int, burst: int, draw: Random) -> Iterator[int]:
    """The pause before every transfer of one initiator, without end."""
    if pattern == "periodic":
        yield 0
        while True:
            yield gap_ps
    mean_ps = gap_ps * (burst if pattern == "bursty" else 1)
    silent = burst - 1 if pattern == "bursty" else 0  # transfers without a pause behind the first of a burst
    while True:
        yield int(draw.expovariate(1.0) * mean_ps)
        yield from [0] * silent


def rows(
    initiator: str, routes: list[str], pattern: str, count: int, gap_ps: int, burst: int, sizes: tuple[int, int],
    priority: int, seed: int,
) -> Iterator[Row]:  # fmt: skip
    """``count`` rows of one initiator; sizes are drawn evenly from ``sizes``, both ends included."""
    draw, size = Random(f"{seed}/pause/{initiator}"), Random(f"{seed}/bytes/{initiator}")
    for i, after_ps in zip(range(count), pauses_ps(pattern, gap_ps, burst, draw), strict=False):
        yield Row(initiator, after_ps, size.randint(*sizes), routes[i % len(routes)], priority)


def by_initiator(named: list[str]) -> dict[str, list[str]]:
    """``--route`` options as routes by initiator: ``dma=a|b``, or ``a|b`` for the next of i0, i1, …"""
    found: dict[str, list[str]] = {}
    for i, text in enumerate(named):
        name, equals, route = text.partition("=")
        found.setdefault(name if equals else f"i{i}", []).append(route if equals else text)
    return found


def _booked(text: str, dimension: Dimension) -> int:
    try:
        return duration_ps(parse_quantity(text, dimension))
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _gap_ps(text: str) -> int:
    return _booked(text, TIME)


def _sizes(text: str) -> tuple[int, int]:
    """``64 B``, or ``64 B..4 KiB`` as bytes."""
    low, _, high = text.partition("..")
    sizes = (_booked(low, DATA) // 8, _booked(high or low, DATA) // 8)
    if not 1 <= sizes[0] <= sizes[1]:
        raise argparse.ArgumentTypeError(f"expected at least a byte, and the smaller size first, got {text}")
    return sizes


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return int(text)


def main(arguments: list[str] | None = None) -> None:
    summary, _, details = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pattern", choices=PATTERNS)
    parser.add_argument(
        "--route",
        action="append",
        required=True,
        metavar="[NAME=]CHANNEL|…",
        help="may be repeated; names as in reports",
    )
    parser.add_argument("--rows", type=_count, default=1000, help="transfers an initiator; default 1000")
    parser.add_argument("--gap", type=_gap_ps, default="1 us", help='mean pause; default "1 us"')
    parser.add_argument("--bytes", type=_sizes, default="256 B", help='a size, or "64 B..4 KiB"; default "256 B"')
    parser.add_argument("--burst", type=_count, default=8, help="transfers a burst, for bursty; default 8")
    parser.add_argument("--priority", type=int, default=0, help="of every transfer; default 0")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    lines = csv.writer(sys.stdout, lineterminator="\n")
    lines.writerow(["initiator", "after_ps", "bytes", "route", "priority"])
    for initiator, routes in by_initiator(options.route).items():
        lines.writerows(
            rows(
                initiator, routes, options.pattern, options.rows, options.gap, options.burst, options.bytes,
                options.priority, options.seed,
            )
        )  # fmt: skip


if __name__ == "__main__":
    main()
