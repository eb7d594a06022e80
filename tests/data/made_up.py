"""Small stand-ins for the publishers' files, with the same layout as the real ones."""

from __future__ import annotations

import dataclasses
import hashlib
import sqlite3
import zipfile
from pathlib import Path

from evernormal.data.publishers.registry import Carrier, Source, carrier, sources
from evernormal.data.publishers.world_mining_data import minerals

UNITS = {"t": "metr. t", "kg": "kg", "carat": "ct", "million m3": "Mio m3"}
TRADE = [
    ("2023", "156", "410", 282520, "4918.5", "93.4"),
    ("2023", "152", "410", 282520, "1000.125", None),
    ("1998", "58", "842", 260300, "88.981", "194.46"),
    ("2022", "490", "251", 10310, "0.001", "0.001"),
]
BACI_CSV = (
    "t,i,j,k,v,q\n2023,156,410,850511,1234.567,12.5\n2023,490,410,850511,10.1,NA\n2023,842,410,10110,5,\n"
)
BACI_NAME = "BACI_HS17_Y2023_V202501.csv"


def trade_database(path: Path, rows: list[tuple[object, ...]] | None = None) -> None:
    """A BACI database as the wheel packs it."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE baci_trade (t TEXT, i TEXT, j TEXT, k INTEGER, v TEXT, q TEXT)")
        connection.executemany(
            "INSERT INTO baci_trade VALUES (?, ?, ?, ?, ?, ?)", TRADE if rows is None else rows
        )
    connection.close()


def production_database(path: Path) -> None:
    """A World Mining Data database as the wheel packs it: every mineral, two countries and the total."""
    with sqlite3.connect(path) as connection:
        for name, mineral in minerals().items():
            unit = UNITS[mineral.unit]
            connection.execute(
                f'CREATE TABLE "{name}" (Country TEXT, Country_Code TEXT, Country_ISO TEXT,'
                ' "2018" REAL, "2019" REAL, unit TEXT, data_source TEXT)'
            )
            rows = [
                ("Namibia", "516", "NAM", 10.0, None, unit, "r"),
                ("Taiwan", "490", "S19", 5.0, 0.0, unit, "e"),
                ("Total", "DELETE", "DELETE", 15.0, 0.0, unit, "nan"),
            ]
            connection.executemany(f'INSERT INTO "{name}" VALUES (?, ?, ?, ?, ?, ?, ?)', rows)
    connection.close()


def governance_database(path: Path) -> None:
    """A governance database as the wheel packs it, with an estimate that is missing and normalized to 0."""
    values = {
        "Estimate": ("0.5", "nan", "-0.5"),
        "StdErr": ("0.2", "nan", "0.2"),
        "NumSrc": ("9.0", "nan", "9.0"),
        "Rank": ("60.0", "nan", "57.3"),
        "Lower": ("50.0", "nan", "50.0"),
        "Upper": ("70.0", "nan", "65.0"),
        "Normalized": ("0.4", "0.0", "0.6"),
    }
    with sqlite3.connect(path) as connection:
        for name, cells in values.items():
            connection.execute(
                f'CREATE TABLE "{name}" ("Country/Territory" TEXT, Code TEXT,'
                ' "2021" TEXT, "2022" TEXT, "2023" TEXT, country_code TEXT)'
            )
            row = ("Namibia", "NAM", *cells, "516")
            connection.execute(f'INSERT INTO "{name}" VALUES (?, ?, ?, ?, ?, ?)', row)
    connection.close()


def wheel(
    folder: Path, trade: list[tuple[object, ...]] | None = None
) -> tuple[Path, Carrier, dict[str, Source]]:
    """A wheel of made-up databases, and the pins that fit it."""
    folder.mkdir(parents=True, exist_ok=True)
    makers = {
        "baci": lambda path: trade_database(path, trade),
        "wmd": production_database,
        "wgi": governance_database,
    }
    pins = {}
    path = folder / "made_up.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, make in makers.items():
            database = folder / f"{key}.db"
            database.unlink(missing_ok=True)
            make(database)
            archive.writestr(zipfile.ZipInfo(sources()[key].member), database.read_bytes())
            digest = hashlib.sha256(database.read_bytes()).hexdigest()
            pins[key] = dataclasses.replace(sources()[key], sha256=digest)
    content = path.read_bytes()
    pinned = dataclasses.replace(carrier(), sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    return path, pinned, pins


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
