"""Where goods may pass through a hub: the hub ships what the buyer books as another country's goods.

Exports are declared by destination and imports by origin.  A hub that sells on therefore reports exports
that the buyer does not book from it, while the buyer books more from the origin than the origin says it sent
there.
"""

from __future__ import annotations

import polars as pl

from evernormal.data.mirror_pairs import amount

__all__ = ["passing_through"]

_TIMES = 2.0
"""A hub must report at least so many times what the buyer books from it; below, reports differ anyway."""

_KEY = ["period", "code", "importer"]
_COLUMNS = [
    "period",
    "code",
    "hub",
    "importer",
    "hub_reports",
    "importer_reports_hub",
    "hub_re_exports",
    "hub_buys",
]
_COLUMNS += ["origin", "origin_reports", "importer_reports_origin", "through_hub"]


def passing_through(
    pairs: pl.DataFrame, level: pl.DataFrame, reporting: pl.DataFrame, by: str
) -> pl.DataFrame:
    """Return the flows that may be goods of another origin passing through a hub.

    A row needs all of it: the hub reports at least twice what the buyer books from it; the buyer books more
    from the origin than the origin says it sent there; the hub has bought the goods from that origin; and
    hub, buyer and origin all report trade of the period, so that silence means something.

    Args:
        pairs: flows with ``exporter_reports`` and ``importer_fob``.
        level: declarations, for the re-exports that the hub itself declares.
        reporting: period, flow, country of what is reported at all.
        by: ``value`` or ``quantity``.

    Returns:
        period, code, hub, importer, hub_reports, importer_reports_hub (0 where the buyer books nothing from
        it), hub_re_exports (what the hub declares as re-export to the buyer; null where it does not say),
        hub_buys (of the hub from the origin), origin, origin_reports (0 where it reports none),
        importer_reports_origin, through_hub: the most that may have passed, the least of the two gaps and of
        what the hub bought.  It explains; it does not prove.
    """
    says = {
        flow: reporting.filter(pl.col("flow") == flow).select("period", "country")
        for flow in ("import", "export")
    }
    reports = pairs.select(
        *_KEY,
        "exporter",
        sent=pl.col("exporter_reports").fill_null(0.0),
        booked=pl.col("importer_fob").fill_null(0.0),
    )
    for flow, side in (("export", "exporter"), ("import", "importer")):
        reports = reports.join(says[flow].rename({"country": side}), on=["period", side], how="semi")
    over = reports.filter(pl.col("sent") > _TIMES * pl.col("booked"), pl.col("sent") > 0)
    under = reports.filter(pl.col("booked") > pl.col("sent"))
    bought = pl.max_horizontal("exporter_reports", "importer_fob")
    hub_buys = pairs.select("period", "code", origin="exporter", hub="importer", hub_buys=bought)
    joined = (
        over.rename({"exporter": "hub", "sent": "hub_reports", "booked": "importer_reports_hub"})
        .join(
            under.rename(
                {"exporter": "origin", "sent": "origin_reports", "booked": "importer_reports_origin"}
            ),
            on=_KEY,
        )
        .filter(pl.col("hub") != pl.col("origin"))
        .join(hub_buys, on=["period", "code", "origin", "hub"])
        .join(_re_exports(level, by), on=["period", "code", "hub", "importer"], how="left")
    )
    gaps = (
        pl.col("hub_reports") - pl.col("importer_reports_hub"),
        pl.col("importer_reports_origin") - pl.col("origin_reports"),
        pl.col("hub_buys"),
    )
    found = joined.with_columns(pl.min_horizontal(*gaps).alias("through_hub")).select(_COLUMNS)
    return found.sort("period", "code", "importer", "hub", "origin")


def _re_exports(level: pl.DataFrame, by: str) -> pl.DataFrame:
    rows = level.filter(pl.col("flow") == "re-export")
    key = [
        pl.col("period"),
        pl.col("code"),
        pl.col("reporter").alias("hub"),
        pl.col("partner").alias("importer"),
    ]
    return rows.group_by(key).agg(amount(by).alias("hub_re_exports"))
