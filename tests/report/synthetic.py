"""A made-up simulation result with the shape of a lithium hydroxide cut; its figures are not evidence."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl

from evernormal.result import Derivation, Finding, Input, Lineage, Parameter, Result

MONTHS = 24
YEAR_IMPORTS = 21_600.0
SHARES = {
    "CHN": 0.795,
    "CHL": 0.142,
    "ARG": 0.018,
    "USA": 0.012,
    "RUS": 0.009,
    "JPN": 0.006,
    "AUS": 0.005,
    "DEU": 0.003,
    "BEL": 0.002,
    "NLD": 0.002,
    "GBR": 0.001,
    "FRA": 0.001,
    "IND": 0.001,
    "CAN": 0.0008,
    "CHE": 0.0006,
    "SGP": 0.0005,
    "TWN": 0.0004,
    "HKG": 0.0003,
    "MYS": 0.0002,
    "ROW": 0.0002,
}
END_USES = {
    "batteries": ("Cathode materials for batteries", "이차전지 양극재", 0.93, 30_000.0),
    "greases": ("Lubricating greases", "윤활 그리스", 0.04, 55_000.0),
    "ceramics": ("Glass and ceramics", "유리·세라믹", 0.02, 21_000.0),
    "other": ("Other uses", "기타 용도", 0.01, 18_000.0),
}
COLUMN_UNITS = {
    "share": "fraction",
    "ratio": "fraction of base",
    "days": "days",
    "usd": "USD",
    "usd_t": "USD/t contained",
}


def months() -> list[dt.date]:
    return [dt.date(2024 + i // 12, i % 12 + 1, 1) for i in range(MONTHS)]


def _path(severity: float) -> dict[str, Any]:
    """Arrivals fall from March 2024, recover slowly; stock fills the gap until it is gone."""
    base = YEAR_IMPORTS / 12
    t = np.arange(MONTHS)
    hit = np.clip((t - 2) / 1.0, 0, 1) * (t >= 2) * (t < 16)
    cut = {s: base * share * (1 - severity * hit if s == "CHN" else 1.0) for s, share in SHARES.items()}
    ramp = np.clip((t - 4) / 8, 0, 1) * (t < 18)
    for s, gain in {"CHL": 190.0, "ARG": 85.0, "USA": 35.0, "AUS": 40.0, "JPN": 6.0}.items():
        cut[s] = base * SHARES[s] + gain * ramp * severity
    imports = {s: np.broadcast_to(v, (MONTHS,)).astype(float) for s, v in cut.items()}
    return {"t": t, "base": base, "imports": imports, "ramp": ramp, "hit": hit}


def _units(tables: dict[str, pl.DataFrame]) -> dict[str, dict[str, str]]:
    special = {
        "cover_days": "days",
        "price_ratio": "ratio to base year",
        "price_usd_t": "USD/t contained",
        "loss_usd": "USD",
        "use_possible": "fraction of base use",
        "value_usd": "USD",
        "content": "kg/kg gross",
        "quantity_t": "t gross",
        "contained_t": "t contained",
        "change_share": "fraction of base",
        "value": "see unit column",
        "low": "see unit column",
        "high": "see unit column",
        "p10": "see unit column",
        "p50": "see unit column",
        "p90": "see unit column",
        "relative": "fraction",
    }
    return {
        name: {c: special.get(c, "t contained") for c, d in table.schema.items() if d.is_float()}
        for name, table in tables.items()
    }


def _stock(total: np.ndarray, base_use: float) -> dict[str, np.ndarray]:
    commercial, state, release, use = [], [], [], []
    c, s = 1_150.0, 350.0
    for i in range(MONTHS):
        out = min(s, 120.0) if i >= 4 else 0.0
        s -= out
        c = c + total[i] + out
        u = min(base_use, c)
        c -= u
        commercial.append(c)
        state.append(s)
        release.append(out)
        use.append(u)
    return {
        k: np.array(v)
        for k, v in (("commercial", commercial), ("state", state), ("release", release), ("use", use))
    }


def _runway(total: np.ndarray, base_use: float) -> pl.DataFrame:
    rows = []
    for policy, extra in (("with release", 350.0), ("without release", 0.0)):
        stock = 1_150.0 + extra
        for day in range(731):
            date = dt.date(2024, 1, 1) + dt.timedelta(days=day)
            month = min(MONTHS - 1, (date.year - 2024) * 12 + date.month - 1)
            arrives, needs = total[month] * 12 / 365, base_use * 12 / 365
            used = min(needs, stock + arrives)
            stock += arrives - used
            rows.append((date, policy, stock, stock / needs, used / needs))
    return pl.DataFrame(
        rows, schema=["date", "policy", "stock_t", "cover_days", "use_possible"], orient="row"
    )


def synthetic_result(severity: float = 0.6, title: str | None = None) -> Result:
    path = _path(severity)
    base, imports, month = path["base"], path["imports"], months()
    total = sum(imports.values())
    stock = _stock(total, base)
    shortage = np.maximum(base - stock["use"], 0.0)
    ratio = 1 + 0.9 * severity * np.clip(path["ramp"] * (1.1 - path["ramp"] / 2) + 0.5 * path["hit"], 0, 1)
    per_day = base * 12 / 365
    cover = (stock["commercial"] + stock["state"]) / per_day
    end_use = pl.DataFrame(
        [
            {
                "month": m,
                "end_use": k,
                "use_t": base * v[2] - s * v[2],
                "base_use_t": base * v[2],
                "shortage_t": s * v[2],
                "loss_usd": s * v[2] * v[3] * 0.9,
            }
            for m, s in zip(month, shortage, strict=True)
            for k, v in END_USES.items()
        ]
    )
    loss = end_use.group_by("month", maintain_order=True).agg(pl.col("loss_usd").sum())["loss_usd"].to_numpy()
    supply = pl.DataFrame(
        {
            "month": month,
            "imports_t": total,
            "base_imports_t": np.full(MONTHS, base),
            "domestic_t": np.zeros(MONTHS),
            "use_t": stock["use"],
            "base_use_t": np.full(MONTHS, base),
            "shortage_t": shortage,
            "release_t": stock["release"],
            "commercial_stock_t": stock["commercial"],
            "state_stock_t": stock["state"],
            "cover_days": cover,
            "price_usd_t": 78_000 * ratio,
            "price_ratio": ratio,
            "loss_usd": loss,
        }
    )
    runway = _runway(total, base)
    tables = {
        "supply": supply,
        "imports": pl.DataFrame(
            [
                {"month": m, "supplier": s, "imports_t": float(v[i]), "base_imports_t": base * SHARES[s]}
                for s, v in imports.items()
                for i, m in enumerate(month)
            ]
        ),
        "end_use": end_use,
        "end_use_names": pl.DataFrame(
            [{"end_use": k, "name_en": v[0], "name_ko": v[1]} for k, v in END_USES.items()]
        ),
        "runway": runway,
        "bands": _bands(supply),
        "rerouting": _rerouting(imports, base),
        "flows": pl.DataFrame(
            [
                {
                    "month": m,
                    "form": "lithium/hydroxide",
                    "exporter": s,
                    "importer": "KOR",
                    "shipped_t": float(v[i]),
                    "base_t": base * SHARES[s],
                }
                for s, v in imports.items()
                for i, m in enumerate(month)
            ]
        ),
        "regions": pl.DataFrame(
            [
                {
                    "month": m,
                    "region": r,
                    "form": "lithium/hydroxide",
                    "production_t": 4_000.0 if r == "CHN" else 0.0,
                    "use_t": base,
                    "imports_t": float(total[i]),
                    "exports_t": 0.0,
                    "stock_t": float(stock["commercial"][i]),
                    "price_ratio": float(ratio[i]),
                }
                for r in ("KOR", "CHN")
                for i, m in enumerate(month)
            ]
        ),
        "measures": pl.DataFrame(
            [
                (
                    "m1",
                    "ban",
                    "CHN",
                    "KOR",
                    "lithium/hydroxide",
                    "2024-02-01",
                    "2024-03-01",
                    None,
                    "2025-05-01",
                    "China withholds 60 % of its lithium hydroxide from Korea.",
                    "중국이 對한국 수산화리튬 수출의 60%를 제한",
                ),
                (
                    "p1",
                    "stock_release",
                    "KOR",
                    "",
                    "lithium/hydroxide",
                    "2024-05-01",
                    "2024-05-01",
                    None,
                    "2024-08-01",
                    "Korea releases its state stock over three months.",
                    "정부 비축 수산화리튬을 3개월에 걸쳐 방출",
                ),
            ],
            schema=[
                "id",
                "kind",
                "by",
                "against",
                "forms",
                "announced",
                "effective",
                "suspended",
                "ends",
                "text_en",
                "text_ko",
            ],
            orient="row",
        ).with_columns(pl.col("announced", "effective", "suspended", "ends").cast(pl.Utf8).str.to_date()),
        "base_rows": pl.DataFrame(
            [
                {
                    "year": 2023,
                    "supplier": s,
                    "revision": "HS1992",
                    "code": "282520",
                    "value_usd": YEAR_IMPORTS * share * 240_000.0,
                    "quantity_t": YEAR_IMPORTS * share / 0.1654,
                    "content": 0.1654,
                    "contained_t": YEAR_IMPORTS * share,
                    "source": "made up for tests",
                    "source_ref": f"row {i}",
                    "as_of": "2025-01-30",
                    "grade": "A",
                }
                for i, (s, share) in enumerate(SHARES.items())
            ]
        ),
        "adjustments": pl.DataFrame(
            {
                "region": ["KOR"],
                "form": ["lithium/hydroxide"],
                "item": ["use"],
                "before_t": [21_000.0],
                "after_t": [YEAR_IMPORTS],
                "relative": [0.0286],
                "grade": ["C"],
            }
        ),
        "parameters": _parameters(),
    }
    tables["summary"] = _summary(tables, severity)
    tables["summary_bands"] = pl.DataFrame(
        [
            {
                "name": n,
                "p10": None if v is None else v * 0.6,
                "p50": v,
                "p90": None if v is None else v * 1.5,
                "unit": u,
            }
            for n, v, u in tables["summary"].select("name", "value", "unit").iter_rows()
            if n in ("shortage_t", "loss_usd", "peak_price_ratio", "min_cover_days", "imports_lost_t")
        ]
    )
    return Result("simulation", tables, _units(tables), _lineage(severity, title), _findings(), _coverage())


def _bands(supply: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for series in ("imports_t", "price_ratio", "cover_days", "shortage_t", "loss_usd"):
        for m, v in supply.select("month", series).iter_rows():
            low, high = (
                (1 + (v - 1) * 0.6, 1 + (v - 1) * 1.5) if series == "price_ratio" else (v * 0.8, v * 1.15)
            )
            rows.append({"series": series, "month": m, "p10": low, "p50": v, "p90": high})
    return pl.DataFrame(rows)


def _rerouting(imports: dict[str, np.ndarray], base: float) -> pl.DataFrame:
    rows = []
    for s, v in imports.items():
        before, after = base * SHARES[s] * 14, float(v[2:16].sum())
        rows.append(
            {
                "supplier": s,
                "base_t": before,
                "disrupted_t": after,
                "change_t": after - before,
                "change_share": (after - before) / before,
            }
        )
    return pl.DataFrame(rows)


def _summary(tables: dict[str, pl.DataFrame], severity: float) -> pl.DataFrame:
    supply, runway = tables["supply"], tables["runway"]
    stop = {
        p: runway.filter((pl.col("policy") == p) & (pl.col("use_possible") < 0.999))["date"].min()
        for p in ("with release", "without release")
    }
    first = supply.filter(pl.col("shortage_t") > 1e-6)["month"].min()
    base_use = float(supply["base_use_t"].sum())
    rows: list[tuple[str, float | None, str | None, str, str]] = [
        ("shortage_t", float(supply["shortage_t"].sum()), None, "t contained", "E60"),
        ("shortage_share", float(supply["shortage_t"].sum()) / base_use, None, "fraction of base use", "E60"),
        ("loss_usd", float(supply["loss_usd"].sum()), None, "USD", "E61"),
        ("peak_price_ratio", float(supply["price_ratio"].max()), None, "ratio to base year", ""),  # type: ignore[arg-type]
        ("min_cover_days", float(supply["cover_days"].min()), None, "days", ""),  # type: ignore[arg-type]
        ("stop_date_with_release", None, stop["with release"] and str(stop["with release"]), "date", ""),
        (
            "stop_date_without_release",
            None,
            stop["without release"] and str(stop["without release"]),
            "date",
            "",
        ),
        (
            "imports_lost_t",
            float((supply["base_imports_t"] - supply["imports_t"]).clip(0).sum()),
            None,
            "t contained",
            "",
        ),
        ("base_imports_year_t", YEAR_IMPORTS, None, "t contained", ""),
        ("base_use_year_t", YEAR_IMPORTS, None, "t contained", ""),
        ("gross_per_contained", 1 / 0.1654, None, "t gross/t contained", ""),
        ("first_shortage_month", None, first and str(first), "month", ""),
    ]
    return pl.DataFrame(
        rows,
        schema={"name": pl.Utf8, "value": pl.Float64, "text": pl.Utf8, "unit": pl.Utf8, "equation": pl.Utf8},
        orient="row",
    )


def _parameters() -> pl.DataFrame:
    return pl.DataFrame(
        [
            ("use_elasticity:batteries", -0.15, -0.3, -0.05, "1", "C", "assumption: made up for tests"),
            ("transit_days", 21.0, 14.0, 35.0, "days", "B", "made up for tests"),
        ],
        schema=["name", "value", "low", "high", "unit", "grade", "source"],
        orient="row",
    )


def _lineage(severity: float, title: str | None) -> Lineage:
    en = title or f"China withholds {severity:.0%} of lithium hydroxide from Korea"
    scenario = {
        "name": "lithium-hydroxide-60",
        "title": {"en": en, "ko": title or "중국의 대한국 수산화리튬 수출 60% 감축"},
        "description": {"en": "A made-up case for tests.", "ko": "시험용 가상 사례."},
        "form": "lithium/hydroxide",
        "focal": "KOR",
        "base_year": 2023,
        "base": "year",
        "start": "2024-01",
        "months": MONTHS,
        "seed": 20_250_207,
        "sources": [{"title": "A report <b>with</b> markup", "url_or_ref": "Ministry, 2024, p. 3"}],
    }
    return Lineage(
        version="0.1.0",
        inputs=(
            Input("trade", "a" * 64, "CEPII BACI HS92 202501", "Etalab 2.0", "2025-01-30"),
            Input("production", "b" * 64, "World Mining Data 2026", "CC BY 4.0", "2026-04-01"),
        ),
        parameters=tuple(Parameter(*row) for row in _parameters().iter_rows()),
        derivations=(
            Derivation("supply", "imports_t", "", ("imports.imports_t",), "Sum over suppliers."),
            Derivation(
                "supply", "shortage_t", "E1", ("supply.base_use_t", "supply.use_t"), "Base use less use."
            ),
            Derivation("supply", "loss_usd", "", ("end_use.loss_usd",), "Sum over end uses."),
            Derivation(
                "end_use",
                "loss_usd",
                "",
                ("end_use.shortage_t", "parameter:use_elasticity"),
                "Shortage times value added.",
            ),
            Derivation(
                "imports", "base_imports_t", "", ("base_rows.contained_t",), "Base-year imports over twelve."
            ),
            Derivation(
                "imports",
                "imports_t",
                "E1",
                ("imports.base_imports_t", "parameter:transit_days"),
                "Equilibrium flow.",
            ),
            Derivation(
                "base_rows",
                "contained_t",
                "",
                ("base_rows.quantity_t", "base_rows.content"),
                "Gross times content.",
            ),
            Derivation("summary", "shortage_t", "E1", ("supply.shortage_t",), "Sum over months."),
            Derivation("summary", "loss_usd", "", ("supply.loss_usd",), "Sum over months."),
        ),
        seed=20_250_207,
        call={"scenario": scenario, "focal": "KOR", "form": "lithium/hydroxide", "draws": 200},
    )


def _findings() -> tuple[Finding, ...]:
    return (
        Finding("test-only", "warning", "These figures are made up <script>alert(1)</script> for tests.", {}),
        Finding(
            "state-stock-unknown",
            "caution",
            "The state stock of lithium hydroxide is not published.",
            {"form": "lithium/hydroxide", "region": "KOR"},
        ),
    )


def _coverage() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "region": ["KOR", "CHN", "CHL", "KOR"],
            "form": ["lithium/hydroxide"] * 4,
            "item": ["imports", "production", "production", "state stock"],
            "status": ["observed", "estimated", "estimated", "unknown"],
            "source": ["CEPII BACI", "published share", "published share", ""],
        }
    )
