"""Small input-output tables in the layouts of their publishers, with made-up figures that balance."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from openpyxl import Workbook

Floats = NDArray[np.float64]


@dataclass
class World:
    """Countries c, sectors s: deliveries (cs, cs), final use (cs, c k), taxes and value added (cs)."""

    countries: tuple[str, ...] = ("CHN", "KOR", "ROW")
    sectors: tuple[str, ...] = ("C20", "C27", "F")
    z: Floats = field(default_factory=lambda: np.zeros(0))
    final: Floats = field(default_factory=lambda: np.zeros(0))
    taxes: Floats = field(default_factory=lambda: np.zeros(0))
    added: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        n = len(self.countries) * len(self.sectors)
        i, j = np.indices((n, n))
        self.z = np.asarray(((7 * i + 3 * j) % 11 + 1.0) * 1000, dtype=np.float64)
        self.final = np.asarray(((5 * i[:, :6] + j[:, :6]) % 7 + 30.0) * 10_000, dtype=np.float64)
        output = self.z.sum(axis=1) + self.final.sum(axis=1)
        self.taxes = np.full(n, 500.0)
        self.added = output - self.z.sum(axis=0) - self.taxes

    @property
    def output(self) -> Floats:
        """(cs,) of every country and sector."""
        return np.asarray(self.z.sum(axis=1) + self.final.sum(axis=1))

    @property
    def labels(self) -> list[str]:
        """KOR_C20 and so on."""
        return [f"{c}_{s}" for c in self.countries for s in self.sectors]

    def of(self, country: str) -> slice:
        """Rows of a country."""
        k = self.countries.index(country) * len(self.sectors)
        return slice(k, k + len(self.sectors))


def text(rows: list[list[object]]) -> str:
    """Rows as CSV."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def icio(world: World, path: Path) -> Path:
    """The OECD's layout, edition of 2021 and later."""
    finals = [f"{c}_{use}" for c in world.countries for use in ("HFCE", "INVNT")]
    rows: list[list[object]] = [["V1", *world.labels, *finals, "OUT"]]
    for k, label in enumerate(world.labels):
        rows.append([label, *world.z[k], *world.final[k], world.output[k]])
    rows.append(["TLS", *world.taxes, *[0.0] * len(finals), ""])
    rows.append(["VA", *world.added, *[0.0] * len(finals), ""])
    rows.append(["OUT", *world.output, *[0.0] * len(finals), ""])
    for row in rows[-3:]:
        row[-1] = 0.0
    path.write_text(text(rows), "utf-8")
    return path


def wiod_world(world: World, path: Path) -> Path:
    """WIOD's world table of the release of 2016 as CSV."""
    n = len(world.sectors)
    names = [f"{c}{k + 1}" for c in world.countries for k in range(n)]
    finals = [f"{c}{k}" for c in world.countries for k in (57, 61)]
    rows: list[list[object]] = [
        ["IndustryCode", "IndustryDescription", "Country", "RNr", "Year", *names, *finals, "TOT"]
    ]
    for k, label in enumerate(world.labels):
        country, sector = label.split("_")
        rows.append(
            [
                sector,
                f"name of {sector}",
                country,
                k % n + 1,
                2014,
                *world.z[k],
                *world.final[k],
                world.output[k],
            ]
        )
    bottom = {"II_fob": world.z.sum(axis=0), "TXSP": world.taxes, "VA": world.added, "GO": world.output}
    for number, (code, values) in enumerate(bottom.items()):
        rows.append([code, code, "TOT", 65 + number, 2014, *values, *[0.0] * len(finals), 0.0])
    path.write_text(text(rows), "utf-8")
    return path


def wiod_national(world: World, country: str, path: Path) -> Path:
    """WIOD's national tables of the release of 2016: one sheet, years below one another."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "National IO-tables"
    uses = ["CONS_h", "INVEN", "EXP"]
    sheet.append(["Year", "Code", "Description", "Origin", *world.sectors, *uses, "GO"])
    sheet.append([None, None, None, None, *[f"name of {s}" for s in world.sectors], "a", "b", "c", "d"])
    home, here = world.of(country), world.countries.index(country)
    for year, factor in ((2013, 0.5), (2014, 1.0)):
        own = world.final[home, 2 * here : 2 * here + 2]
        abroad = world.output[home] - world.z[home, home].sum(axis=1) - own.sum(axis=1)
        for k, sector in enumerate(world.sectors):
            cells = [*world.z[home, home][k], *own[k], abroad[k], world.output[home][k]]
            sheet.append([year, sector, f"name of {sector}", "Domestic", *[factor * v for v in cells]])
        bought = (
            world.z[:, home].reshape(len(world.countries), len(world.sectors), -1).sum(axis=0)
            - world.z[home, home]
        )
        for k, sector in enumerate(world.sectors):
            sheet.append(
                [year, sector, f"name of {sector}", "Imports", *[factor * v for v in bought[k]], 0, 0, 0, 0]
            )
        for code, values in (
            ("II_fob", world.z[:, home].sum(axis=0)),
            ("TXSP", world.taxes[home]),
            ("VA", world.added[home]),
            ("GO", world.output[home]),
        ):
            sheet.append([year, code, code, "TOT", *[factor * float(v) for v in values]])
    book.save(path)
    return path


def bank_of_korea(path: Path, *, unit: str = "(단위: 백만원)", second: str = "수입거래표") -> Path:
    """The Bank of Korea's workbook: home and imported transactions of 2020."""
    codes, names = ["C05", "C10", "F"], ["화학제품", "전기장비", "건설"]
    home = np.array([[100.0, 60, 20], [10, 80, 30], [5, 5, 10]]) * 1e6
    abroad = np.array([[40.0, 30, 0], [20, 50, 5], [0, 0, 0]]) * 1e6
    final = np.array([[50.0, 300], [200, 100], [900, 10]]) * 1e6
    output = home.sum(axis=1) + final.sum(axis=1)
    added = output - home.sum(axis=0) - abroad.sum(axis=0)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "국산거래표"
    tail = ["중간수요계", "민간소비지출", "수출", "최종수요계", "총수요계", "총산출액"]
    top = [
        ["2020년 산업연관표(실측표) 국산거래표 생산자가격"],
        [unit],
        ["", "", *codes],
        ["", "", *names, *tail],
    ]
    for row in top:
        sheet.append(row)
    for k in range(3):
        sums = [home[k].sum(), *final[k], final[k].sum(), output[k], output[k]]
        sheet.append([codes[k], names[k], *home[k], *sums])
    for label, values in (
        ("국산중간투입계", home.sum(axis=0)),
        ("수입중간투입계", abroad.sum(axis=0)),
        ("피용자보수", added * 0.6),
        ("영업잉여", added * 0.4),
        ("부가가치계", added),
        ("총투입계", output),
    ):
        sheet.append(["", label, *[float(v) for v in values]])
    other = book.create_sheet(second)
    for row in ([f"2020년 산업연관표(실측표) {second} 생산자가격"], *top[1:]):
        other.append(row)
    shown = abroad if second == "수입거래표" else home + abroad
    for k in range(3):
        cells = [None if v == 0 else float(v) for v in shown[k]]
        other.append([codes[k], names[k], *cells, shown[k].sum(), 0, 0, 0, 0, 0])
    book.save(path)
    return path


def long_rows() -> list[list[object]]:
    """A list of cells of two sectors in million USD."""
    rows: list[list[object]] = [["year", "region", "block", "origin", "row", "column", "value", "unit"]]
    cells = [
        ("intermediate", "domestic", "a", "a", 15000),
        ("intermediate", "domestic", "a", "b", 50000),
        ("intermediate", "domestic", "b", "a", 20000),
        ("intermediate", "domestic", "b", "b", 10000),
        ("intermediate", "CHN", "a", "b", 5000),
        ("final", "domestic", "a", "exports", 35000),
        ("final", "domestic", "b", "households", 170000),
        ("value_added", "", "value_added", "a", 65000),
        ("value_added", "", "value_added", "b", 135000),
        ("output", "", "output", "a", 100000),
        ("output", "", "output", "b", 200000),
    ]
    return rows + [[2020, "KOR", *cell, "million USD"] for cell in cells]
