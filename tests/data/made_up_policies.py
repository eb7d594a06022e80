"""Small stand-ins for files of policy records, in the layouts of their publishers."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

IEA_COLUMNS = (
    "title", "description", "status", "year", "jurisdiction", "source", "datePromulgated", "yearEnded",
    "learnMore", "learnMoreLanguage", "dateModified", "countries", "states", "technologies", "tags",
    "policyType",
)  # fmt: skip
GTA_COLUMNS = (
    "Intervention ID", "State Act ID", "State Act Title", "Intervention Type", "MAST Chapter",
    "GTA Evaluation",
    "Implementing Jurisdictions", "Affected Jurisdictions", "Affected Products", "Date Announced",
    "Date Implemented", "Date Removed", "Is In Force", "Intervention URL",
)  # fmt: skip
EVENT_COLUMNS = (
    "announced", "effective", "end_or_suspended", "measure", "instrument", "materials",
    "chinese_hs_codes_quoted_on_page", "target", "source_url", "note",
)  # fmt: skip


def csv_text(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    """Return a CSV text with every column."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def converted(**more: Any) -> dict[str, Any]:
    """One intervention as others converted it to JSON: China's licences for graphite."""
    return {
        "id": "129576",
        "title": "China: Government announces export control measures for graphite",
        "evaluation": "harmful",
        "dealType": "Trade Control",
        "interventionType": "Export licensing requirement",
        "minerals": ["Graphite"],
        "implementers": ["China"],
        "date": "Dec 01, 2023",
        "dateISO": "2023-12-01",
        "link": "https://globaltradealert.org/intervention/129576",
        "description": "<p>On 20 October 2023, the Ministry announced licences from 1 December 2023.</p>",
        **more,
    }


def gta_row(**more: Any) -> dict[str, Any]:
    """One intervention as the data centre exports it: Indonesia's ban of nickel ore."""
    return {
        "Intervention ID": "73888",
        "State Act ID": "39871",
        "State Act Title": "Indonesia: Nickel ore export ban moved forward by two years",
        "Intervention Type": "Export ban",
        "GTA Evaluation": "Red",
        "Implementing Jurisdictions": "Indonesia",
        "Affected Jurisdictions": "China, Republic of Korea, Bonaire, Sint Eustatius and Saba",
        "Affected Products": "260400",
        "Date Announced": "2019-08-30",
        "Date Implemented": "2020-01-01",
        "Is In Force": "1",
        "Intervention URL": "https://globaltradealert.org/intervention/73888",
    } | {key.replace("_", " "): value for key, value in more.items()}


def api_answer(**more: Any) -> dict[str, Any]:
    """One intervention as the API answers: a tariff of the United States on batteries' graphite."""
    return {
        "intervention_id": 141000,
        "state_act_id": 90000,
        "state_act_title": "United States of America: Tariff on graphite from China",
        "intervention_description": [{"order_nr": 1, "text": "<p>From 0% to 25% on graphite.</p>"}],
        "intervention_url": "https://globaltradealert.org/intervention/141000?key=secret",
        "gta_evaluation": "Red",
        "implementing_jurisdictions": [{"id": 840, "name": "United States of America", "iso": "USA"}],
        "implementing_jurisdiction_groups": [],
        "affected_jurisdictions": [{"id": 156, "name": "China", "iso": "CHN"}],
        "intervention_type": "Import tariff",
        "affected_products": [
            {"product_id": 250410, "prior_level": "0", "new_level": "25", "unit": "percent"},
            {"product_id": 250490, "prior_level": "0", "new_level": "25", "unit": "percent"},
        ],
        "date_announced": "2024-05-14",
        "date_implemented": "2026-01-01",
        "date_removed": None,
        "is_in_force": 1,
        "last_updated": "2026-01-05",
        **more,
    }


def iea_row(**more: Any) -> dict[str, Any]:
    """One policy as the IEA's database writes it: the export ban of bauxite."""
    return {
        "title": "Export Ban on Bauxite Ores",
        "description": "<div>The Government implemented an export ban on bauxite ore from June 2023.</div>",
        "status": "In force",
        "year": "2023",
        "datePromulgated": "01-06-2023",
        "dateModified": "1750778163236",
        "countries": '[{"iso3":"IDN","name":"Indonesia"}]',
        "policyType": json.dumps(
            [{"topic": "Critical Minerals", "family": "Trade", "name": "Export and import ban"}]
        ),
        **more,
    }


def event(**more: Any) -> dict[str, Any]:
    """One export control as typed by hand: China's licences for antimony."""
    return {
        "announced": "2024-08-15",
        "effective": "2024-09-15",
        "measure": "Announcement No. 33 of 2024: antimony and other items",
        "instrument": "licence",
        "materials": "Sb; superhard",
        "chinese_hs_codes_quoted_on_page": "2617101000;8110101000;2825800010",
        "target": "world",
        "source_url": "https://example.invalid/33",
        **more,
    }


def write(path: Path, content: Any) -> Path:
    """Write JSON for a list or an object, else the text."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path
