"""Every recipe of schedframe against numbers that its sources state, which are written here and not read from it."""

from math import cos, pi

import pytest

import schedframe
from schedframe._tools.recipes import recipe, recipes

FINE = 1e-12

Fact = tuple[str, str, float]
"""``("lr", position, value)``, ``("wd", position, value)`` or ``("run", unit, length)``."""


def cosine(run: str, length: float, end: str, warmup: str, peak: float, low: float, wd: float | None) -> list[Fact]:
    """Return the facts of a schedule that has its peak after `warmup` and its lowest LR from `end` on."""
    facts: list[Fact] = [("run", run, length), ("lr", warmup, peak), ("lr", end, low)]
    return facts if wd is None else [*facts, ("wd", end, wd)]


def cut(iters: int, warmup: int, peak: float, low: float, wd: float) -> list[Fact]:
    """Return the facts of GPT-NeoX' cosine up to 2023: to 0 within `iters` after the warmup, and cut at `low`."""
    facts: list[Fact] = [("run", "iters", iters), ("lr", f"{warmup} iters", peak), ("wd", "0", wd)]
    return [*facts, ("lr", f"{warmup + iters // 2} iters", peak / 2), ("lr", f"{iters} iters", low)]


def wsd(iters: int, warmup: int, start: int, peak: float, wd: float) -> list[Fact]:
    """Return the facts of a schedule whose cooldown to 0 begins at `start`."""
    peaks: list[Fact] = [("lr", f"{warmup} iters", peak), ("lr", f"{start} iters", peak)]
    return [("run", "iters", iters), *peaks, ("lr", f"{iters} iters", 0.0), ("wd", "0", wd)]


PUBLISHED: dict[str, list[Fact]] = {
    "albert": [
        *cosine("iters", 125_000, "125000", "3124", 0.00176 * 3124 / 3125, 0.0, 0.01),
        ("lr", "3125", 0.00176 * (1 - 3125 / 125_000)),
        ("lr", "62500", 0.00176 / 2),
    ],
    "amber-7b": cosine("samples", 360 * 1_706_976, "614511360", "2000 iters", 3e-4, 3e-5, 0.1),
    "apertus-8b": [
        *cosine("samples", 3_662_109_375, "3662109375", "4096000", 1.1e-4, 1.1e-5, 0.1),
        ("lr", "3258203569", 1.1e-4),
        ("lr", "3359180020", 1.1e-5 + (1.1e-4 - 1.1e-5) * (1 - (100_976_451 / 403_905_806) ** 0.5)),
    ],
    "beit-b16-i1k": [*cosine("epochs", 800, "800 epochs", "10 epochs", 1.5e-3, 1e-5, 0.05), ("lr", "0", 0.0)],
    "bert-base": [
        *cosine("iters", 1_000_000, "1000000", "9999", 1e-4 * 0.9999, 0.0, 0.01),
        ("lr", "10000", 1e-4 * 0.99),
        ("lr", "500000", 0.5e-4),
    ],
    "bloom-176b": cosine("samples", 220_000_000, "200000000", "183105", 6e-5, 6e-6, 0.1),
    "bloom-1b1": cosine("samples", 220_000_000, "200000000", "183105", 2.5e-4, 1e-5, 0.1),
    "bloom-1b7": cosine("samples", 220_000_000, "200000000", "183105", 2e-4, 1e-5, 0.1),
    "bloom-3b": cosine("samples", 220_000_000, "200000000", "183105", 1.6e-4, 1e-5, 0.1),
    "bloom-560m": cosine("samples", 220_000_000, "200000000", "183105", 3e-4, 1e-5, 0.1),
    "bloom-7b1": cosine("samples", 220_000_000, "200000000", "183105", 1.2e-4, 1e-5, 0.1),
    "btlm-3b-8k": [
        *cosine("iters", 159_636, "159636", "95", 0.012, 0.00010198, 0.1),
        ("lr", "119727", 0.012 - (0.012 - 0.00010198) * (119_727 - 95) / 159_541),
    ],
    "cappa": cosine("iters", 366_500, "366500", "10000", 1e-3, 0.0, 1e-4),
    "cerebras-gpt-1.3b": cosine("iters", 24_334, "24334", "346", 2e-4, 2e-5, 0.1),
    "cerebras-gpt-111m": [
        *cosine("iters", 9037, "9037", "1525", 6e-4, 6e-5, 0.1),
        ("lr", "5281", (6e-4 + 6e-5) / 2),
    ],
    "cerebras-gpt-13b": [
        *cosine("samples", 116_223 * 1080, "125520840", "254 iters", 1.2e-4, 1.2e-5, 0.1),
        ("run", "iters", 57_000 + (116_223 * 1080 - 57_000 * 720) / 1080),
    ],
    "cerebras-gpt-2.7b": cosine("iters", 49_041, "49041", "346", 2e-4, 2e-5, 0.1),
    "cerebras-gpt-256m": cosine("iters", 9468, "9468", "693", 6e-4, 6e-5, 0.1),
    "cerebras-gpt-590m": cosine("iters", 21_836, "21836", "693", 2e-4, 2e-5, 0.1),
    "cerebras-gpt-6.7b": cosine("iters", 62_522, "62522", "176", 1.2e-4, 1.2e-5, 0.1),
    "clippo-b16": [
        ("run", "iters", 100_000),
        ("lr", "10000", 1e-3),
        ("lr", "40000", 0.5e-3),
        ("lr", "90000", 1e-3 / 3),
        ("lr", "95000", 1e-3 * 9.5**-0.5 / 2),
        ("lr", "100000", 0.0),
        ("wd", "0", 1e-4),
    ],
    "codegen-2b-nl": cosine("iters", 350_000, "303000", "3000", 1.6e-4, 1.6e-5, 0.1),
    "codegen-350m-multi": cosine("iters", 150_000, "150000", "3000", 1.8e-4, 3e-5, 0.1),
    "codegen-350m-nl": cosine("iters", 350_000, "303000", "3000", 3e-4, 3e-5, 0.1),
    "codegen-6b-nl": cosine("iters", 350_000, "303000", "3000", 1.2e-4, 1.2e-5, 0.1),
    "convnext-t": cosine("epochs", 300, "300 epochs", "20 epochs", 4e-3, 1e-6, 0.05),
    "convnextv2-b-fcmae": cosine("epochs", 1600, "1600 epochs", "40 epochs", 1.5e-4 * 4096 / 256, 0.0, 0.05),
    "crystalcoder-7b-phase-1": cosine("iters", 79_721, "294423", "86", 0.012, 0.00012408, 0.1),
    "crystalcoder-7b-phase-3": cosine("iters", 27_728, "27728", "276", 0.002, 0.0002, 0.1),
    "data2vec-audio-base": [
        *cosine("iters", 400_000, "400000", "12000", 5e-4, 5e-6, 0.01),
        ("lr", "0", 0.01 * 5e-4),
        ("lr", "372000", 5e-4),
        ("lr", "386000", 5e-4 * 0.01**0.5),
    ],
    "datacomp-large": [
        *cosine("samples", 1_280_000_000, "1280000000", "499 iters", 5e-4, 0.0, 0.2),
        ("lr", "0", 5e-4 / 500),
    ],
    "datacomp-medium": [
        *cosine("samples", 128_000_000, "128000000", "499 iters", 5e-4, 0.0, 0.2),
        ("lr", "0", 5e-4 / 500),
    ],
    "datacomp-small": [
        *cosine("samples", 12_800_000, "12800000", "499 iters", 5e-4, 0.0, 0.2),
        ("run", "iters", 3125),
    ],
    "datacomp-xlarge": [
        *cosine("samples", 12_800_000_000, "12800000000", "9999 iters", 1e-3, 0.0, 0.2),
        ("lr", "0", 1e-3 / 10_000),
    ],
    "dclm-1b-1x": [
        *cosine("tokens", 28_795_904_000, "28795904000 tokens", "5000 iters", 3e-3, 3e-5, 0.033),
        ("lr", "0", 3e-3 / 5000),
    ],
    "dclm-400m-1x": [
        *cosine("tokens", 8_232_325_120, "8232325120 tokens", "2000 iters", 3e-3, 3e-5, 0.033),
        ("lr", "0", 3e-3 / 2000),
    ],
    "dclm-7b-1x": [
        *cosine("tokens", 137_788_211_200, "137788211200 tokens", "5000 iters", 2e-3, 3e-5, 0.05),
        ("lr", "4999 iters", 2e-3),
    ],
    "deepseek-llm-67b": [
        ("run", "tokens", 2e12),
        ("lr", "2000 iters", 3.2e-4),
        ("lr", "1500B tokens", 3.2e-4),
        ("lr", "1700B tokens", 0.316 * 3.2e-4),
        ("lr", "1900B tokens", 0.1 * 3.2e-4),
    ],
    "deepseek-llm-7b": [
        ("run", "tokens", 2e12),
        ("lr", "2000 iters", 4.2e-4),
        ("lr", "1500B tokens", 4.2e-4),
        ("lr", "1700B tokens", 0.316 * 4.2e-4),
        ("lr", "1900B tokens", 0.1 * 4.2e-4),
    ],
    "deepseek-v2": [
        ("run", "tokens", 8.1e12),
        ("lr", "2000 iters", 2.4e-4),
        ("lr", "5T tokens", 0.316 * 2.4e-4),
        ("lr", "8T tokens", 0.316 * 0.316 * 2.4e-4),
        ("wd", "8T tokens", 0.1),
    ],
    "deepseek-v2-lite": [
        ("run", "tokens", 5.7e12),
        ("lr", "2000 iters", 4.2e-4),
        ("lr", "5T tokens", 0.316 * 4.2e-4),
        ("lr", "5.6T tokens", 0.316 * 0.316 * 4.2e-4),
        ("wd", "0", 0.1),
    ],
    "deepseek-v3": [
        ("run", "tokens", 14.8e12),
        ("lr", "2000 iters", 2.2e-4),
        ("lr", "10T tokens", 2.2e-4),
        ("lr", "14.3T tokens", 2.2e-5),
        ("lr", "14.6T tokens", 2.2e-5),
        ("lr", "14.64T tokens", 7.3e-6),
        ("wd", "10T tokens", 0.1),
    ],
    "deit-b": [
        ("run", "epochs", 300),
        ("lr", "0", 1e-6),
        ("lr", "4 epochs", 1e-6 + 0.8 * (1e-3 - 1e-6)),
        ("lr", "5 epochs", 1e-5 + (1e-3 - 1e-5) * (1 + cos(pi * 5 / 300)) / 2),
        ("lr", "150 epochs", (1e-3 + 1e-5) / 2),
        ("lr", "300 epochs", 1e-5),
        ("wd", "0", 0.05),
    ],
    "dino-vit-s16": [
        *cosine("epochs", 100, "100 epochs", "10 epochs", 1e-3, 1e-6, 0.4),
        ("wd", "0", 0.04),
    ],
    "dinov2-vit-l14": [
        *cosine("iters", 500 * 1250, "625000", "100000", 2e-4 * 3**0.5, 1e-6, 0.2),
        ("wd", "0", 0.04),
    ],
    "dinov3-vit-7b16": cosine("iters", 1000 * 1000, "1000000", "100000", 5e-5 * 4 * 4**0.5, 4e-4, 0.04),
    "edm2-img512-s": [
        ("run", "samples", 2048 * 2**20),
        ("lr", "5000000", 0.0100 / 2),
        ("lr", "10000000", 0.0100),
        ("lr", "143360000", 0.0100),
        ("lr", "2147483648", 0.0100 / (2**31 / (70_000 * 2048)) ** 0.5),
    ],
    "edm2-img512-xxl": [
        ("run", "samples", 896 * 2**20),
        ("lr", "5000000", 0.0065 / 2),
        ("lr", "143360000", 0.0065),
        ("lr", "573440000", 0.0065 / 2),
    ],
    "electra-small": [
        ("run", "iters", 1_000_000),
        ("lr", "0", 0.0),
        ("lr", "5000", 5e-4 * 0.995 * 0.5),
        ("lr", "10000", 5e-4 * 0.99),
        ("lr", "500000", 5e-4 / 2),
        ("lr", "1000000", 0.0),
        ("wd", "0", 0.01),
    ],
    "ettin-encoder-150m": [
        *cosine("tokens", 2e12, "2T tokens", "3B tokens", 8e-4, 0.02 * 8e-4, 1e-5),
        ("lr", "1700B tokens", 8e-4),
        ("lr", "1762.5B tokens", 8e-4 * 0.75),
        ("lr", "1950B tokens", 4e-4),
        ("lr", "1962.5B tokens", 4e-4 * (0.04 + 0.96 / 2)),
    ],
    "ettin-encoder-400m": [
        *cosine("tokens", 2e12, "2T tokens", "2B tokens", 5e-4, 0.04 * 2.5e-4, 1e-5),
        ("lr", "1700B tokens", 5e-4),
        ("lr", "1950B tokens", 2.5e-4),
    ],
    "falcon-180b": cosine("tokens", 3.5e12, "3500B tokens", "4B tokens", 1.25e-4, 1.25e-5, 0.1),
    "falcon-40b": cosine("tokens", 1e12, "1000B tokens", "4B tokens", 1.85e-4, 1.85e-5, 0.1),
    "falcon-7b": cosine("tokens", 1.5e12, "1500B tokens", "4B tokens", 6e-4, 1.2e-5, 0.1),
    "gopher-280b": [
        *cosine("tokens", 300e9, "300B tokens", "1500 iters", 4e-5, 4e-6, None),
        ("lr", "0", 1e-7),
    ],
    "gpt-3-1.3b": cosine("tokens", 300e9, "260B tokens", "375M tokens", 2e-4, 2e-5, 0.1),
    "gpt-3-125m": cosine("tokens", 300e9, "260B tokens", "375M tokens", 6e-4, 6e-5, 0.1),
    "gpt-3-13b": cosine("tokens", 300e9, "260B tokens", "375M tokens", 1e-4, 1e-5, 0.1),
    "gpt-3-175b": cosine("tokens", 300e9, "260B tokens", "375M tokens", 6e-5, 6e-6, 0.1),
    "gpt-3-2.7b": cosine("tokens", 300e9, "260B tokens", "375M tokens", 1.6e-4, 1.6e-5, 0.1),
    "gpt-3-350m": cosine("tokens", 300e9, "260B tokens", "375M tokens", 3e-4, 3e-5, 0.1),
    "gpt-3-6.7b": cosine("tokens", 300e9, "260B tokens", "375M tokens", 1.2e-4, 1.2e-5, 0.1),
    "gpt-3-760m": cosine("tokens", 300e9, "260B tokens", "375M tokens", 2.5e-4, 2.5e-5, 0.1),
    "gpt-j-6b": cosine("iters", 350_000, "303000", "3000", 1.2e-4, 1.2e-5, 0.1),
    "gpt-neox-20b": cut(150_000, 1500, 0.97e-4, 0.97e-5, 0.01),
    "hubert-base": cosine("iters", 400_000, "400000", "32000", 5e-4, 0.0, 0.01),
    "hubert-large": cosine("iters", 400_000, "400000", "32000", 1.5e-3, 0.0, 0.01),
    "ijepa-vit-h14": [
        *cosine("epochs", 300, "300 epochs", "40 epochs", 1e-3, 1e-6, 0.4),
        ("lr", "0", 2e-4),
        ("wd", "0", 0.04),
    ],
    "jais-13b": cosine("iters", 100_551, "100551", "95", 0.012, 0.0012, 0.1),
    "k2-65b": cosine("iters", 338_760, "338760", "2000", 1.5e-4, 1.5e-5, 0.1),
    "kimi-k2": [
        ("run", "tokens", 15.5e12),
        ("lr", "500 iters", 2e-4),
        ("lr", "10T tokens", 2e-4),
        ("lr", "15.5T tokens", 2e-5),
        ("wd", "0", 0.1),
    ],
    "lingua-llama-1b": cosine("iters", 60_000, "60000", "5000", 3e-3, 3e-3 * 0.000001, 0.033),
    "lingua-llama-7b": cosine("iters", 100_000, "100000", "2000", 1e-3, 1e-3 * 0.000001, 0.1),
    "llama-2-70b": cosine("tokens", 2e12, "2T tokens", "2000 iters", 1.5e-4, 1.5e-5, 0.1),
    "llama-2-7b": cosine("tokens", 2e12, "2T tokens", "2000 iters", 3e-4, 3e-5, 0.1),
    "llama-3-405b": cosine("iters", 1_200_000, "1200000", "8000", 8e-5, 8e-7, None),
    "llama-65b": cosine("tokens", 1.4e12, "1.4T tokens", "2000 iters", 1.5e-4, 1.5e-5, 0.1),
    "llama-7b": cosine("tokens", 1e12, "1000B tokens", "2000 iters", 3e-4, 3e-5, 0.1),
    "llm-jp-v3-1.8b": cosine("iters", 988_240, "986240", "2000", 3e-4, 3e-5, 0.1),
    "llm-jp-v3-13b": cosine("iters", 494_120, "492120", "2000", 2e-4, 2e-5, 0.1),
    "llm-jp-v3-172b": cosine("iters", 292_812, "290812", "2000", 8e-5, 8e-6, 0.1),
    "llm-jp-v3-3.8b": cosine("iters", 494_120, "492120", "2000", 3e-4, 3e-5, 0.1),
    "llm-jp-v3-7.3b": cosine("iters", 494_120, "492120", "2000", 2.5e-4, 2.5e-5, 0.1),
    "llm-jp-v4-32b-decay-3m": [*wsd(3_000_000, 2000, 2_900_000, 2e-4, 0.1), ("lr", "2925000", 1e-4)],
    "llm-jp-v4-8b-decay-2m": [*wsd(2_000_000, 2000, 1_900_000, 3e-4, 0.1), ("lr", "1925000", 1.5e-4)],
    "llm.c-gpt-2-1.6b": [
        *cosine("iters", 32_000, "32000", "699", 6e-4, 0.1 * 6e-4, 0.1),
        ("lr", "0", 6e-4 / 700),
    ],
    "llm.c-gpt-2-124m": [
        *cosine("iters", 18_865, "18865", "699", 6e-4, 0.0, 0.1),
        ("lr", "0", 6e-4 / 700),
    ],
    "mae-vit-l": cosine("epochs", 800, "800 epochs", "40 epochs", 1.5e-4 * 4096 / 256, 0.0, 0.05),
    "marin-32b-mantis": [
        *cosine("iters", 192_000 - 160_000, "32000", "0", 7e-4, 0.1 * 7e-4, 0.1 * 0.05),
        ("lr", "16000", 0.55 * 7e-4),
        ("wd", "0", 0.05),
        ("wd", "16000", 0.55 * 0.05),
    ],
    "marin-8b-ocelot-to-starling": [
        ("run", "iters", 1_400_000 - 660_000),
        ("lr", "0", 1.7e-3),
        ("lr", "80500", 1.7e-3),
        ("lr", "160000", 1.7e-4),
        ("lr", "162000", 1.7e-3),
        ("lr", "660000", 1.7e-3),
        ("lr", "740000", 1.7e-5),
    ],
    "metaclip-vit-b32-400m": [
        *cosine("samples", 32 * 400e6, "12.8B", "1999 iters", 5e-4, 0.0, 0.2),
        ("run", "iters", 390_625),
        ("lr", "0", 5e-4 / 2000),
    ],
    "mlp-mixer-b16-i1k": cosine("epochs", 300, "300 epochs", "10000 iters", 1e-3, 1e-5 * 1e-3, 1e-4),
    "moco-v3-vit-b": cosine("epochs", 300, "300 epochs", "40 epochs", 1.5e-4 * 4096 / 256, 0.0, 0.1),
    "modded-nanogpt-2024-10-10": [*wsd(6200, 0, 4400, 3.6e-4, 0.0), ("lr", "5300", 1.8e-4)],
    "modded-nanogpt-2024-12-04": [
        ("run", "iters", 1530),
        ("lr", "0", 0.05),
        ("lr", "930", 0.05),
        ("lr", "1230", 0.025),
        ("lr", "1530", 0.0),
    ],
    "modded-nanogpt-track-3": [*wsd(3250, 0, 975, 0.025, 0.05), ("lr", "2600", 0.025 * 0.2 / 0.7)],
    "moonlight-16b": [
        ("run", "tokens", 5.7e12),
        ("lr", "2000 iters", 4.2e-4),
        ("lr", "5.2T tokens", 4.2e-5),
        ("lr", "5203355443200 tokens", 1e-4),
        ("lr", "5.7T tokens", 0.0),
        ("wd", "0", 0.1),
    ],
    "mpt-125m": cosine("iters", 4800, "4800", "100", 6e-4, 6e-5, 0.0),
    "mpt-1b": cosine("iters", 24_800, "24800", "100", 2e-4, 2e-5, 0.0),
    "mpt-70b": cosine("iters", 333_800, "333800", "100", 8e-5, 8e-6, 0.0),
    "mpt-7b": cosine("iters", 63_900, "63900", "100", 1.2e-4, 1.2e-5, 0.0),
    "nanochat-d24": [
        *wsd(16_704, 0, 8352, 0.02, 0.05),
        ("lr", "12528", 0.01),
        ("wd", "8352", 0.025),
        ("wd", "16704", 0.0),
    ],
    "nanogpt-124m": [
        *cosine("iters", 600_000, "600000", "2000", 6e-4, 6e-5, 0.1),
        ("lr", "0", 6e-4 / 2001),
        ("lr", "1999", 6e-4 * 2000 / 2001),
    ],
    "nemotron-3-nano": [
        *cosine("tokens", 25e12, "25T tokens", "8.4B tokens", 1e-3, 1e-5, 0.1),
        ("lr", "20T tokens", 1e-3),
        ("lr", "22.5T tokens", (1e-3 + 1e-5) / 2),
    ],
    "nemotron-3-super": [
        *cosine("iters", 993_404, "992411", "7949", 4.5e-4, 4.5e-6, 0.1),
        ("lr", "793729", 4.5e-4),
    ],
    "nemotron-3-ultra": [
        *cosine("tokens", 20e12, "20T tokens", "200B tokens", 2.5e-4, 2.5e-6, 0.1),
        ("lr", "15T tokens", 2.5e-4),
        ("lr", "16.25T tokens", (2.5e-4 + 2.5e-6) / 2),
    ],
    "olmo-1b": cosine("iters", 739_328, "739328", "2000", 4e-4, 4e-5, 0.1),
    "olmo-2-13b": cosine("iters", 596_057, "5T tokens", "8388608000 tokens", 3e-4, 3e-5, 0.1),
    "olmo-2-13b-stage-2": cosine("tokens", 300e9, "300B tokens", "0", 9e-5, 0.0, 0.1),
    "olmo-2-1b": cosine("tokens", 4e12, "5T tokens", "8388608000 tokens", 4e-4, 4e-5, 0.1),
    "olmo-2-32b": cosine("tokens", 6.5e12, "6.5T tokens", "2000 iters", 6e-4, 6e-5, 0.1),
    "olmo-2-7b": cosine("iters", 928_646, "5T tokens", "8388608000 tokens", 3e-4, 3e-5, 0.1),
    "olmo-2-7b-stage-2": cosine("tokens", 50e9, "50B tokens", "0", 0.000061499, 0.0, 0.1),
    "olmo-3-32b-long-context": cosine("tokens", 1e11, "100B tokens", "200 iters", 0.0002071235285, 0.0, 0.1),
    "olmo-3-32b-midtrain": cosine("tokens", 1e11, "100B tokens", "0", 0.0002071235285, 0.0, 0.1),
    "olmo-3-7b-midtrain": cosine("tokens", 1e11, "100B tokens", "0", 0.00020712352850360292, 0.0, 0.1),
    "olmo-7b": cosine("tokens", 2e12, "2T tokens", "5000 iters", 3e-4, 3e-5, 0.1),
    "olmo-hybrid-7b-long-context": cosine("tokens", 1e11, "100B tokens", "200 iters", 0.00020712352850360292, 0.0, 0.1),
    "olmo-hybrid-7b-midtrain": cosine("tokens", 1e11, "100B tokens", "0", 0.00020712352850360292, 0.0, 0.1),
    "olmoe-1b-7b": cosine("tokens", 5e12, "5T tokens", "10485760000 tokens", 4e-4, 4e-5, 0.1),
    "olmoe-1b-7b-cooldown": cosine("tokens", 100e9, "100B tokens", "0", 4e-5, 0.0, 0.1),
    "openelm-1.1b": [*cosine("iters", 350_000, "350000", "5000", 0.0024, 0.00024, 0.1), ("lr", "0", 1e-6)],
    "openelm-270m": [*cosine("iters", 350_000, "350000", "5000", 0.0053, 0.00053, 0.1), ("lr", "0", 1e-6)],
    "openelm-3b": [*cosine("iters", 350_000, "350000", "5000", 0.0012, 0.00012, 0.1), ("lr", "0", 1e-6)],
    "openelm-450m": [*cosine("iters", 350_000, "350000", "5000", 0.0039, 0.00039, 0.1), ("lr", "0", 1e-6)],
    "opt-1.3b": cosine("iters", 300_000_000_000 // 2**20, "286102", "357", 2e-4, 2e-5, 0.1),
    "opt-125m": cosine("iters", 300_000_000_000 // 2**19, "572204", "715", 6e-4, 6e-5, 0.1),
    "opt-13b": cosine("iters", 300_000_000_000 // 2**22, "71525", "89", 1e-4, 1e-5, 0.1),
    "opt-175b": cosine("tokens", 300e9, "300B tokens", "2000 iters", 1.2e-4, 1.2e-5, 0.1),
    "opt-6.7b": cosine("iters", 300_000_000_000 // 2**21, "143051", "178", 1.2e-4, 1.2e-5, 0.1),
    "opt-66b": cosine("iters", 300_000_000_000 // 2**21, "143051", "178", 8e-5, 8e-6, 0.1),
    "palm-540b": [
        ("run", "iters", 255_000),
        ("lr", "0", 1e-2),
        ("lr", "10000", 1e-2),
        ("lr", "90000", 90_000**-0.5),
        ("lr", "255000", 255_000**-0.5),
    ],
    "phi-1": cosine("iters", 36_000, "36000", "750", 1e-3, 0.0, 0.1),
    "phi-1.5": [("run", "tokens", 150e9), ("lr", "0", 2e-4), ("lr", "150B tokens", 2e-4), ("wd", "0", 0.1)],
    "pythia-1.4b": cut(143_000, 1430, 2e-4, 2e-5, 0.1),
    "pythia-12b": cut(143_000, 1430, 1.2e-4, 1.2e-5, 0.1),
    "pythia-160m": cut(143_000, 1430, 6e-4, 6e-5, 0.1),
    "pythia-1b": cut(143_000, 1430, 2.5e-4, 2.5e-5, 0.1),
    "pythia-2.8b": cut(143_000, 1430, 1.6e-4, 1.6e-5, 0.1),
    "pythia-410m": cut(143_000, 1430, 3e-4, 3e-5, 0.1),
    "pythia-6.9b": cut(143_000, 1430, 1.2e-4, 1.2e-5, 0.1),
    "pythia-70m": cut(143_000, 1430, 1e-3, 1e-4, 0.1),
    "qwen-7b": cosine("tokens", 2.2e12, "2200B tokens", "2000 iters", 3e-4, 3e-5, 0.1),
    "rwkv-7-pile": [
        *cosine("tokens", 332_115_325_534, "332115325534 tokens", "10 iters", 8e-4, 3e-5, 0.1),
        ("lr", "0", 0.01 * 8e-4),
        ("lr", "5 iters", 8e-4 * (0.01 + 0.99 / 2)),
    ],
    "santacoder-1.1b": cosine("iters", 600_000, "600000", "12000", 2e-4, 0.0, 0.1),
    "simmim-swin-b": [
        ("run", "epochs", 800),
        ("lr", "0", 2e-6),
        ("lr", "10 epochs", 4e-4),
        ("lr", "699 epochs", 4e-4),
        ("lr", "700 epochs", 4e-5),
        ("wd", "0", 0.05),
    ],
    "smollm-1.7b": [*wsd(500_000, 2000, 400_000, 5e-4, 0.01), ("lr", "425000", 5e-4 / 2)],
    "smollm-135m": [*wsd(600_000, 5000, 500_000, 3e-3, 0.01), ("lr", "525000", 3e-3 / 2)],
    "smollm2-1.7b": [*wsd(5_240_000, 2000, 4_716_000, 5e-4, 0.01), ("lr", "4978000", 5e-4 / 2)],
    "smollm2-135m": [*wsd(2_000_000, 2000, 1_600_000, 3e-3, 0.01), ("lr", "1800000", 3e-3 / 2)],
    "smollm2-360m": [*wsd(2_600_000, 2000, 2_080_000, 3e-3, 0.01), ("lr", "2340000", 3e-3 / 2)],
    "smollm3-3b": wsd(4_720_000, 2000, 4_198_000, 2e-4, 0.1),
    "smollm3-3b-32k": cosine("iters", 20_000, "20000", "1000", 2e-5, 0.0, 0.1),
    "stable-diffusion-v1-1": [
        ("run", "iters", 237_000 + 194_000),
        ("lr", "5000", 0.0001 / 2),
        ("lr", "10000", 0.0001),
        ("lr", "431000", 0.0001),
    ],
    "stablelm-3b-4e1t": cosine("iters", 955_000, "955000", "4775", 3.2e-4, 1.28e-5, 0.1),
    "stablelm-alpha-3b": cosine("iters", 180_000, "180000", "1800", 1.6e-4, 1.6e-5, 0.1),
    "stablelm-alpha-3b-v2": cosine("iters", 245_000, "245000", "2450", 3.2e-4, 3.2e-5, 0.1),
    "stablelm-alpha-7b": cosine("iters", 180_000, "180000", "1800", 1.5e-4, 1.5e-5, 0.1),
    "stablelm-alpha-7b-v2": cosine("iters", 245_000, "245000", "2450", 3e-4, 3e-5, 0.1),
    "starcoderbase-15b": cosine("iters", 250_000, "250000", "2000", 3e-4, 3e-5, 0.1),
    "starcoderbase-1b": cosine("iters", 1_000_000, "1000000", "2000", 4e-4, 4e-5, 0.1),
    "starcoderbase-3b": cosine("iters", 500_000, "500000", "2000", 5e-4, 5e-5, 0.1),
    "swav-resnet50": [*cosine("epochs", 800, "800 epochs", "10 epochs", 4.8, 0.0048, 1e-6), ("lr", "0", 0.3)],
    "swin-t": [
        ("run", "epochs", 300),
        ("lr", "0", 1e-6),
        ("lr", "10 epochs", (1e-6 + 1e-3) / 2),
        ("lr", "20 epochs", 1e-5 + (1e-3 - 1e-5) * (1 + cos(pi * 20 / 300)) / 2),
        ("lr", "300 epochs", 1e-5),
        ("wd", "0", 0.05),
    ],
    "t5-base": [
        ("run", "iters", 2**19),
        ("lr", "0", 0.01),
        ("lr", "10000", 0.01),
        ("lr", "40000", 0.005),
        ("lr", "524288", 524_288**-0.5),
    ],
    "tinyllama-1.1b": cosine("iters", 715_256 * 2, "1430512", "2000", 4e-4, 4e-5, 0.1),
    "transformer-base": [
        ("run", "iters", 100_000),
        ("lr", "2000", 512**-0.5 * 2000 * 4000**-1.5),
        ("lr", "4000", 512**-0.5 * 4000**-0.5),
        ("lr", "100000", 512**-0.5 * 100_000**-0.5),
    ],
    "v-jepa-2-vit-g16": [
        ("run", "iters", 300 * (800 + 40)),
        ("lr", "0", 1e-4),
        ("lr", "12000", 5.25e-4),
        ("lr", "240000", 5.25e-4),
        ("lr", "252000", 5.25e-4 + 12_000 / (1.25 * 12_000) * (1e-6 - 5.25e-4)),
        ("wd", "0", 0.04),
    ],
    "v-jepa-vit-l16": [
        ("run", "iters", 300 * 300),
        ("lr", "0", 2e-4),
        ("lr", "12000", 6.25e-4),
        ("lr", "62250", (6.25e-4 + 1e-6) / 2),
        ("wd", "0", 0.04),
        ("wd", "56250", (0.04 + 0.4) / 2),
    ],
    "vit-g14-jft": [
        ("run", "iters", 1_000_000),
        ("lr", "10000", 8e-4),
        ("lr", "250000", 8e-4 / 5),
        ("lr", "975000", 8e-4 * 97.5**-0.5 / 2),
        ("lr", "1000000", 0.0),
        ("wd", "0", 0.03 * 8e-4),
    ],
    "vit-s16-i1k": cosine("epochs", 90, "90 epochs", "10000 iters", 1e-3, 0.0, 1e-4),
    "wav2vec2-base": [*cosine("iters", 400_000, "400000", "32000", 5e-4, 0.0, 0.01), ("lr", "216000", 2.5e-4)],
    "wav2vec2-large": cosine("iters", 1_000_000, "1000000", "32000", 5e-3, 0.0, 0.01),
}
"""At least three numbers of each source."""

BATCHES = {
    "bloom-176b": (192, 2048),
    "deepseek-v2": (2304, 9216),
    "deepseek-v3": (3072, 15360),
    "moonlight-16b": (2048, 4096),
    "gpt-neox-20b": (1536, 1536),
    "nemotron-3-super": (3072, 3072),
    "pythia-1b": (1024, 1024),
    "smollm3-3b": (576, 576),
    "starcoderbase-15b": (512, 512),
    "apertus-8b": (1024, 2048),
    "cerebras-gpt-13b": (720, 1080),
    "metaclip-vit-b32-400m": (32_768, 32_768),
    "v-jepa-vit-l16": (3072, 3072),
    "bloom-3b": (192, 512),
    "olmo-hybrid-7b-long-context": (64, 64),
    "stable-diffusion-v1-1": (2048, 2048),
}
"""Batch sizes that the sources state: at the start and at the end."""

OURS = [found.name for found in recipes()[0] if found.provider.startswith("schedframe ")]

names = pytest.mark.parametrize("name", OURS)


def test_there_are_many_recipes_and_all_can_be_used() -> None:
    found, errors = recipes()
    assert errors == []
    assert len(found) >= len(OURS) >= 90


def test_each_has_at_least_three_published_numbers() -> None:
    assert sorted(PUBLISHED) == OURS
    assert min(map(len, PUBLISHED.values())) >= 3


@names
def test_the_curves_have_the_published_numbers(name: str) -> None:
    schedule = schedframe.load(f"recipe:{name}")
    for what, where, value in PUBLISHED[name]:
        if what == "run":
            assert schedule.units_at(schedule.train_steps)[where] == pytest.approx(value, rel=FINE), where
            continue
        step = schedule.step_at(where)
        found = schedule.lr_at(step) if what == "lr" else schedule.wd_at(step)
        assert found == pytest.approx(value, rel=FINE, abs=1e-19), (what, where)


@pytest.mark.parametrize("name", BATCHES)
def test_batch_sizes_are_the_published_ones(name: str) -> None:
    schedule = schedframe.load(f"recipe:{name}")
    (first, last), end = BATCHES[name], schedule.units_at(schedule.train_steps)["iters"]
    samples = [schedule.units_at(schedule.step_at(f"{at} iters"))["samples"] for at in (1, end - 1, end)]
    assert samples[0] == first
    assert samples[2] - samples[1] == pytest.approx(last)


@names
def test_check_finds_nothing_worse_than_a_note(name: str) -> None:
    findings = schedframe.load(f"recipe:{name}").findings()
    assert [finding for finding in findings if finding.severity != "note"] == []


@names
def test_each_names_where_its_numbers_are(name: str) -> None:
    found = recipe(name)
    assert found.sources
    for source in found.sources:
        is_pinned = " at " in source and (":" in source or "model card" in source)
        assert "arxiv.org/abs/" in source or "model card" in source or is_pinned, source
    assert 2016 < found.year < 2027
