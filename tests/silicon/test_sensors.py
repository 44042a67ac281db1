"""Amplifiers, converters and feature extractors as published: identities of their definitions, and what follows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from reference.systems import Case, Tree

from tlm3d.sensing.front_end import FrontEndSpec
from tlm3d.technology.adc import FLOOR_AJ, NOISE_AJ, envelope_aj

FACTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "sensors.yaml").read_text(encoding="utf-8"))
AMPLIFIERS: dict[str, dict[str, Any]] = FACTS["amplifiers"]
FJ = 1000  # aJ
UW = 10**9  # aJ a ms


def front_end_nw(amplifier: dict[str, Any], nef: float, noise_uv: float, temperature: str = "300 K") -> int:
    keys = {"temperature": temperature, **{key: amplifier[key] for key in ("bandwidth", "supply")}}
    return FrontEndSpec.model_validate({**keys, "nef": f"{nef:.9g}", "noise": f"{noise_uv:.9g} uV"}).power_nw


def half_digit(text: str) -> float:
    """Half a unit of the last digit of a number as it was published."""
    decimals = len(text.partition(".")[2])
    return 0.5 * 10.0**-decimals


@pytest.mark.parametrize("name", AMPLIFIERS)
def test_the_power_of_an_amplifier_is_that_of_its_noise_within_what_was_rounded(name: str) -> None:
    amplifier = AMPLIFIERS[name]
    noise = amplifier["noise"].removesuffix(" uV")
    nef_off, noise_off = half_digit(str(amplifier["nef"])), half_digit(noise)
    published_nw = 1000 * amplifier["power_uw"]
    # Nobody says how warm a room is: 25 degrees Celsius, or 300 K.
    least_nw = front_end_nw(amplifier, amplifier["nef"] - nef_off, float(noise) + noise_off, "298.15 K")
    most_nw = front_end_nw(amplifier, amplifier["nef"] + nef_off, float(noise) - noise_off)
    assert least_nw <= published_nw <= most_nw
    assert front_end_nw(amplifier, amplifier["nef"], float(noise)) == pytest.approx(published_nw, rel=0.02)


def test_the_power_efficiency_factor_of_the_chopper_is_its_nef_squared_times_its_supply() -> None:
    amplifier = AMPLIFIERS["chopper_65nm"]
    assert amplifier["nef"] ** 2 * 0.8 == pytest.approx(amplifier["pef_v"], abs=0.05)


# ------------------------------------------------------------ converters


def walden_fj(enob: int, multiple: int) -> float:
    return float(envelope_aj(Fraction(enob), Fraction(multiple)) / 2**enob / FJ)


def test_the_envelope_is_that_of_the_survey() -> None:
    envelope = FACTS["converters"]["envelope"]
    assert Fraction(str(envelope["floor_pj"])) * 10**6 == FLOOR_AJ
    assert Fraction(str(envelope["noise_aj"])) == NOISE_AJ


@pytest.mark.parametrize("enob", [4, 5, 6, 7, 8, 13, 14, 15, 16])
def test_a_usual_converter_is_among_those_published(enob: int) -> None:
    published = FACTS["converters"]["walden_fj_per_step"]
    assert published["low"] <= walden_fj(enob, FACTS["converters"]["envelope"]["typical_multiple"]) <= published["high"]


def test_at_9_to_12_bits_a_usual_converter_is_a_little_better_a_step_than_the_low_end_published() -> None:
    # The figure of merit is best where noise and floor are equal, 4^10.4 = E0 / k: 2 sqrt(E0 k) = 0.394 fJ, ten times.
    best = [walden_fj(enob, 10) for enob in range(9, 13)]
    assert all(3.94 < fj_per_step < 6.8 for fj_per_step in best)
    assert min(walden_fj(enob, 10) for enob in range(1, 20)) == walden_fj(10, 10) == pytest.approx(4.09, rel=0.01)


# ------------------------------------------------------------ analog features of sound


def listening(mode: Tree, adc: Tree, horizon_ms: int) -> dict[str, int]:
    """Energy by what of a microphone at 16 kS/s with frames of 16 ms, aJ, and its conversions."""
    mic = {
        "kind": "sampled-sensor", "sample_rate": "16 kHz", "frame_rate": "62.5 Hz", "bits": 9, "adc": adc,
        "modes": {"full": mode}, "home": "sram",
    }  # fmt: skip
    blocks = {"mic": mic, "core": {"kind": "processor"}}
    blocks["sram"] = {"kind": "memory", "capacity": "64 KiB", "rate": "1 Gbit/s"}
    tasks = {"hear": {"stages": [{"time": "1 us", "on": "core"}], "input": {"camera": "mic"}, "deadline": "1 s"}}
    platform = {"name": "p", "dies": {"ear": {"tier": 0, "blocks": blocks}}}
    result = Case(platform, {"name": "w", "tasks": tasks}, horizon_ps=horizon_ms * 10**9).judge()
    return {account.what: account.energy_aj for account in result.accounts if account.component == "mic"}


@pytest.mark.parametrize("name", FACTS["feature_extractors"])
def test_an_analog_feature_extractor_draws_its_power_all_the_time(name: str) -> None:
    chip = FACTS["feature_extractors"][name]
    bank = {"bands": chip["bands"], "decimation": 256, "power": f"{chip['power_uw']} uW"}
    spent = listening({"filter_bank": bank}, {"rate": "1 MS/s"}, 160)
    assert spent["analog"] == round(chip["power_uw"] * 1000) * 160 * UW // 1000


def test_converting_16_bands_every_16_ms_takes_a_sixteenth_of_converting_the_sound() -> None:
    chip = FACTS["feature_extractors"]["kim_2022"]
    enob = f"{(chip['dynamic_range_db'] - 1.76) / 6.02:.1f}"  # 8.8
    adc = {"rate": "1 MS/s", "envelope": {"enob": enob, "multiple": 10}}
    bank = {"bands": chip["bands"], "decimation": 256, "power": f"{chip['power_uw']} uW"}
    sound, features = listening({}, adc, 160), listening({"filter_bank": bank}, adc, 160)
    assert sound["conversion"] == pytest.approx(16 * features["conversion"], rel=1e-8)  # rounded a packet
    # 1000 conversions a second of 3 pJ are nothing beside the filters, which are 40 % of the chip.
    assert features["conversion"] / features["analog"] < 1e-3
    assert features["analog"] / (chip["chip_uw"] * 160 * UW) == pytest.approx(9.3 / 23, rel=1e-9)


# ------------------------------------------------------------ image sensors


def watching(frame_rate: str, states: Tree, pj_per_pixel: float = 28.4, horizon_ms: int = 2000) -> tuple[float, float]:
    """(average uW, pJ a pixel) of a QVGA sensor, everything counted."""
    eye = {
        "kind": "mixed-signal", "pixels": [320, 240], "frame_rate": frame_rate, "bits": 8, "home": "sram",
        "energy": f"{pj_per_pixel} pJ/pixel", "row_settle": "5 us", "states": states,
        "adc": {"converters": 320, "rate": "200 kS/s", "envelope": {"enob": 7, "multiple": 10}},
    }  # fmt: skip
    blocks = {"eye": eye, "core": {"kind": "processor"}}
    blocks["sram"] = {"kind": "memory", "capacity": "1 MiB", "rate": "1 Gbit/s"}
    tasks = {"see": {"stages": [{"time": "1 us", "on": "core"}], "input": {"camera": "eye"}}}
    platform = {"name": "p", "dies": {"top": {"tier": 0, "blocks": blocks}}}
    result = Case(platform, {"name": "w", "tasks": tasks}, horizon_ps=horizon_ms * 10**9).judge()
    spent_aj = sum(account.energy_aj for account in result.accounts if account.component == "eye")
    frames = sum(1 for span in result.recording.spans if span.what == "sensing")
    return spent_aj / horizon_ms / UW, spent_aj / 10**6 / (frames * 320 * 240)


STANDBY = {"active": "400 uW", "idle": "45.5 uW"}


@pytest.mark.parametrize("level", ["low", "typical", "high"])
@pytest.mark.parametrize("frame_rate", ["1 fps", "15 fps", "30 fps"])
def test_an_always_on_imager_of_published_pixels_draws_a_published_power(level: str, frame_rate: str) -> None:
    published = FACTS["image_sensors"]["always_on_uw"]
    power_uw, _ = watching(frame_rate, STANDBY, FACTS["image_sensors"]["readout_pj_per_pixel"][level])
    assert published["low"] <= power_uw <= published["high"]


def test_without_standby_the_energy_of_a_pixel_grows_as_the_frame_rate_falls() -> None:
    # LiKamWa et al., MobiSys 2013: energy a pixel is inversely proportional to the frame rate, and almost constant
    # with a standby between frames.
    always_on = {"active": "400 uW", "idle": "400 uW"}
    gated = {"active": "400 uW", "gated": {"wake_time": "100 us", "power": "1 uW"}}
    _, fast = watching("30 fps", always_on)
    _, slow = watching("1 fps", always_on)
    pixel_pj = 28.4 + 2.69
    assert (slow - pixel_pj) / (fast - pixel_pj) == pytest.approx(30, rel=0.01)
    assert watching("1 fps", gated)[1] / watching("30 fps", gated)[1] < 1.4


def test_an_analog_mac_at_the_published_efficiency_is_a_sixth_of_a_picojoule() -> None:
    chip = FACTS["image_sensors"]["convolution_in_pixel"]
    assert 2 / chip["tops_per_w"] == pytest.approx(chip["pj_per_mac"], abs=0.0005)
