"""World tables: OECD ICIO and WIOD as CSV, of which the countries that are asked for are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.data.geography import aliases
from evernormal.data.publishers.adapters import Asked
from evernormal.data.publishers.input_output_cells import DOMESTIC, Accounts
from evernormal.data.publishers.text import Problems
from evernormal.errors import InputError, SourceFormatError, nearest

__all__ = ["read_icio", "read_wiod_world"]

Floats = NDArray[np.float64]

ICIO_FINAL = {
    "HFCE": "households",
    "NPISH": "non-profit institutions",
    "GGFC": "government",
    "GFCF": "fixed capital",
    "INVNT": "changes in inventories",
    "DPABR": "purchases abroad by residents",
    "NONRES": "purchases by non-residents",
    "P33": "purchases abroad by residents",
    "DISC": "discrepancy",
}
WIOD_FINAL = {"57": "CONS_h", "58": "CONS_np", "59": "CONS_g", "60": "GFCF", "61": "INVEN"}
_SPLIT = {"CN1": "CHN", "CN2": "CHN", "MX1": "MEX", "MX2": "MEX", "ROM": "ROU", "RoW": "ROW"}
_EXPORTS = "exports"


@dataclass(frozen=True)
class _World:
    """A world table as labels and a reader of its columns; labels are (country, sector or final use)."""

    name: str
    year: int
    classification: str
    rows: tuple[tuple[str, str], ...]
    columns: Mapping[str, tuple[str, str]]
    value_added: tuple[int, ...]
    taxes: tuple[int, ...]
    output: int
    names: Mapping[str, str]
    finals: Mapping[str, str]
    frame: pl.DataFrame


def read_icio(path: Path, asked: Asked) -> Sequence[Accounts]:
    """Return the accounts of the countries asked for, from an edition of the inter-country tables.

    Rows are ``KOR_C26`` and so on, then taxes less subsidies (``TLS``, one row, or one per country), value
    added and output; columns the same sectors, final uses (``KOR_HFCE``) and a total.
    """
    frame = _numbers(path, 1)
    labels = frame.to_series(0).to_list()
    rows = [_icio_label(label) for label in labels]
    last = {"VA": "VA", "VALU": "VA", "OUT": "OUT", "OUTPUT": "OUT", "TOTAL": "OUT"}
    bottom = {last.get(label.upper()): k for k, label in enumerate(labels)}
    if bottom.get("VA") is None or bottom.get("OUT") is None:
        raise SourceFormatError(
            "the rows VA and OUT are missing",
            where=path.name,
            cure="The download may be cut off; get it again.",
        )
    columns = {c: _icio_label(c) for c in frame.columns[1:] if _icio_label(c)[0]}
    taxes = tuple(k for k, label in enumerate(labels) if label == "TLS" or label.endswith("_TAXSUB"))
    kept = tuple(("", "") if k in taxes else row for k, row in enumerate(rows))
    world = _World(
        path.name,
        _year(path, None),
        "icio",
        kept,
        columns,
        (bottom["VA"],),
        taxes,
        bottom["OUT"],
        {},
        ICIO_FINAL,
        frame,
    )
    return [_national(world, code) for code in _wanted(world, asked)]


def read_wiod_world(path: Path, asked: Asked) -> Sequence[Accounts]:
    """Return the accounts of the countries asked for, from WIOD's world table of 2016 as CSV.

    Columns ``IndustryCode, IndustryDescription, Country, RNr`` (and ``Year``), then ``KOR1`` to ``KOR56``,
    the five final uses ``KOR57`` to ``KOR61``, and ``TOT``.
    """
    heads = ("IndustryCode", "IndustryDescription", "Country", "RNr", "Year")
    frame = _numbers(path, heads)
    lead = [c for c in heads if c in frame.columns]
    industries, countries = frame["IndustryCode"].to_list(), frame["Country"].to_list()
    bottom = {code: k for k, (code, c) in enumerate(zip(industries, countries, strict=True)) if c == "TOT"}
    missing = [code for code in ("VA", "GO") if code not in bottom]
    if missing:
        raise SourceFormatError(
            f"the row {missing[0]} is missing", where=path.name, cure="Download it again."
        )
    order = [i for i, c in zip(industries, countries, strict=True) if c == countries[0]]
    rows = tuple(
        ("", "") if c == "TOT" else (_SPLIT.get(c, c), i) for i, c in zip(industries, countries, strict=True)
    )
    columns = {}
    for column in frame.columns:
        found = re.fullmatch(r"([A-Za-z]{3})(\d{1,2})", column)
        if found and column not in lead:
            number = int(found[2])
            sector = order[number - 1] if number <= len(order) else WIOD_FINAL.get(found[2], found[2])
            columns[column] = (_SPLIT.get(found[1], found[1]), sector)
    taxes = tuple(bottom[c] for c in ("II_fob", "TXSP", "EXP_adj", "PURR", "PURNR", "IntTTM") if c in bottom)
    taxes = tuple(k for k in taxes if industries[k] != "II_fob")
    names = dict(zip(industries, frame["IndustryDescription"].to_list(), strict=True))
    stated = frame["Year"][0] if "Year" in frame.columns else None
    finals = {v: v for v in WIOD_FINAL.values()}
    world = _World(
        path.name,
        _year(path, stated),
        "wiod2016",
        rows,
        columns,
        (bottom["VA"],),
        taxes,
        bottom["GO"],
        names,
        finals,
        frame,
    )
    return [_national(world, code) for code in _wanted(world, asked)]


def _numbers(path: Path, leads: int | tuple[str, ...]) -> pl.DataFrame:
    """Read a CSV whose columns after the first ones hold numbers; every cell that holds none is named."""
    try:
        head = pl.read_csv(path, n_rows=0, infer_schema_length=0)
        text = head.columns[:leads] if isinstance(leads, int) else [c for c in leads if c in head.columns]
        frame = pl.read_csv(path, infer_schema_length=0)
    except pl.exceptions.PolarsError as error:
        raise SourceFormatError(
            str(error).splitlines()[0], where=path.name, cure="Download it again."
        ) from error
    if len(set(head.columns)) < len(head.columns) or any("_duplicated_" in c for c in head.columns):
        twice = next(c for c in head.columns if "_duplicated_" in c)
        raise SourceFormatError(f"column {twice.split('_duplicated_')[0]} is there twice", where=path.name)
    numeric = [c for c in frame.columns if c not in text]
    parsed = frame.with_columns(pl.col(numeric).str.strip_chars().cast(pl.Float64, strict=False))
    faults = parsed.select(pl.col(numeric).null_count()).row(0)
    problems = Problems(path.name)
    for column, count in zip(numeric, faults, strict=True):
        if count:
            for row in parsed[column].is_null().arg_true().to_list()[:3]:
                problems.add(row + 2, column, f"{frame[column][row]!r} is no number")
    problems.raise_if_any()
    return parsed


def _icio_label(label: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Z0-9]{3})_([A-Z0-9]+(?:_[A-Z0-9]+)?)", label)
    return (_SPLIT.get(found[1], found[1]), found[2]) if found else ("", "")


def _year(path: Path, stated: object) -> int:
    found = re.findall(
        r"(?<!\d)(19[5-9]\d|20[0-4]\d)(?!\d)", str(stated) if stated is not None else path.stem
    )
    if not found:
        raise InputError(
            "the year of the table is not in the file's name",
            where=path.name,
            cure="Name it like 2020_SML.csv.",
        )
    return int(found[-1])


def _wanted(world: _World, asked: Asked) -> list[str]:
    known = sorted({country for country, _ in world.rows if country})
    if asked.codes is None:
        if len(known) > 3:
            raise InputError(
                f"the table holds {len(known)} countries",
                where=world.name,
                cure="Say which to keep, like --code KOR; more than one is fine.",
            )
        return [c for c in known if c in aliases("iso3")]
    for code in asked.codes:
        if code not in known:
            near = nearest(code, known) or known[:8]
            raise InputError(
                f"the table has no country {code!r}", where=world.name, cure=f"It has {', '.join(near)}."
            )
    return sorted(set(asked.codes))


def _national(world: _World, country: str) -> Accounts:
    """Cut one country out of a world table; parts of a split country are added up."""
    sectors = tuple(dict.fromkeys(s for c, s in world.rows if c == country))
    place = {s: k for k, s in enumerate(sectors)}
    n = len(sectors)
    mine = [(name, label[1]) for name, label in world.columns.items() if label[0] == country]
    buying = [(name, s) for name, s in mine if s in place]
    _require_same(world, country, sectors, {s for _, s in buying})
    using = np.array([place[s] for _, s in buying])
    block = world.frame.select([name for name, _ in buying]).to_numpy()
    origins = np.array([c for c, _ in world.rows])
    delivering = np.array([place.get(s, -1) for _, s in world.rows])
    matrices: dict[str, Floats] = {}
    for origin in sorted({c for c, _ in world.rows if c}):
        rows = np.flatnonzero((origins == origin) & (delivering >= 0))
        matrix = np.zeros((n, n))
        np.add.at(matrix, (delivering[rows][:, None], using[None, :]), block[rows])
        if origin == country or matrix.any():
            matrices[origin] = matrix
        foreign = np.flatnonzero((origins == origin) & (delivering < 0))
        if len(foreign):
            raise SourceFormatError(
                f"{origin} has the sector {world.rows[foreign[0]][1]}, {country} has not",
                where=f"{world.name} row {foreign[0] + 2}",
            )
    domestic = matrices.pop(country)
    final, uses, use_names = _final(world, country, place, mine)
    column = {s: name for name, s in buying}

    def vector(rows: tuple[int, ...]) -> Floats:
        out = np.zeros(n)
        for row in rows:
            np.add.at(out, using, block[row])
        return out

    row_of = {(c, s): k for k, (c, s) in enumerate(world.rows)}
    bottom = {"value added": world.value_added[0], "output": world.output}
    return Accounts(
        country,
        world.year,
        "million USD",
        world.classification,
        sectors,
        {s: str(world.names[s]) for s in sectors if s in world.names},
        domestic,
        matrices,
        final,
        uses,
        use_names,
        vector(world.value_added),
        vector(world.taxes),
        vector((world.output,)),
        lambda row, col, origin=country: (
            bottom.get(row, row_of.get((country if origin == DOMESTIC else origin, row), 0)) + 2,
            column.get(col, "total"),
        ),
    )


def _require_same(world: _World, country: str, sectors: tuple[str, ...], columns: set[str]) -> None:
    missing = sorted(set(sectors) - columns)
    if missing or not sectors:
        raise SourceFormatError(
            f"sector {', '.join(missing) or 'none'} of {country} has a row and no column",
            where=world.name,
            cure="The download may be cut off; get it again.",
        )


def _final(
    world: _World, country: str, place: Mapping[str, int], mine: list[tuple[str, str]]
) -> tuple[Floats, tuple[str, ...], dict[str, str]]:
    """Return what the country's sectors deliver to its own final uses and, in one column, abroad."""
    own = np.array([k for k, (c, _) in enumerate(world.rows) if c == country])
    sectors = np.array([place[world.rows[k][1]] for k in own])
    finals = [(name, use) for name, use in mine if use not in place]
    uses = tuple(dict.fromkeys(use for _, use in finals))
    out = np.zeros((len(place), len(uses) + 1))
    where = {use: k for k, use in enumerate(uses)}
    for name, use in finals:
        np.add.at(out[:, where[use]], sectors, world.frame[name].to_numpy()[own])
    abroad = [name for name, label in world.columns.items() if label[0] != country]
    if abroad:
        sent = world.frame.select(abroad).to_numpy()[own]
        np.add.at(out[:, -1], sectors, np.array([float(row.sum()) for row in sent]))
    names = {use: world.finals.get(use, use) for use in uses} | {_EXPORTS: "exports"}
    return out, (*uses, _EXPORTS), names
