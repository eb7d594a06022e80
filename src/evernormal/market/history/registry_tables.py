"""Write the frozen registry from the shipped trade.

``python -m evernormal.market.history.registry_tables DIR`` writes the two tables into a folder.

Run it only to make another registry on purpose; a test compares what it gives with what is shipped.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from evernormal.data import scan_trade
from evernormal.market.history.episodes import build_registry
from evernormal.market.history.records import arrange

__all__ = ["registry_tables"]


def registry_tables() -> dict[str, str]:
    """Return the text of ``episodes.csv`` and ``rejected_episodes.csv`` by name."""
    trade = arrange(scan_trade().collect())
    kept, out = build_registry(trade)
    episodes = [
        (e.tier, e.code, e.year, "+".join(e.exporters), f"{e.lost:.4f}", e.split, e.policy) for e in kept
    ]
    rows = [
        (c.code, c.year, c.exporter, f"{c.share:.4f}", f"{c.cut:.4f}", " ".join(one.rules), one.policy)
        for one in out
        for c in (one.candidate,)
    ]
    return {
        "episodes.csv": _csv(("tier", "code", "year", "exporters", "lost", "split", "policy"), episodes),
        "rejected_episodes.csv": _csv(("code", "year", "exporter", "share", "cut", "rules", "policy"), rows),
    }


def _csv(header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


if __name__ == "__main__":
    for name, text in registry_tables().items():
        (Path(sys.argv[1]) / name).write_text(text, "utf-8")
