"""Policy records: Global Trade Alert, the IEA's policies, the OECD's inventory, controls typed by hand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import Workbook

from evernormal import data
from evernormal.data.geography import countries
from evernormal.data.publishers.policy_records import subject_of
from evernormal.data.schema import TABLES
from evernormal.errors import InputError, NotCoveredError, SourceFormatError, UnknownNameError
from evernormal.network.forms import form, form_names
from evernormal.result import Result

from .made_up_policies import (
    EVENT_COLUMNS,
    GTA_COLUMNS,
    IEA_COLUMNS,
    api_answer,
    converted,
    csv_text,
    event,
    gta_row,
    iea_row,
    write,
)
from .made_up_statistics import EVERYWHERE

SHARED = Path(__file__).parents[3] / "shared" / "data" / "policy"


def add(tmp_path: Path, source: str, name: str, content: Any, **more: Any) -> tuple[Result, pl.DataFrame]:
    """Add a file of records; return what was told, and the records."""
    result = data.add(source, write(tmp_path / name, content), tmp_path / "store", **more)
    return result, data.policies(folder=tmp_path / "store")["policies"]


# --- Global Trade Alert ----------------------------------------------------------------------------


def test_the_converted_list_says_one_day_and_its_description_the_other(tmp_path: Path) -> None:
    result, rows = add(tmp_path, "gta", "gta.json", {"interventions": [converted()]})
    row = rows.row(0, named=True)
    assert (row["kind"], row["side"], row["stance"], row["by"]) == ("licence", "export", "restrictive", "CHN")
    assert (row["announced"], row["effective"]) == (date(2023, 10, 20), date(2023, 12, 1))
    assert row["as_of"] == date(2023, 10, 20)
    assert row["materials"] == "graphite"
    assert "file-day-from-records" in {f.code for f in result.findings}


def test_materials_come_from_words_and_codes_never_from_tags(tmp_path: Path) -> None:
    """A rare-earth tax that the publisher tags as lithium is one on rare earths; the tag is kept."""
    tax = converted(
        id="15740", title="China: Neodymium rare earth export tariff increase in 2011", minerals=["Lithium"],
        interventionType="Export tax", dateISO="2011-01-01",
        description="Levied with a 25 percent export tariff.",
    )  # fmt: skip
    bare = converted(id="1", title="China: Evidence", description="", minerals=["Cobalt"])
    result, rows = add(tmp_path, "gta", "gta.json", {"interventions": [tax, bare]})
    found = rows.filter(record="15740").row(0, named=True)
    assert found["materials"] == "neodymium;rare-earths"
    assert "publisher's tags, not used: Lithium" in found["detail"]
    assert found["rate"] == 0.25
    assert rows.filter(record="1")["materials"].item() is None
    told = {f.code: f.values["records"] for f in result.findings}
    assert told["tags-contradicted"] == 1
    assert told["no-material"] == 1


def test_the_export_of_the_data_centre(tmp_path: Path) -> None:
    """A name with commas stays one name; codes give the form; each government is a row of its own."""
    sacu = gta_row(
        Intervention_ID="139906", State_Act_Title="SACU: Customs duty on copper",
        Intervention_Type="Import tariff",
        Implementing_Jurisdictions="South Africa, Namibia", Affected_Jurisdictions="",
        Affected_Products="283325",
        Date_Announced="2024-09-20", Date_Implemented="2024-09-20 00:00:00",
    )  # fmt: skip
    _, rows = add(tmp_path, "gta", "interventions.csv", csv_text(GTA_COLUMNS, [gta_row(), sacu]))
    ban = rows.filter(record="73888").row(0, named=True)
    assert ban["against"] == "BES;CHN;KOR"
    assert (ban["forms"], ban["materials"], ban["codes"]) == ("nickel/ore", "nickel", "260400")
    assert rows.filter(record="139906")["by"].to_list() == ["NAM", "ZAF"]


def test_an_answer_of_the_api(tmp_path: Path) -> None:
    """Levels that all products share are the rate; a key in an address is not kept; the file has a day."""
    result, rows = add(tmp_path, "gta", "answer.json", {"count": 1, "results": [api_answer()]})
    row = rows.row(0, named=True)
    assert (row["kind"], row["side"], row["by"], row["against"]) == ("tariff", "import", "USA", "CHN")
    assert (row["rate"], row["forms"]) == (0.25, "graphite/natural;graphite/spherical")
    assert row["url"] == "https://globaltradealert.org/intervention/141000"
    assert result["added"]["as_of"].item() == "2026-01-05"


def test_countries_that_the_publisher_infers_are_no_targets(tmp_path: Path) -> None:
    """A tariff on everyone hits more than those whose trade the publisher found: whom it hits is not said."""
    answer = api_answer(inferred_jurisdictions="Inferred", state_act_title="United States of America: Tariff")
    _, rows = add(tmp_path, "gta", "answer.json", [answer])
    assert rows["against"].item() is None
    assert "affected as the publisher infers: CHN" in rows["detail"].item()


def test_codes_in_a_description_are_read(tmp_path: Path) -> None:
    text = "This applies to tariff headings 7403.12 and 8110.10. It costs USD 5405.43 million."
    _, rows = add(tmp_path, "gta", "gta.json", [converted(title="Permits", description=text)])
    assert rows["codes"].item() == "740312;811010"
    assert rows["forms"].item() == "antimony/metal"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"interventions": [converted(implementers=["Chnia"])]},
            "row 1, column implementing.*'Chnia' is no country",
        ),
        (
            {"interventions": [converted(dateISO="01/12/2023")]},
            "row 1, column dateiso: '01/12/2023' is no day",
        ),
        ({"interventions": [converted(), converted()]}, "129576 is already in row 1: duplicate row"),
        ({"interventions": [converted(), converted(title="x")]}, "already in row 1 with another title"),
        (json.dumps({"interventions": [converted()]})[:-30], "broken or cut off"),
        ({"interventions": [{"a": 1}]}, "no column 'intervention id'"),
        ("<!DOCTYPE html><html></html>", "web page"),
        ({"results": []}, "no list of interventions"),
        (
            csv_text(GTA_COLUMNS, [gta_row(Affected_Products="26X4")]),
            "row 2, column affected products: '26X4'",
        ),
        (csv_text(GTA_COLUMNS, [gta_row()]) + "1,2\n", "row 3 has 2 cells"),
    ],
)
def test_faults_of_interventions_are_named(tmp_path: Path, content: Any, told: str) -> None:
    """Law 12: nothing is stored."""
    with pytest.raises(SourceFormatError, match=told):
        add(tmp_path, "gta", "gta.json", content)
    assert not (tmp_path / "store").exists()


def test_a_day_before_a_record_cannot_be_that_of_the_file(tmp_path: Path) -> None:
    """Law 11."""
    with pytest.raises(InputError, match="before 2023-10-20"):
        add(tmp_path, "gta", "gta.json", [converted()], as_of="2022-01-01")


def test_an_unknown_type_is_kept_and_told(tmp_path: Path) -> None:
    result, rows = add(tmp_path, "gta", "gta.json", [converted(interventionType="Export riddle")])
    assert rows["kind"].item() == "other"
    assert any(f.code == "type-unknown" and "Export riddle" in f.message for f in result.findings)


# --- the IEA ------------------------------------------------------------------------------------------


def test_policies_of_the_iea(tmp_path: Path) -> None:
    """A year alone is no day: announced stays unknown (law 2), known from the end of the year on."""
    rows = [
        iea_row(),
        iea_row(title="Announcement on the Implementation of Export Control of Items Related to Gallium",
                description="", datePromulgated="", year="2023", countries='[{"iso3":"CHN","name":"China"}]',
                policyType='[{"family":"Trade","name":"Non-tariff measures"}]'),
        iea_row(title="Fund for lithium", description="",
                countries='[{"iso3":"EUR","name":"European Union"}]',
                policyType='[{"family":"Economic","name":"Innovation funds"}]'),
        iea_row(title="Strengthening the Export Control of Dual-Use Items to the United States",
                description="Prohibits gallium exports.", datePromulgated="2024-12-03",
                countries='[{"iso3":"CHN","name":"China"}]'),
    ]  # fmt: skip
    result, found = add(tmp_path, "iea-policies", "iea.csv", csv_text(IEA_COLUMNS, rows))
    by_title = {row["title"][:12]: row for row in found.iter_rows(named=True)}
    bauxite = by_title["Export Ban o"]
    assert (bauxite["kind"], bauxite["side"], bauxite["by"]) == ("ban", "export", "IDN")
    assert (bauxite["materials"], bauxite["announced"]) == ("aluminium", date(2023, 6, 1))
    gallium = by_title["Announcement"]
    assert (gallium["kind"], gallium["announced"], gallium["as_of"]) == ("licence", None, date(2023, 12, 31))
    assert (by_title["Fund for lit"]["kind"], by_title["Fund for lit"]["by"]) == ("subsidy", "EUU")
    assert by_title["Strengthenin"]["against"] == "USA"
    assert {f.code for f in result.findings} == {"year-only"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"countries": '[{"iso3":"XYZ","name":"Nowhere"}]'},
            "row 2, column countries: 'Nowhere' is no country",
        ),
        ({"countries": "[{"}, "row 2, column countries.*is no list"),
        ({"year": "soon"}, "row 2, column year: 'soon' is no year"),
        ({"datePromulgated": "31-31-2020"}, "column datePromulgated"),
        ({"dateModified": "x"}, "is no time in milliseconds"),
    ],
)
def test_faults_of_the_ieas_file_are_named(tmp_path: Path, change: dict[str, str], told: str) -> None:
    with pytest.raises(SourceFormatError, match=told):
        add(tmp_path, "iea-policies", "iea.csv", csv_text(IEA_COLUMNS, [iea_row(**change)]))
    with pytest.raises(SourceFormatError, match="column policyType is missing"):
        add(tmp_path, "iea-policies", "iea.csv", csv_text(IEA_COLUMNS[:-1], []))


# --- the OECD --------------------------------------------------------------------------------------------

LONG = "Country,Measure,HS code,Commodity,Year,Value,Unit,Comment\n"


def test_years_of_the_inventory_become_spells(tmp_path: Path) -> None:
    """Unbroken years are one record, products of one commodity together; older ones are told."""
    rows = [("China (People's Republic of)", "Export quota", code, "Tungsten", year, "", "", "")
            for code in ("261100", "810110") for year in (2009, 2010, 2012)]  # fmt: skip
    rows += [
        ("Indonesia", "Export tax", "2604.00", "Nickel", year, "10", "% ad valorem", "x")
        for year in (2011, 2012)
    ]
    text = LONG + "".join(",".join(map(str, row)) + "\n" for row in rows)
    result, found = add(tmp_path, "oecd-restrictions", "oecd.csv", text, as_of="2013-06-01")
    china = found.filter(by="CHN").sort("as_of")
    assert china["codes"].to_list() == ["261100;810110"] * 2
    assert china["as_of"].to_list() == [date(2009, 12, 31), date(2012, 12, 31)]
    assert china["ends"].to_list() == [date(2011, 1, 1), None]
    assert china["forms"][0] == "tungsten/ore;tungsten/powder"
    tax = found.filter(by="IDN").row(0, named=True)
    assert (tax["kind"], tax["rate"], tax["forms"], tax["effective"]) == ("tariff", 0.1, "nickel/ore", None)
    assert {f.code for f in result.findings} == {"older-than-file", "year-only"}


def test_other_layouts_of_the_inventory(tmp_path: Path) -> None:
    """Codes beside labels as SDMX writes them, a column per year, a day of introduction, a workbook."""
    sdmx = ("REF_AREA,Reference area,MEASURE,Measure,HS6,COMMODITY,TIME_PERIOD,OBS_VALUE\n"
            "CHN,China,EL,Non-automatic licensing,261710,Antimony,2024,1\n")  # fmt: skip
    wide = "Country,Type of measure,Raw material,2022,2023\nKosovo*,Export prohibition,Nickel,,x\n"
    day = "Country;Measure;Product;Introduced;Removed\nNamibia;Export ban;Lithium ores;2023-06-08;\n"
    for number, (text, by, kind) in enumerate(
        ((sdmx, "CHN", "licence"), (wide, "XKX", "ban"), (day, "NAM", "ban"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        _, found = add(folder, "oecd-restrictions", "o.csv", text, as_of="2025-01-01")
        assert found.select("by", "kind").rows() == [(by, kind)]
    assert found["effective"].item() == date(2023, 6, 8)
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (
        ["OECD inventory"],
        [],
        ["Country", "Measure", "HS code", "Year"],
        ["Viet Nam", "Export tax", 260600, 2020],
    ):
        sheet.append(row)
    book.save(tmp_path / "o.xlsx")
    data.add("oecd-restrictions", tmp_path / "o.xlsx", tmp_path / "x", as_of="2021-01-01")
    assert data.policies(folder=tmp_path / "x")["policies"]["forms"].item() == "aluminium/bauxite"
    sheet["D5"] = "=2020+1"
    sheet["A5"], sheet["B5"], sheet["C5"] = "Peru", "Export tax", 260600
    book.save(tmp_path / "o.xlsx")
    with pytest.raises(SourceFormatError, match="row 5, column sheet 'Sheet' cell D5: a formula"):
        data.add("oecd-restrictions", tmp_path / "o.xlsx", tmp_path / "x", as_of="2021-01-01")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LONG + "Chinna,Export tax,260400,Nickel,2012,,,\n", "row 2, column Country: 'Chinna' is no country"),
        (LONG + "China,Export tax,26O400,Nickel,2012,,,\n", "row 2, column HS code: '26O400' is no HS code"),
        (LONG + "China,Export tax,260400,Nickel,MMXII,,,\n", "row 2, column year: 'MMXII' is no year"),
        (
            LONG + "China,Export tax,260400,Nickel,2012,,,\n" * 2,
            "row 3, column country: the row repeats row 2",
        ),
        ("Land,Ding\nx,y\n", "no column of countries or of measures"),
    ],
)
def test_faults_of_the_inventory_are_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SourceFormatError, match=told):
        add(tmp_path, "oecd-restrictions", "oecd.csv", text, as_of="2013-06-01")


# --- controls typed by hand ------------------------------------------------------------------------------


def test_controls_typed_by_hand(tmp_path: Path) -> None:
    """Symbols, codes, a month for a day, and an end that is a suspension."""
    rows = [
        event(),
        event(announced="2024-12", effective="2024-12", instrument="ban (US only)", measure="Ban on Ga, Ge",
              materials="Ga;Ge;Te", target="USA", chinese_hs_codes_quoted_on_page="",
              end_or_suspended="2026-11-27", note="suspended from 2025-11-09 until 2026-11-27"),
    ]  # fmt: skip
    result, found = add(tmp_path, "control-events", "events.csv", csv_text(EVENT_COLUMNS, rows))
    licence, ban = found.iter_rows(named=True)
    assert licence["forms"] == "antimony/metal;antimony/ore;antimony/oxide"
    assert (ban["materials"], ban["against"], ban["ends"]) == ("gallium;germanium", "USA", None)
    assert (ban["suspended"], ban["resumes"]) == (date(2025, 11, 9), date(2026, 11, 28))
    assert (ban["announced"], ban["as_of"]) == (date(2024, 12, 1), date(2024, 12, 31))
    assert result["added"]["as_of"].item() == "2025-11-09"
    assert {"month-only", "suspension-open", "symbol-without-material"} <= {f.code for f in result.findings}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"announced": "soon"}, "row 2, column announced: 'soon' is no day"),
        ({"announced": "2024"}, "is a year only; give at least the month"),
        ({"instrument": "wish"}, "row 2, column instrument: 'wish' is none of"),
        ({"target": "Attlantis"}, "row 2, column target"),
    ],
)
def test_faults_of_controls_are_named(tmp_path: Path, change: dict[str, str], told: str) -> None:
    with pytest.raises(SourceFormatError, match=told):
        add(tmp_path, "control-events", "events.csv", csv_text(EVENT_COLUMNS, [event(**change)]))


# --- every source -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "iso3"), EVERYWHERE.items())
@pytest.mark.parametrize("source", ["gta json", "gta csv", "gta api", "iea-policies", "oecd-restrictions"])
def test_every_country_arrives_as_itself(tmp_path: Path, source: str, name: str, iso3: str) -> None:
    """Namibia is no missing value, Taiwan is itself, from every source."""
    content: Any
    key = source.partition(" ")[0]
    if source == "gta json":
        content = [converted(implementers=[name])]
    elif source == "gta csv":
        content = csv_text(GTA_COLUMNS, [gta_row(Implementing_Jurisdictions=f"{name}")])
    elif source == "gta api":
        content = [api_answer(implementing_jurisdictions=[{"id": 699, "name": name, "iso": iso3}])]
    elif source == "iea-policies":
        content = csv_text(IEA_COLUMNS, [iea_row(countries=json.dumps([{"iso3": iso3, "name": name}]))])
    else:
        content = LONG + f"{name},Export tax,260400,Nickel,2012,,,\n"
    _, rows = add(tmp_path, key, "file", content, as_of="2026-06-01")
    assert rows["by"].to_list() == [iso3]


def test_reading_records_by_who_what_and_when(tmp_path: Path) -> None:
    add(tmp_path, "gta", "gta.json", [converted()])
    add(tmp_path, "control-events", "events.csv", csv_text(EVENT_COLUMNS, [event()]))
    store = tmp_path / "store"

    def records(**asked: Any) -> list[str]:
        return data.policies(folder=store, **asked)["policies"]["record"].to_list()

    assert records(by="CHN", forms="graphite/natural", since="2020-01-01") == ["129576"]
    assert records(forms="antimony/oxide") == ["CHN-2024-08-15-licence"]
    assert records(forms="antimony/oxide", until="2024-01-01") == []
    assert records(kinds="ban") == []
    assert records(against="KOR", materials="antimony") == ["CHN-2024-08-15-licence"]
    for wrong in ({"by": "CHX"}, {"forms": "graphite/natual"}, {"kinds": "licens"}, {"materials": "graphit"}):
        with pytest.raises(UnknownNameError, match="Did you mean"):
            records(**wrong)
    with pytest.raises(NotCoveredError, match="no policies were added"):
        data.policies(folder=tmp_path / "none")


def test_what_was_announced_later_is_not_there(tmp_path: Path) -> None:
    """Law 11: a record by its announcement, an end and a suspension by their day, a vintage by its file."""
    ban = event(announced="2024-12-03", effective="2024-12-03", instrument="ban", measure="Ban on Sb",
                target="USA",
                end_or_suspended="2026-11-27", note="suspended from 2025-11-09 until 2026-11-27")  # fmt: skip
    add(tmp_path, "control-events", "events.csv", csv_text(EVENT_COLUMNS, [event(), ban]))
    store = tmp_path / "store"
    early = data.policies(folder=store, as_of="2024-10-01")
    assert early["policies"]["kind"].to_list() == ["licence"]
    assert [f.code for f in early.findings] == ["vintage-later"]
    between = (
        data.policies(folder=store, as_of="2025-01-01")["policies"].filter(kind="ban").row(0, named=True)
    )
    assert (between["suspended"], between["resumes"]) == (None, None)
    late = data.policies(folder=store, as_of="2025-11-09")
    assert late["policies"].filter(kind="ban")["suspended"].item() == date(2025, 11, 9)
    assert late.findings == ()
    with pytest.raises(NotCoveredError, match="knowable on 2020-01-01"):
        data.policies(folder=store, as_of="2020-01-01")


def test_the_order_of_records_changes_nothing(tmp_path: Path) -> None:
    """Law 7."""
    some = [
        converted(),
        converted(id="1", title="China: Export ban on tin"),
        converted(id="2", implementers=["Peru"]),
    ]
    for number, records in enumerate((some, some[::-1])):
        (tmp_path / str(number)).mkdir()
        add(tmp_path / str(number), "gta", "gta.json", records)
    one, two = (data.policies(folder=tmp_path / str(n) / "store")["policies"] for n in (0, 1))
    assert one.equals(two)


def test_the_codes_of_records_are_those_of_the_catalogue() -> None:
    """The table of codes in this room says what the catalogue of forms says."""
    wanted = {
        (code.code, name, code.basket, code.revision)
        for name in form_names() for code in form(name).codes if code.system == "HS"
    }  # fmt: skip
    table = pl.read_csv(TABLES / "policy_codes.csv", infer_schema=False)
    found = {
        (row["code"], row["form"], row["basket"] == "yes", revision)
        for row in table.iter_rows(named=True) for revision in row["revisions"].split(";")
    }  # fmt: skip
    assert found == wanted


def test_every_material_that_words_name_is_one() -> None:
    words = pl.read_csv(TABLES / "policy_words.csv")["material"].to_list()
    assert set(words) <= {name.partition("/")[0] for name in form_names()}
    assert subject_of("Officials lead talks on tin").materials == ("tin",)
    assert subject_of("Ban on NdFeB magnets").materials == ("neodymium",)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the publishers' files are not here")
def test_the_published_files(tmp_path: Path) -> None:
    """292 interventions, 625 policies, eight acts of China: all are there, none dropped."""
    data.add("gta", SHARED / "gta-interventions_critical_minerals.json", tmp_path)
    data.add("iea-policies", SHARED / "IEA_CM_Policies.csv", tmp_path)
    data.add("control-events", SHARED / "china_export_controls_events.csv", tmp_path)
    rows = data.policies(folder=tmp_path)["policies"]
    counts = dict(rows.group_by("dataset").agg(pl.col("record").n_unique()).iter_rows())
    assert counts == {"gta": 292, "iea-policies": 625, "controls-china-export-controls-events": 8}
    assert set(rows["by"]) <= set(countries()["iso3"]) | {"unknown"}
    graphite = rows.filter(dataset="gta", record="129576").row(0, named=True)
    assert (graphite["announced"], graphite["effective"]) == (date(2023, 10, 20), date(2023, 12, 1))
    rare = rows.filter(dataset="gta", record="15740").row(0, named=True)
    assert rare["materials"] == "neodymium;rare-earths"
