"""The European Commission's tables on critical raw materials."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from evernormal import data
from evernormal.data.stored import stored
from evernormal.errors import SourceFormatError
from evernormal.result import Result

SHARED = Path(__file__).parents[3] / "shared" / "data" / "eu_crm"
SUPPLY = "Material,Stage,Country,Share,t\n"
USES = "Material,Application,Share,NACE sector,VA in million €\n"
SCORES = "Material,Year,SR,EI\n"


def add(
    folder: Path, name: str, text: str, encoding: str = "utf-8", **asked: object
) -> tuple[Result, pl.DataFrame]:
    """Add a made-up file; return the addition and the stored rows."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    added = data.add("eu-crm", path, folder / "store", **asked)  # type: ignore[arg-type]
    rows, _ = stored("statistics", added["added"]["dataset"].item(), folder / "store")
    return added, rows


def refused(folder: Path, text: str | bytes, name: str = "world_supply_2023.csv") -> str:
    """Return the message that a file is refused with; nothing may have been stored."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SourceFormatError) as error:
        data.add("eu-crm", path, folder / "store")
    assert data.vintages(folder / "store") == () and not (folder / "store" / "datasets").exists()
    return str(error.value)


def codes(result: Result) -> list[str]:
    """Return the codes of the findings."""
    return [finding.code for finding in result.findings]


def test_shares_and_trade_parameters_are_stored(tmp_path: Path) -> None:
    rows = "Gallium,P,China,93.8%,1.1\nGallium,P,Germany,6.2%,0.8\n"
    added, table = add(tmp_path, "world_supply_2023.csv", SUPPLY + rows)
    assert added["added"]["dataset"].item() == "eu-crm-2023-world-supply"
    first = table.row(0, named=True)
    assert (first["country"], first["material"], first["stage"], first["value"]) == (
        "CHN",
        "gallium",
        "refined",
        0.938,
    )
    assert (first["statistic"], first["unit"], first["as_of"]) == ("supply_share", "1", date(2023, 3, 16))
    assert table.filter(statistic="trade_parameter")["value"].to_list() == [1.1, 0.8]
    assert codes(added) == []


def test_less_than_is_an_interval(tmp_path: Path) -> None:
    """Law 2: "<0.1%" is neither 0 nor 0.1 per cent."""
    rows = "Gypsum,E,China,99.9%,1\nGypsum,E,Albania,<0.1%,1.0\nGypsum,E,Chile,>0%,1\n"
    _, table = add(tmp_path, "world_supply_2023.csv", SUPPLY + rows)
    shares = table.filter(statistic="supply_share").select("value", "low", "high").rows()
    assert shares == [(0.999, None, None), (None, 0.0, 0.001), (None, 0.0, None)]


def test_sourcing_is_told_from_supply_by_name_or_by_digits(tmp_path: Path) -> None:
    _, table = add(tmp_path, "fact_EUSupplyShares&t.csv", SUPPLY + "Tin,P,Peru,100%,1\n")
    assert table["statistic"][0] == "sourcing_share"
    _, table = add(tmp_path, "table.csv", SUPPLY + "Tin,P,Peru,100%,1\n")
    assert table["statistic"][0] == "sourcing_share"
    _, table = add(tmp_path, "other.csv", SUPPLY + "Tin,P,Peru,99.5%,1\nTin,P,China,0.5%,1\n")
    assert table["statistic"][0] == "supply_share"


def test_shares_that_do_not_add_up_are_told_and_rounding_is_allowed_for(tmp_path: Path) -> None:
    added, _ = add(
        tmp_path, "world_2023.csv", SUPPLY + "Tin,P,Peru,88.7%,1\nZinc,P,Peru,99.9%,1\nZinc,P,Chile,0.2%,1\n"
    )
    finding = next(f for f in added.findings if f.code == "shares-do-not-add-up")
    assert finding.values["sums"] == {"Tin processing": 0.887}


COUNTRIES = {
    "Namibia": "NAM", "Taiwan": "TWN", "United States": "USA", "France": "FRA", "Switzerland": "CHE",
    "Norway": "NOR", "India": "IND", "Serbia": "SRB", "Sudan": "SDN", "Kosovo": "XKX", "Congo, D.R.": "COD",
    "Congo": "COG", "Korea, North": "PRK", "Korea, South": "KOR", "Türkiye": "TUR", "Brasilia": "BRA",
}  # fmt: skip


def test_every_country_arrives_as_itself(tmp_path: Path) -> None:
    lines = [f'Tin,P,"{name}",1%,1' for name in COUNTRIES]
    _, table = add(tmp_path, "world_2023.csv", SUPPLY + "\n".join(lines) + "\n")
    assert table.filter(statistic="supply_share")["country"].to_list() == list(COUNTRIES.values())


def test_windows_1252_is_read_and_told(tmp_path: Path) -> None:
    added, table = add(tmp_path, "world_2023.csv", SUPPLY + "Tin,P,Türkiye,100%,1\n", "cp1252")
    assert table["country"][0] == "TUR" and "read-as-cp1252" in codes(added)


def test_uses_keep_sector_and_value_added(tmp_path: Path) -> None:
    rows = (
        'Gallium,Chips,70%,"C26 - Computers, electronic",77000\n'
        "Gallium,Magnets,25%,C29 - Manufacture of motor\u0020vehicles,194448\nGallium,Other,5%,,\n"
    )
    _, table = add(tmp_path, "uses_2023.csv", USES + rows)
    shares = table.filter(statistic="use_share")
    assert shares.select("commodity", "flag", "value", "country").rows() == [
        ("Gallium; Chips", "C26", 0.7, "EUU"),
        ("Gallium; Magnets", "C29", 0.25, "EUU"),
        ("Gallium; Other", None, 0.05, "EUU"),
    ]
    added = table.filter(statistic="value_added")
    assert added["value"].to_list() == [77000.0, 194448.0, None] and set(added["unit"]) == {"million EUR"}


def test_a_row_printed_twice_counts_once_when_the_shares_then_add_up(tmp_path: Path) -> None:
    rows = "Magnesium,Cars,87%,C29 - Cars,1\n" + 2 * "Magnesium,Building,13%,C25 - Metal,2\n"
    added, table = add(tmp_path, "uses_2023.csv", USES + rows)
    assert table.filter(statistic="use_share").height == 2 and "row-printed-twice" in codes(added)


def test_a_sector_with_two_values_is_told(tmp_path: Path) -> None:
    rows = "A,x,100%,C24 - Metals,64561\nB,x,100%,C24 - Metals,64561\nC,x,100%,C24 - Metals,204200\n"
    added, _ = add(tmp_path, "uses_2023.csv", USES + rows)
    finding = next(f for f in added.findings if f.code == "sector-value-added-differs")
    assert "204200 in row 4" in finding.message


def test_scores_carry_the_day_of_each_study(tmp_path: Path) -> None:
    """Law 11: a score of 2023 was not knowable in 2018; law 2: a dash was not assessed."""
    rows = "Xenon,2017,-,-\nGallium,2017,1.4,3.2\nGallium,2023,3.9,3.7\n"
    _, table = add(tmp_path, "scores.csv", SCORES + rows)
    assert table.filter(material="xenon").select("value", "flag").rows() == [(None, "not assessed")] * 2
    then = table.filter(pl.col("as_of") <= date(2018, 1, 1), statistic="supply_risk", material="gallium")
    assert then["value"].to_list() == [1.4]


def test_an_edition_that_nothing_tells_is_assumed_and_told(tmp_path: Path) -> None:
    added, _ = add(tmp_path, "world.csv", SUPPLY + "Tin,P,Peru,100.0%,1\n")
    assert "edition-assumed" in codes(added)
    added, table = add(tmp_path, "world.csv", SUPPLY + "Tin,P,Peru,100.0%,1\n", as_of="2021-01-01")
    assert "edition-assumed" not in codes(added) and table["year"][0] == 2020


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Tin,P,Atlantis,50%,1", "row 2, column Country: 'Atlantis' is no country of this study"),
        ("Tin,X,Peru,50%,1", "row 2, column Stage: 'X' is neither E"),
        ("Tin,P,Peru,0.5,1", "row 2, column Share: '0.5' has no unit"),
        ('Tin,P,Peru,"93,8%",1', "row 2, column Share: '93,8%' is no share"),
        ("Tin,P,Peru,150%,1", "row 2, column Share: '150%' is more than all"),
        ("Tin,P,Peru,=A1,1", "row 2, column Share: '=A1' is a formula, expected its value"),
        (",P,Peru,50%,1", "row 2, column Material: is empty (merged cells"),
        ("Tin,P,Peru,,1", "row 2, column Share: is empty (merged cells"),
        ("Tin,P,Peru,50%,3", "row 2, column t: must be from 0 to 2, got 3"),
        ("Tin,P,Peru,50%,", "row 2, column t: is empty"),
        ("Tin,P,Peru,50%,1\nTin,P,Peru,50%,1", "row 3, column Country: 'Peru' is already in row 2"),
        ("Tin,P,Brazil,50%,1\nTin,P,Brasil,50%,1", "row 3, column Country: 'Brasil' is already in row 2"),
        ("Tin,P,Per", "row 2 has 3 cells, the header has 5"),
    ],
)
def test_faults_are_named_with_row_and_column(tmp_path: Path, row: str, message: str) -> None:
    """Law 12."""
    assert message in refused(tmp_path, SUPPLY + row + "\n")


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = refused(tmp_path, SUPPLY + "Tin,X,Peru,1%,1\nTin,P,Nowhere,1%,1\nTin,P,Peru,one,1\n")
    assert all(part in text for part in ("row 2", "row 3", "row 4", "nothing was stored"))


def test_thousands_separators_are_named(tmp_path: Path) -> None:
    text = refused(tmp_path, USES + 'Tin,Solder,100%,C26 - Computers,"77,000"\n')
    assert "column VA in million €: '77,000' is no number (no thousands separator)" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>login</html>", "a web page"),
        (b"PK\x03\x04aaaa", "a zip file or an Excel workbook"),
        (b"Material,Stage,Country,Share\nTin,P,Peru,1%\n", "column t is missing"),
        (SUPPLY.encode() + b"Tin,P,\x81\x8d,1%,1\n", "row 2, column Country is neither UTF-8 nor"),
        (SUPPLY.encode("utf-16"), "this is UTF-16 text"),
        (SUPPLY.encode(), "a header and no rows"),
        (b"Material,Stage,Stage,Country,Share,t\nTin,P,P,Peru,1%,1\n", "column Stage is there twice"),
        (SUPPLY.encode() + b'Tin,P,"Peru,1%,1\n', "row 2: the file ends inside a quoted cell"),
    ],
)
def test_what_is_no_table_of_the_study_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Law 12."""
    assert message in refused(tmp_path, content)


def test_a_share_without_its_sign_in_a_column_of_per_cent_is_read_and_told(tmp_path: Path) -> None:
    added, table = add(
        tmp_path, "world_2023.csv", SUPPLY + "Tin,P,Peru,90%,1\nTin,P,Chile,4%,1\nTin,P,China,6,1\n"
    )
    assert table.filter(statistic="supply_share")["value"].to_list() == [0.9, 0.04, 0.06]
    assert "share-without-per-cent-sign" in codes(added)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The study's own tables, where they stand beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the tables of the study of 2023 are not beside the repository")
    store = tmp_path_factory.mktemp("store")
    tables = {}
    for name in ("fact_GlobalSupplyShares&t", "fact_EUSupplyShares&t", "fact_MaterialUseShares",
                 "dimension_CRMsOverTime", "dimension_ScreenedMatGroupings"):  # fmt: skip
        added = data.add("eu-crm", SHARED / f"{name}.csv", store)
        tables[name], _ = stored("statistics", added["added"]["dataset"].item(), store)
    return tables


def test_published_refining_shares_of_china(published: dict[str, pl.DataFrame]) -> None:
    """European Commission 2023: gallium 93.8, germanium 83.1, magnesium 90.6 per cent."""
    china = published["fact_GlobalSupplyShares&t"].filter(
        country="CHN", statistic="supply_share", stage="refined"
    )
    shares = dict(china.select("material", "value").iter_rows())
    assert (shares["gallium"], shares["germanium"], shares["magnesium"]) == (0.938, 0.831, 0.906)


def test_the_whole_study_is_read(published: dict[str, pl.DataFrame]) -> None:
    heights = {name: table.height for name, table in published.items()}
    assert heights["fact_GlobalSupplyShares&t"] == 2 * 2561
    assert heights["fact_EUSupplyShares&t"] == 2 * 907
    assert heights["fact_MaterialUseShares"] == 2 * 338  # one of the 339 is printed twice
    assert heights["dimension_CRMsOverTime"] == 2 * 355


def test_a_shifted_row_of_the_results_of_2017_is_named(tmp_path: Path) -> None:
    if not SHARED.is_dir():
        pytest.skip("the tables of the study of 2017 are not beside the repository")
    with pytest.raises(SourceFormatError, match=r"row 81, column supply_basis: '14 GS only'"):
        data.add("eu-crm", SHARED / "EU_CRM2017_results_SR_EI_IR_EoLRIR.csv", tmp_path)
