"""Published numbers of the room beside ours: what ``evernormal verify`` runs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from evernormal.result import Input, Lineage, Result, sha256_of
from evernormal.risk.european_union import eu_critical, eu_supply_risk_interval
from evernormal.risk.importance import economic_importance
from evernormal.risk.shares import herfindahl
from evernormal.risk.validations_dependence import Check, bands, breaks, package, trade_shares

__all__ = ["eu_2017", "validations"]

Numbers = npt.NDArray[np.float64]

_TABLE = Path(__file__).parent / "tables" / "eu_supply_risk_2017.csv"
_STUDY = (
    "European Commission 2017, Study on the review of the list of critical raw materials, tables 3, 18, 19"
)
_ROUNDING = 0.05


def validations() -> Result:
    """Compare what the room computes with published numbers.

    Returns:
        A Result of kind ``oracles`` with one table ``oracles``: name, published, ours, difference, tolerance
        (absolute, same unit), unit, passed, source.

    >>> bool(validations()["oracles"]["passed"].all())
    True
    """
    from evernormal import __version__  # noqa: PLC0415 - the package's own
    from evernormal.data import inputs  # noqa: PLC0415 - opens the snapshot

    rows = [_row(*check) for check in _checks()]
    unit = dict.fromkeys(("published", "ours", "difference", "tolerance"), "see column unit")
    typed = Input(_TABLE.name, sha256_of(_TABLE), _STUDY)
    used = (typed, *inputs("trade", "production", "governance"))
    return Result("oracles", {"oracles": pl.DataFrame(rows)}, {"oracles": unit}, Lineage(__version__, used))


def eu_2017() -> Result:
    """Return the study of 2017: its inputs, its scores, and the interval that their rounding allows (E108).

    Returns:
        Result ``eu-2017`` with table ``supply_risk``: material, stage, sourcing, concentration_global,
        concentration_eu, import_reliance, eol_recycling_input_rate (fractions), substitution, low, high,
        published, economic_importance (published), inside.

    >>> table = eu_2017()["supply_risk"]
    >>> table.height, int(table["inside"].sum())
    (78, 78)
    """
    from evernormal import __version__  # noqa: PLC0415 - the package's own

    with _TABLE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))

    def numbers(name: str, scale: float = 1.0) -> Numbers:
        return np.array([float(row[name]) / scale if row[name] else np.nan for row in rows])

    given = {
        "concentration_global": numbers("concentration_global"),
        "concentration_eu": numbers("concentration_eu"),
        "import_reliance": numbers("import_reliance_percent", 100),
        "eol_recycling_input_rate": numbers("eol_recycling_input_rate_percent", 100),
        "substitution": numbers("substitution"),
    }
    words = np.array([row["sourcing"] for row in rows])
    low, high = eu_supply_risk_interval(
        given["concentration_global"],
        given["concentration_eu"],
        given["import_reliance"],
        given["eol_recycling_input_rate"],
        given["substitution"],
        words,
    )
    published = numbers("supply_risk")
    inside = (published >= low - _ROUNDING - 1e-9) & (published <= high + _ROUNDING + 1e-9)
    table = pl.DataFrame(
        {name: [row[name] for row in rows] for name in ("material", "stage", "sourcing")}
        | {name: pl.Series(values, nan_to_null=True) for name, values in given.items()}
        | {"low": low, "high": high, "published": published}
        | {"economic_importance": numbers("economic_importance"), "inside": inside}
    )
    units = {name: "1" for name, dtype in table.schema.items() if dtype.is_float()}
    typed = Input(_TABLE.name, sha256_of(_TABLE), _STUDY)
    return Result("eu-2017", {"supply_risk": table}, {"supply_risk": units}, Lineage(__version__, (typed,)))


def _checks() -> list[Check]:
    own = (*_supply_risk(), *_importance(), *_concentration())
    return [*own, *package(), *trade_shares(), *bands(), *breaks()]


def _supply_risk() -> list[Check]:
    table = eu_2017()["supply_risk"]
    inside = int(table["inside"].sum())
    outside = table.filter(~pl.col("inside"))["material"].to_list()
    source = _STUDY if not outside else f"{_STUDY}; outside: {', '.join(outside)}"
    name = "EU 2017 supply risk, materials inside what the rounding of their inputs allows"
    return [(name, float(table.height), float(inside), 0.0, source)]


def _importance() -> list[Check]:
    """Materials with all their use in one sector and no substitute need no unpublished index."""
    source = "European Commission 2023, Study on the critical raw materials for the EU, annexes 4 and 6"
    largest = 204200
    aggregates = float(economic_importance([1.0], [64990], largest=largest))
    critical = eu_critical([3.9, 0.5, 0.1, 1.0], [3.7, 5.7, 4.0, 3.1])
    return [
        ("EU 2023 economic importance of aggregates (all use in C23)", 3.2, aggregates, _ROUNDING, source),
        ("EU 2023 thresholds: gallium and coking coal critical, nickel and copper not", 2.0,
         float(critical.sum()), 0.0, source),
    ]  # fmt: skip


def _concentration() -> list[Check]:
    source = (
        "U.S. Department of Justice, Herfindahl-Hirschman index: firms of 30, 30, 20 and 20 per cent, 2,600"
    )
    found = float(herfindahl([0.3, 0.3, 0.2, 0.2]) * 10_000)
    return [("Herfindahl-Hirschman index of four firms", 2600.0, found, 1e-9, source)]


def _row(name: str, published: float, ours: float, tolerance: float, source: str) -> dict[str, object]:
    return {
        "name": name,
        "published": published,
        "ours": ours,
        "difference": ours - published,
        "tolerance": tolerance,
        "unit": "1",
        "passed": bool(abs(ours - published) <= tolerance),
        "source": source,
    }
