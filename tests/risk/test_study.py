"""The study of 2023 made again from its own tables."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from evernormal import data
from evernormal.data.publishers.eu_crm import EDITIONS
from evernormal.errors import NotCoveredError, UnknownNameError
from evernormal.risk import eu_criticality_table, eu_economic_importance_table, eu_supply_risk_table

SHARED = Path(__file__).parents[3] / "shared" / "data" / "eu_crm"
FILES = {
    "world_2023.csv": "Material,Stage,Country,Share,t\nTin,P,China,60%,1.5\nTin,P,Peru,39.95%,1\n"
    "Tin,P,Norway,<0.1%,1\n",
    "sourcing_2023.csv": "Material,Stage,Country,Share,t\nTin,P,Peru,80%,1\nTin,P,France,20%,0.8\n",
    "uses_2023.csv": "Material,Application,Share,NACE sector,VA in million €\n"
    "Tin,Solder,75%,C26 - Computers,77000\nTin,Other,25%,,\nGold,All,100%,C28 - Machinery,204200\n",
    "scores.csv": "Material,Year,SR,EI\nTin,2017,0.8,4.4\nTin,2020,0.9,4.2\nTin,2023,0.9,2.9\n"
    "Gold,2023,0.4,2.4\n",
}
LEVEL = {"CHN": 5.0, "PER": 4.0, "NOR": 1.0, "FRA": 3.0}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a made-up study."""
    folder = tmp_path_factory.mktemp("study")
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
        data.add("eu-crm", folder / name, folder / "store")
    return folder / "store"


def test_supply_risk_by_hand(store: Path) -> None:
    known = {"import_reliance": 0.5, "eol_recycling_input_rate": 0.3, "substitution": 0.9}
    given = {name: {"tin": value} for name, value in known.items()}
    table = eu_supply_risk_table(store, governance=LEVEL, **given)["supply_risk"]  # type: ignore[arg-type]
    row = table.row(0, named=True)
    world = 0.6**2 * 5 * 1.5 + 0.3995**2 * 4
    union = 0.8**2 * 4 + 0.2**2 * 3 * 0.8
    assert row["hhi_global_low"] == pytest.approx(world)
    assert row["hhi_global_high"] == pytest.approx(world + 0.001**2, abs=1e-6)
    assert row["hhi_eu_low"] == row["hhi_eu_high"] == pytest.approx(union)
    both = (world * 0.25 + union * 0.75) * 0.7 * 0.9
    assert row["supply_risk_low"] <= both <= row["supply_risk_high"]
    assert row["published"] == 0.9 and row["agrees"] is False


def test_a_supplier_without_governance_widens_the_ends(store: Path) -> None:
    """Law 2: neither 0 nor 5."""
    level = {name: value for name, value in LEVEL.items() if name != "CHN"}
    row = eu_supply_risk_table(store, governance=level)["supply_risk"].row(0, named=True)
    assert row["hhi_global_high"] - row["hhi_global_low"] == pytest.approx(0.36 * 15, abs=1e-4)


def test_a_use_without_a_sector_widens_the_ends(store: Path) -> None:
    """Law 2."""
    table = eu_economic_importance_table(store, substitution={"tin": 1.0})["economic_importance"]
    row = table.filter(material="tin").row(0, named=True)
    low = 0.75 * 77000 / 20420
    assert row["economic_importance_low"] == pytest.approx(low)
    assert row["economic_importance_high"] == pytest.approx(low + 2.5)
    gold = eu_economic_importance_table(store)["economic_importance"].filter(material="gold")
    assert gold["substitution_implied"].item() == pytest.approx(0.24)


def test_the_study_is_made_again_from_its_lineage(store: Path) -> None:
    """Law 6: the call names its data sets, and the study made again opens to the same numbers."""
    from evernormal.report.explaining import explain
    from evernormal.report.making import made_again

    for result in (eu_supply_risk_table(store, governance=LEVEL), eu_economic_importance_table(store)):
        again = made_again(result, store)
        name = next(iter(result.tables))
        assert again[name].equals(result[name]) and again.lineage.call == result.lineage.call
        material = result[name]["material"][0]
        column = next(c for c, t in result[name].schema.items() if t.is_float())
        keys = f"material={material}" + (
            f",stage={result[name]['stage'][0]}" if "stage" in result[name] else ""
        )
        assert explain(result, f"{name}.{column}[{keys}]", folder=store).checked == "again"


def test_what_was_not_yet_published_is_not_used(store: Path) -> None:
    """Law 11: every data set is of 2023; nothing of it was knowable in 2021."""
    with pytest.raises(NotCoveredError):
        eu_criticality_table(store, as_of="2021-01-01")
    assert set(eu_criticality_table(store, as_of="2023-12-31")["criticality"]["year"]) == {2017, 2020, 2023}


def test_a_study_that_was_not_added_is_named(tmp_path: Path) -> None:
    """Law 12."""
    with pytest.raises(UnknownNameError, match="eu-crm-2023-world-supply"):
        eu_supply_risk_table(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the study's own tables, where they stand beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the tables of the study of 2023 are not beside the repository")
    folder = tmp_path_factory.mktemp("published")
    for name in ("fact_GlobalSupplyShares&t", "fact_EUSupplyShares&t", "fact_MaterialUseShares",
                 "dimension_CRMsOverTime"):  # fmt: skip
        data.add("eu-crm", SHARED / f"{name}.csv", folder)
    return folder


def test_thresholds_give_the_published_lists(published: Path) -> None:
    """Listed: 30 in 2020; 34 in 2023, copper and nickel as strategic only; 27 in 2017, coking coal below."""
    table = eu_criticality_table(published)["criticality"]
    counts = dict(table.group_by("year").agg(pl.col("critical").sum()).iter_rows())
    assert counts == {2017: 26, 2020: 30, 2023: 32}
    assert set(EDITIONS) >= set(counts)


def test_supply_risk_of_2023_lies_between_the_ends(published: Path) -> None:
    """67 of 68; the heavy rare earths are a group of which the world table lists the members only."""
    result = eu_supply_risk_table(published)
    table = result["supply_risk"].filter(pl.col("agrees").is_not_null())
    assert table["material"].n_unique() == 68
    assert table.filter(~pl.col("agrees"))["material"].to_list() == ["heavy-rare-earths"]


def test_economic_importance_of_2023(published: Path) -> None:
    """39 of 41 published scores are at most what the uses allow; two are printed 0.05 and 0.16 too high."""
    table = eu_economic_importance_table(published)["economic_importance"].filter(
        pl.col("agrees").is_not_null()
    )
    assert table.height == 41
    assert table.filter(~pl.col("agrees"))["material"].to_list() == ["fluorspar", "selenium"]
    implied = table.filter("agrees")["substitution_implied"]
    assert implied.min() > 0.65 and implied.max() < 1.01  # type: ignore[operator]
