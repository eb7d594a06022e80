"""SQL over the snapshot and the store reads, and only reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from evernormal.data import add, query, trade
from evernormal.errors import InputError

from .made_up import tree


def test_views_agree_with_readers() -> None:
    rows = query(
        "SELECT sum(value_usd), count(quantity_t) FROM trade WHERE code = '282520' AND importer = 'KOR'"
    )
    flows = trade(["282520"], importers=["KOR"])
    assert rows.row(0) == (pytest.approx(flows["value_usd"].sum()), flows["quantity_t"].count())
    assert query("SELECT iso2 FROM countries WHERE iso3 = 'NAM'").item() == "NA"


def test_data_sets_of_the_store_are_views(tmp_path: Path, baci_file: Path) -> None:
    add("baci", baci_file, tmp_path / "store")
    rows = query(
        'SELECT exporter, revision, code, quantity_t FROM "baci-hs2017" ORDER BY code DESC, exporter',
        tmp_path / "store",
    )
    assert rows.rows() == [
        ("CHN", "HS2017", "850511", 12.5),
        ("TWN", "HS2017", "850511", None),
        ("USA", "HS2017", "010110", None),
    ]


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("DROP VIEW trade", "only one SELECT"),
        ("SELECT 1; SELECT 2", "only one SELECT"),
        ("COPY (SELECT 1) TO 'x.csv'", "only one SELECT"),
        ("SELECT * FROM read_csv('/etc/hostname')", "Permission Error"),
        ("SELECT * FROM trades", "trades"),
        ("SELEC 1", "Parser Error"),
        ("", "only one SELECT"),
    ],
)
def test_anything_but_reading_is_refused(tmp_path: Path, baci_file: Path, sql: str, match: str) -> None:
    """Law 12: one clear message, stored data unchanged."""
    add("baci", baci_file, tmp_path / "store")
    before = tree(tmp_path)
    with pytest.raises(InputError, match=match):
        query(sql, tmp_path / "store")
    assert tree(tmp_path) == before
