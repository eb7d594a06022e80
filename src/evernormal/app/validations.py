"""Every room's published numbers beside ours, in the order of the rooms.

A room takes part by having a module ``validations`` with a function of that name, which returns a Result of
kind ``oracles``; nothing else needs to be told.
"""

from __future__ import annotations

import importlib
import importlib.util

import polars as pl

from evernormal.result import Finding, Input, Lineage, Result

__all__ = ["ROOMS", "run_validations"]

ROOMS = ("data", "network", "market", "risk", "prepare", "respond", "report")
"""Rooms that may offer validations, from above to below."""


def run_validations() -> Result:
    """Run what every room offers.

    Returns:
        Result ``oracles`` with table ``oracles``: room, name, published, ours, difference, tolerance, unit,
        passed, source; findings and inputs of every room.
    """
    from evernormal import __version__

    tables: list[pl.DataFrame] = []
    inputs: list[Input] = []
    findings: list[Finding] = []
    for room in ROOMS:
        name = f"evernormal.{room}.validations"
        if importlib.util.find_spec(name) is None:
            continue
        found: Result = importlib.import_module(name).validations()
        tables.append(found["oracles"].select(pl.lit(room).alias("room"), pl.all()))
        inputs += found.lineage.inputs
        findings += found.findings
    units = dict.fromkeys(("published", "ours", "difference", "tolerance"), "see column unit")
    table = pl.concat(tables, how="vertical_relaxed")
    return Result("oracles", {"oracles": table}, {"oracles": units}, Lineage(__version__, tuple(inputs)),
                  tuple(findings))  # fmt: skip
