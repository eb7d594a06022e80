"""Published numbers of dependence, breaks, bands and GeoPolRisk beside ours."""

from __future__ import annotations

import polars as pl

from evernormal.risk.geopolitical import geopolrisk
from evernormal.risk.momentum import change_point
from evernormal.risk.stability import stability_band

__all__ = ["Check", "bands", "breaks", "package", "trade_shares"]

Check = tuple[str, float, float, float, str]
"""Name, published, ours, tolerance (absolute), source."""

_NILE = (
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958,
    1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020,
    1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796,
    1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874,
    848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718,
    714, 740,
)  # fmt: skip
"""Annual flow of the Nile at Aswan 1871 to 1970, 10^8 m3."""

_COBB = "Cobb 1978, The problem of the Nile, Biometrika 65:243-251"
_KITA = {2018: 64.9, 2019: 74.4, 2020: 81.2, 2021: 83.8, 2022: 87.9, 2023: 79.6}
_KITA_TOLERANCE = 2.0
_PACKAGE = (
    "geopolrisk-py 2.0.1, run apart from this package (Journal of Open Source Software, 10.21105/joss.09600)"
)
_SCORES = (
    ("KOR", "Lithium", 2023, 0.13880975678),
    ("USA", "Tungsten", 2019, 0.3669688713872),
    ("TWN", "Copper", 2020, 0.0598373715642),
    ("EU", "Rare earth", 2024, 0.1890081123629),
)


def breaks() -> list[Check]:
    """The Nile series: year of the break, and the means before and after it."""
    found = change_point([[float(flow) for flow in _NILE]])
    return [
        ("Nile at Aswan: last year before the break", 1898.0, 1871.0 + float(found.place[0]), 0.0, _COBB),
        ("Nile at Aswan: mean flow to 1898", 1097.75, float(found.before[0]), 0.005, _COBB),
        ("Nile at Aswan: mean flow after 1898", 849.97, float(found.after[0]), 0.005, _COBB),
    ]


def bands() -> list[Check]:
    """Edges of KOMIR's bands: one index on each side of every edge, with and without an event."""
    expected = (
        (0.5, True, "crisis"), (0.5, False, "unstable"), (1.0, True, "unstable"), (4.9, False, "unstable"),
        (5.0, False, "caution"), (19.9, False, "caution"), (20.0, False, "stable"), (79.9, False, "stable"),
        (80.0, False, "oversupply"), (100.0, True, "oversupply"),
    )  # fmt: skip
    ours = stability_band([one[0] for one in expected], [one[1] for one in expected]).tolist()
    right = sum(found == one[2] for found, one in zip(ours, expected, strict=True))
    source = "KOMIR, supply-stability index, press release of 10 December 2024 as reported by Etoday"
    name = "KOMIR bands 0-1 with an event, 0-5, 5-20, 20-80, 80-100: values in their band"
    return [(name, float(len(expected)), float(right), 0.0, source)]


def trade_shares() -> list[Check]:
    """China's share of Korea's imports of lithium hydroxide, against the Korean trade association."""
    from evernormal.data import supplier_shares  # noqa: PLC0415 - opens the snapshot

    shares = supplier_shares("KOR", ["282520"], "value", list(_KITA))["shares"].filter(supplier="CHN")
    ours = dict(shares.select(pl.col("year").cast(pl.Int64), 100 * pl.col("share")).iter_rows())
    source = (
        "Korea International Trade Association, imports by value; customs declarations, where ours are BACI"
    )
    name = "China's share of Korea's lithium hydroxide imports by value, per cent"
    return [(f"{name}, {year}", share, ours[year], _KITA_TOLERANCE, source) for year, share in _KITA.items()]


def package() -> list[Check]:
    """GeoPolRisk with the compatibility switch against values that the package gave."""
    found = []
    for country, material, year, score in _SCORES:
        table = geopolrisk([country], [year], [material], compatible=True)["geopolrisk"]
        name = f"GeoPolRisk of the package, {country} {material} {year}"
        found.append((name, score, float(table["score"].item()), 1e-9, _PACKAGE))
    return found
