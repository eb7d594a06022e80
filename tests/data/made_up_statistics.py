"""Small stand-ins for releases of the USGS and files of the BGS: true layout, figures typed or made up."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

LONG_HEADER = (
    "MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year",
    "Value", "Notes", "Is critical mineral 2025", "Other notes",
)  # fmt: skip
GALLIUM_NOTE = "(Data in kilograms, gallium content, unless otherwise specified)"
RARE_NOTE = "(Data in metric tons, rare-earth-oxide (REO) equivalent, unless otherwise specified)"
WORLD_2025 = (
    "SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS", "PROD_2023", "PROD_EST_ 2024", "PROD_NOTES",
    "CAP_2023", "CAP_EST_ 2024", "CAP_NOTES", "RESERVES_2024", "RESERVE_NOTES",
)  # fmt: skip
BGS_HEADER = (
    "x", "y", "country_trans", "bgs_sub_commodity_trans", "sdmx_code", "country_iso2_code",
    "sdmx_translation", "country_iso3_code", "units", "year", "yearbook_table_trans", "quantity",
    "concat_table_notes_text",
    "bgs_commodity_code", "quantity_in_book_style", "concat_figure_notes_code", "bgs_statistic_type_trans",
    "bgs_commodity_trans", "data_precision_description", "concat_figure_notes_text",
)  # fmt: skip
EVERYWHERE = {
    "Namibia": "NAM", "Taiwan": "TWN", "United States": "USA", "France": "FRA", "Switzerland": "CHE",
    "Norway": "NOR", "India": "IND", "Serbia": "SRB", "Sudan": "SDN", "Kosovo": "XKX",
}  # fmt: skip
"""Countries that must arrive as themselves from every source, as the USGS writes them."""


def text_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV text as the publishers write it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def long_row(
    country: str = "China",
    value: str = "900,000",
    *,
    year: str = "2025",
    notes: str = "Estimated.",
    **more: str,
) -> list[str]:
    """One row of the long table: gallium production unless said otherwise."""
    cells = {
        "MCS chapter": "GALLIUM",
        "Section": "World Low-Purity Production and Production Capacity",
        "Commodity": "Gallium",
        "Country": country,
        "Statistics": "Production",
        "Statistics_detail": "Primary production",
        "Unit": "kilograms",
        "Year": year,
        "Value": value,
        "Notes": notes,
        "Is critical mineral 2025": "Yes",
        "Other notes": GALLIUM_NOTE,
    }
    cells |= {
        name.replace("_", " ") if name in ("Other_notes",) else name: text for name, text in more.items()
    }
    return [cells[name] for name in LONG_HEADER]


def gallium_2026() -> list[list[str]]:
    """The gallium table of the 2026 release: China 900 of 900 t in 2025."""
    rows = []
    for year, china, russia, world in (
        ("2024", "839,000", "6,000", "848,000"),
        ("2025", "900,000", "6,000", "900,000"),
    ):
        rows += [
            long_row("United States", "—", year=year, notes=""),
            long_row(
                "China",
                china,
                year=year,
                notes="Source: Asian Metal Ltd." if year == "2024" else "Estimated.",
            ),
            long_row("Japan", "3,000", year=year),
            long_row("Russia", russia, year=year),
            long_row("Other countries", "—", year=year, notes=""),
            long_row("World total", world, year=year, Statistics_detail="Primary production: rounded"),
        ]
    return rows


def write_2026(folder: Path, rows: Iterable[Sequence[str]] | None = None, name: str = "") -> Path:
    """A release of 2026 as the publisher writes it: Windows 1252."""
    path = folder / (name or "MCS2026_Commodities_Data.csv")
    path.write_bytes(text_of(LONG_HEADER, gallium_2026() if rows is None else rows).encode("cp1252"))
    return path


def bgs_row(
    country: str = "China",
    quantity: str = "621",
    *,
    year: int = 2023,
    commodity: str = "gallium, primary",
    **more: str,
) -> list[str]:
    """One row of the BGS service: gallium unless said otherwise."""
    cells = dict.fromkeys(BGS_HEADER, "") | {
        "country_trans": country,
        "sdmx_code": "A",
        "units": "tonnes (metric)",
        "year": f"{year}-01-01 00:00:00",
        "quantity": quantity,
        "bgs_commodity_code": "20242",
        "bgs_statistic_type_trans": "Production",
        "bgs_commodity_trans": commodity,
    }
    cells |= more
    return [cells[name] for name in BGS_HEADER]


def write_bgs(folder: Path, rows: Iterable[Sequence[str]], name: str = "BGS_gallium_production.csv") -> Path:
    """A file of the BGS service."""
    path = folder / name
    path.write_text(text_of(BGS_HEADER, rows), "utf-8")
    return path
