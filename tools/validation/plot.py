"""Published against modelled, both logarithmic, as SVG text: the same rows give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from validation.report import percent, several
from validation.row import Row
from validation.study import Study

BAND = 0.25  # the shaded band is a factor of 1 + BAND on both sides of the identity
WIDTH, HEIGHT = 720, 760
LEFT, TOP, SIDE = 70, 24, 470  # of the square that the axes span
BELOW, STRIP, SPAN = 560, 150, 2.0  # the ratio, from 1/SPAN to SPAN, in a strip below it
# Okabe and Ito's colours, which the colour-blind can tell apart; each with a shape of its own.
STYLES = [
    ("#0072b2", "circle"),
    ("#d55e00", "square"),
    ("#009e73", "diamond"),
    ("#cc79a7", "triangle"),
    ("#56b4e9", "wedge"),
    ("#e69f00", "plus"),
    ("#000000", "cross"),
]
SHAPES = {  # around (0, 0)
    "circle": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "square": "M-3.5 -3.5h7v7h-7z",
    "diamond": "M0 -5L5 0L0 5L-5 0z",
    "triangle": "M0 -5L4.5 3.5H-4.5z",
    "wedge": "M0 5L4.5 -3.5H-4.5z",
    "plus": "M-1.5 -5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
    "cross": "M-4 -2.5L-2.5 -4L0 -1.5L2.5 -4L4 -2.5L1.5 0L4 2.5L2.5 4L0 1.5L-2.5 4L-4 2.5L-1.5 0z",
}


def svg(studies: Sequence[Study]) -> str:
    """The plot. Predicted rows are filled, fitted ones outlined; identities are left out, as they prove nothing."""
    shown = [(study, [row for row in study.rows if row.kind != "identity"]) for study in studies]
    figures = [value for _, rows in shown for row in rows for value in (row.published, row.modelled)]
    low = math.floor(math.log10(min(figures, default=1)))
    high = max(math.ceil(math.log10(max(figures, default=10))), low + 1)
    count = sum(len(rows) for _, rows in shown)
    chips = ", ".join(study.chip.name for study, rows in shown if rows)
    told = f"{several(count, 'figure')} of {chips or 'no chip'}, each a marker at its published and its modelled value."
    told += f" On the line the two are equal; the band is a factor of {1 + BAND:g}; below, their ratio."
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title told" font-family="sans-serif" font-size="12">',
        '<title id="title">Published figures against those of the model</title>',
        f'<desc id="told">{escape(told)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(low, high),
        *_strip(low, high),
    ]
    for number, (study, rows) in enumerate(pair for pair in shown if pair[1]):
        colour, shape = STYLES[number % len(STYLES)]
        for row in rows:
            x = _x(row.published, low, high)
            lines.append(_marker(row, colour, shape, x, _y(row.modelled, low, high)))
            lines.append(_marker(row, colour, shape, x, _ratio_y(row.modelled / row.published)))
        lines.append(f'<path d="{SHAPES[shape]}" transform="translate({LEFT + SIDE + 24} {TOP + 60 + 20 * number})"')
        lines.append(f' fill="{colour}"/>')
        place = f'x="{LEFT + SIDE + 36}" y="{TOP + 64 + 20 * number}"'
        lines.append(f"<text {place}>{escape(study.chip.name)} ({len(rows)})</text>")
    lines.append(f'<text x="{LEFT + SIDE + 18}" y="{TOP + 10}">filled: predicted</text>')
    lines.append(f'<text x="{LEFT + SIDE + 18}" y="{TOP + 27}">outlined: fitted</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _axes(low: int, high: int) -> Iterator[str]:
    """The frame with a line a decade, the band and the identity."""
    bottom, right = TOP + SIDE, LEFT + SIDE
    shift = SIDE * math.log10(1 + BAND) / (high - low)
    yield f'<clipPath id="frame"><path d="M{LEFT} {TOP}h{SIDE}v{SIDE}h-{SIDE}z"/></clipPath>'
    corners = (
        f"{LEFT},{bottom - shift:.1f} {right},{TOP - shift:.1f} {right},{TOP + shift:.1f} {LEFT},{bottom + shift:.1f}"
    )
    yield f'<polygon points="{corners}" fill="#e4e4ec" clip-path="url(#frame)"/>'
    every = max(1, -(-(high - low) // 10))
    for power in range(low, high + 1):
        x, y = _x(10.0**power, low, high), _y(10.0**power, low, high)
        yield f'<path d="M{x:.1f} {TOP}V{bottom}M{LEFT} {y:.1f}H{right}" stroke="#d0d0d0" fill="none"/>'
        if (power - low) % every == 0:
            label = f'10<tspan dy="-5" font-size="9">{power}</tspan>'
            yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{label}</text>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    yield f'<path d="M{LEFT} {bottom}L{right} {TOP}" stroke="#606060" fill="none"/>'
    yield f'<path d="M{LEFT} {TOP}V{bottom}H{right}" stroke="#000000" fill="none"/>'
    across, down = LEFT + SIDE // 2, TOP + SIDE // 2
    yield f'<text x="{across}" y="{bottom + 42}" text-anchor="middle">published, in the unit of each</text>'
    turned = f'text-anchor="middle" transform="rotate(-90 20 {down})"'
    yield f'<text x="20" y="{down}" {turned}>modelled, in the same unit</text>'


def _strip(low: int, high: int) -> Iterator[str]:
    """The frame of the ratio of both, the band and the identity; a marker beyond the frame lies on its edge."""
    right, middle = LEFT + SIDE, _ratio_y(1)
    top, bottom = _ratio_y(1 + BAND), _ratio_y(1 / (1 + BAND))
    yield f'<path d="M{LEFT} {top:.1f}H{right}V{bottom:.1f}H{LEFT}z" fill="#e4e4ec"/>'
    for power in range(low, high + 1):
        yield f'<path d="M{_x(10.0**power, low, high):.1f} {BELOW}v{STRIP}" stroke="#d0d0d0" fill="none"/>'
    yield f'<path d="M{LEFT} {middle:.1f}H{right}" stroke="#606060" fill="none"/>'
    yield f'<path d="M{LEFT} {BELOW}v{STRIP}H{right}" stroke="#000000" fill="none"/>'
    for ratio in (1 / SPAN, 1, SPAN):
        yield f'<text x="{LEFT - 8}" y="{_ratio_y(ratio) + 4:.1f}" text-anchor="end">{ratio:g}</text>'
    across = LEFT + SIDE // 2
    said = f"the same, modelled / published; beyond a factor of {SPAN:g} on the edge"
    yield f'<text x="{across}" y="{BELOW + STRIP + 24}" text-anchor="middle">{said}</text>'


def _marker(row: Row, colour: str, shape: str, x: float, y: float) -> str:
    filled = f'fill="{colour}" fill-opacity="0.75"' if row.kind == "predicted" else f'fill="#ffffff" stroke="{colour}"'
    said = escape(
        f"{row.id}: {row.published:.4g} {row.unit} published, {row.modelled:.4g} modelled ({percent(row.error)})"
    )
    return f'<path d="{SHAPES[shape]}" transform="translate({x:.1f} {y:.1f})" {filled}><title>{said}</title></path>'


def _ratio_y(ratio: float) -> float:
    bounded = max(1 / SPAN, min(SPAN, ratio))
    return BELOW + STRIP / 2 * (1 - math.log(bounded) / math.log(SPAN))


def _x(value: float, low: int, high: int) -> float:
    return LEFT + SIDE * (math.log10(value) - low) / (high - low)


def _y(value: float, low: int, high: int) -> float:
    return TOP + SIDE - SIDE * (math.log10(value) - low) / (high - low)
