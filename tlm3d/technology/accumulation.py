"""What a converter leaves of a sum of products that was made without loss.

N products of inputs of Bx bits and weights of Bw bits add up to integers of Bx + Bw + log2 N bits. A converter of fewer
bits, B, cuts its range into 2^B steps and adds the noise of a step, step² / 12 (Bennett 1948), to the sum. The ratio R
of the variance of sums to it is (log2 R − log2 1.5) / 2 effective bits, as of a sine wave (6.02 dB a bit and 1.76 dB).
That analog arrays are to be judged by such a ratio: Gonugondla, Sakr, Dbouk, Shanbhag: Fundamental Limits on
Energy-Delay-Accuracy of In-memory Architectures, arXiv 2012.13645. Noise of the array itself is not in it.
"""

from __future__ import annotations

from math import log2


def bits_needed(input_bits: float, weight_bits: float, products: int) -> float:
    """Bits that hold every possible sum of ``products`` products."""
    return input_bits + weight_bits + log2(products)


def effective_bits(converter_bits: float, needed: float, products: int, sigmas: float | None = None) -> float:
    """Effective bits of a converted sum of ``products`` products; at least 0, at most ``needed``.

    Inputs x and weights w are uniform in ± their largest value, so the variance of a sum is N · x²/3 · w²/3. Without
    ``sigmas`` the converter spans every possible sum, ± N · x · w, which grows faster with N than the sums do:
    R = 4^B / 3N. With enough bits for every sum nothing is lost. With ``sigmas`` c it spans ± c standard deviations,
    R = 3 · 4^B / c²; what it clips is not counted, and is little from c = 4 on.
    """
    if sigmas is None and converter_bits >= needed:
        return needed
    kept = converter_bits - log2(4.5 * products) / 2 if sigmas is None else converter_bits + 0.5 - log2(sigmas)
    return min(max(kept, 0.0), needed)
