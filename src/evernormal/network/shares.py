"""Observe a form that trade codes cannot show: imports, shares and production from published facts.

Only what facts say is used.  A figure of a basket of goods counts only when the basket's world trade is no
larger than the form's world production; a figure of several years or months is taken per year.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from evernormal.errors import NotCoveredError
from evernormal.network.balance import RELATIVE_SIGMA
from evernormal.network.forms import Content, Form, contained
from evernormal.network.network import REST_OF_WORLD as REST
from evernormal.network.observations import (
    BASE_ROW_SCHEMA,
    FLOW_SCHEMA,
    PRODUCTION_SCHEMA,
    Observed,
    production_rows,
)
from evernormal.network.relays import Account, implied_inflows
from evernormal.network.share_production import (
    GRADES,
    SHARE_TOLERANCE,
    Made,
    completed,
    made_by,
    with_implied,
)
from evernormal.network.stocks import nearest_period
from evernormal.result import Finding, Parameter

__all__ = ["observe_shares"]


@dataclass
class _Book:
    """Facts of one form, and what is said of them on the way."""

    form: Form
    year: int
    facts: pl.DataFrame
    content: Content
    findings: list[Finding] = field(default_factory=list)
    baskets: bool = False

    def topic(self, name: str, region: str | None = None) -> pl.DataFrame:
        rows = self.facts.filter(pl.col("topic") == name)
        if region is not None:
            rows = rows.filter(pl.col("region") == region)
        if not self.baskets:
            basket = pl.col("basis").fill_null("").str.contains("basket")
            rows = rows.filter(~basket & ~pl.col("definition").fill_null("").str.contains("(?i)basket of"))
        return nearest_period(rows, self.year)

    def tonnes(self, row: dict[str, object]) -> float:
        """Tonnes contained a year of a fact in tonnes."""
        gross = str(row["basis"] or "").startswith("gross")
        factor = self.content.value if gross else 1.0
        return float(str(row["value"])) * factor / _years(str(row["period"]))


def observe_shares(
    form: Form, focal: str, year: int, facts: pl.DataFrame, statistics: pl.DataFrame | None = None
) -> Observed:
    """Observe a form of coverage ``share`` from published facts.

    Args:
        form: the form.
        focal: focal region.
        year: base year; figures of the nearest period are used, and said so.
        facts: every fact of the form, as :func:`evernormal.data.facts` gives them.
        statistics: rows of the form's production source, as :func:`evernormal.data.production` gives them.

    Raises:
        NotCoveredError: the focal region's imports, the suppliers or a price are not published; says which.
    """
    book = _Book(form, year, facts, contained(form.name))
    listed, idle = _statistics(form, year, statistics)
    made = made_by(
        book.topic("world_production").filter(pl.col("unit") == "t"),
        book.topic("refining_share").filter((pl.col("unit") == "1") & ~pl.col("region").is_in(idle)),
        listed,
        book.tonnes,
    )
    book.baskets = _basket_is_small(book, made.world)
    price = _price(book)
    missing = []
    total = _imports(book, focal, price)
    if total is None:
        missing.append(f"imports of {focal} (t or USD a year)")
    shares = _shares(book, focal)
    if shares.is_empty():
        missing.append(f"import_share of {focal} by partner")
    if price is None:
        missing.append("price (USD/t)")
    if missing or total is None or price is None:
        raise NotCoveredError(
            f"no published figure of {form.name} for: {'; '.join(missing)}",
            where=f"facts, {year}",
            cure="Bring rows with these topics: evernormal data add facts FILE, then add --facts NAME.",
        )
    flows = [_supply(book, focal, total, shares, price)]
    for region in _others(book, focal):
        amount = _imports(book, region, price)
        theirs = _shares(book, region)
        if amount is not None and not theirs.is_empty():
            flows.append(_supply(book, region, amount, theirs, price))
    table = pl.concat(flows).filter(pl.col("contained_t") > 0)
    seen = frozenset(table["importer"].to_list()) - {REST}
    onward = _exports_to_rest(book, table, price)
    _say_scope(book, focal, total, made.countries)
    hidden = implied_inflows(_account(book, table, made, seen, onward))
    book.findings += hidden.findings
    table = pl.concat([table, onward]).sort("exporter", "importer")
    return Observed(
        form,
        with_implied(table.select(list(FLOW_SCHEMA)), hidden.table, price.value, book.content.value),
        completed(made, hidden),
        False,
        price,
        _base_rows(table, focal),
        tuple(book.findings),
        ("facts", "production") if len(listed) else ("facts",),
        (book.content.parameter, *hidden.parameters),
        hidden.table,
    )


def _statistics(form: Form, year: int, table: pl.DataFrame | None) -> tuple[pl.DataFrame, list[str]]:
    """Production statistics of the year, and the countries that they say made none."""
    if table is None or table.is_empty():
        return pl.DataFrame(schema=PRODUCTION_SCHEMA), []
    idle = table.filter((pl.col("year") == year) & (pl.col("value") == 0))["country"]
    return production_rows(form, year, table)[0], sorted(set(idle.to_list()))


def _years(period: str) -> float:
    """Length of a period in years: ``2023`` is 1, ``2023-11`` a twelfth, ``2019-01/2023-05`` is 53 months.

    >>> _years("2023"), _years("2021/2024"), round(_years("2019-01/2023-05") * 12)
    (1.0, 4.0, 53)
    """
    first, _, last = period.partition("/")
    last = last or first
    year, _, month = first.partition("-")
    end_year, _, end_month = last.partition("-")
    months = (int(end_year) - int(year)) * 12 + (int(end_month[:2]) if end_month else 12)
    return (months - (int(month[:2]) if month else 1) + 1) / 12


def _account(
    book: _Book, flows: pl.DataFrame, made: Made, visible: frozenset[str], onward: pl.DataFrame
) -> Account:
    """What is known of the form, as equation E27 takes it.

    Figures of a basket may be of other goods: that a country ships more of them than it makes says nothing.
    """
    used = book.topic("consumption").filter((pl.col("unit") == "t") & ~pl.col("region").is_in(["WLD", REST]))
    use = {
        row["region"]: book.tonnes(row)
        for row in used.unique("region", keep="first", maintain_order=True).iter_rows(named=True)
    }
    table = made.countries
    left = {str(row["region"]): 0.0 for row in _total_exports(book)}
    left |= dict(onward.select("exporter", "contained_t").iter_rows())
    return Account(
        book.form.name,
        flows.select("exporter", "importer", "contained_t"),
        dict(table.select("country", "contained_t").iter_rows()),
        None if book.baskets else made.unlisted,
        visible,
        use,
        left,
    )


def _basket_is_small(book: _Book, world: float | None) -> bool:
    """Whether figures of the basket may stand for the form: its world trade fits into world production."""
    book.baskets = True
    traded = book.topic("imports", "WLD").filter((pl.col("unit") == "t") & pl.col("partner").is_null())
    basket = traded.filter(pl.col("basis").fill_null("").str.contains("basket"))
    if basket.is_empty() or world is None:
        return False
    fits = book.tonnes(basket.row(0, named=True)) <= world
    if fits:
        book.findings.append(
            Finding(
                "basket-stands-for-form",
                "caution",
                f"Trade figures of {book.form.name} are those of a basket of goods that holds more than it.",
                {"form": book.form.name},
            )
        )
    return fits


def _price(book: _Book) -> Parameter | None:
    rows = book.topic("price").filter(pl.col("unit") == "USD/t")
    rows = pl.concat([rows.filter(pl.col("region") == "WLD"), rows.filter(pl.col("region") != "WLD")])
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    basis = str(row["basis"] or "gross")
    factor = 1.0 / book.content.value if basis.startswith("gross") or "sulphate" in basis else 1.0
    value = row["value"] * factor
    low = (row["low"] or row["value"]) * factor
    high = (row["high"] or row["value"]) * factor
    source = f"{row['definition']}; {row['source']}, {row['period']}"
    name = f"world_price {book.form.name}"
    return Parameter(name, value, low, high, "USD/t contained", row["grade"], source)


def _imports(book: _Book, region: str, price: Parameter | None) -> tuple[float, dict[str, object]] | None:
    """Imports of a region in tonnes contained a year, and the fact they come from."""
    rows = book.topic("imports", region)
    whole = rows.filter(pl.col("partner").is_null())
    tonnes = whole.filter(pl.col("unit") == "t")
    if len(tonnes):
        row = tonnes.row(0, named=True)
        mean = "yearly mean" in str(row["definition"]).lower()
        amount = book.tonnes(row) * (_years(str(row["period"])) if mean else 1.0)
        return amount, row
    partial = rows.filter(pl.col("partner").is_not_null() & (pl.col("unit") == "t"))
    for row in partial.iter_rows(named=True):
        share = book.topic("import_share", region).filter(pl.col("partner") == row["partner"])
        if len(share) and share["value"][0] > 0:
            return book.tonnes(row) / share["value"][0], row | {"grade": "C"}
    dollars = whole.filter(pl.col("unit") == "USD")
    if len(dollars) and price is not None:
        row = dollars.row(0, named=True)
        return row["value"] / _years(str(row["period"])) / price.value, row | {"grade": "C"}
    return None


def _shares(book: _Book, region: str) -> pl.DataFrame:
    """Partner shares of a region's imports from one source and period, quantity before value."""
    rows = book.topic("import_share", region).filter(
        (pl.col("unit") == "1") & pl.col("partner").is_not_null() & (pl.col("partner") != region)
    )
    if rows.is_empty():
        return rows
    basis = pl.col("basis").fill_null("value")
    origin = pl.coalesce("set_source", "source") if "set_source" in rows.columns else pl.col("source")
    sets = (
        rows.with_columns(basis=basis, _set=origin + "|" + pl.col("period") + "|" + basis)
        .with_columns(_sum=pl.col("value").sum().over("_set"), _theirs=pl.col("_theirs").min().over("_set"))
        .filter(pl.col("_sum") <= SHARE_TOLERANCE)
        .sort(
            "_away",
            "_theirs",
            pl.col("_sum").round(1),
            pl.col("basis") != "quantity",
            "_set",
            descending=[False, False, True, False, False],
        )
    )
    if sets.is_empty():
        return sets
    chosen = sets.filter(pl.col("_set") == sets["_set"][0])
    return chosen.unique("partner", keep="first", maintain_order=True).sort("partner")


def _others(book: _Book, focal: str) -> list[str]:
    """Other regions whose imports are published."""
    regions = book.topic("imports")["region"].unique().to_list()
    return sorted(set(regions) - {focal, "WLD", REST})


def _supply(
    book: _Book, region: str, total: tuple[float, dict[str, object]], shares: pl.DataFrame, price: Parameter
) -> pl.DataFrame:
    """Flows to one region: total times share, what the shares do not name from the rest of the world."""
    amount, fact = total
    parts = {row["partner"]: row for row in shares.iter_rows(named=True)}
    named = sum(row["value"] for row in parts.values())
    scale = 1.0 / max(named, 1.0)
    rows = []
    for partner, row in sorted(parts.items()):
        rows.append(_flow(book, partner, region, amount * row["value"] * scale, fact, row, price))
    rest = amount * max(1.0 - named, 0.0)
    if rest > 1e-9 * amount:
        rows.append(_flow(book, REST, region, rest, fact, {}, price))
    return pl.DataFrame(
        rows, schema=FLOW_SCHEMA | {c: BASE_ROW_SCHEMA[c] for c in ("year", "source", "source_ref", "as_of")}
    )


def _total_exports(book: _Book) -> list[dict[str, object]]:
    """Published exports of each country to all partners, in tonnes, the nearest period."""
    rows = book.topic("exports").filter((pl.col("unit") == "t") & pl.col("partner").is_null())
    single = rows.filter(~pl.col("region").is_in(["WLD", REST]))
    return single.unique("region", keep="first", maintain_order=True).to_dicts()


def _exports_to_rest(book: _Book, flows: pl.DataFrame, price: Parameter) -> pl.DataFrame:
    """What published exports of a country exceed its flows to regions with published imports."""
    rows = []
    for fact in _total_exports(book):
        country = str(fact["region"])
        mine = flows.filter(pl.col("exporter") == country)
        rest = book.tonnes(fact) - float(mine["contained_t"].sum())
        if rest > 0 and mine.filter(pl.col("importer") == REST).is_empty():
            rows.append(_flow(book, country, REST, rest, fact, {}, price))
    return pl.DataFrame(rows, schema=flows.schema)


def _flow(
    book: _Book,
    exporter: str,
    importer: str,
    tonnes: float,
    fact: dict[str, object],
    share: dict[str, object],
    price: Parameter,
) -> dict[str, object]:
    grade = max(GRADES[str(fact["grade"])], GRADES[str(share.get("grade", "C"))])
    share_source = (
        f"; share: {share['source']}, {share['period']}" if share else "; share: what the others leave"
    )
    return {
        "exporter": exporter,
        "importer": importer,
        "contained_t": tonnes,
        "gross_t": tonnes / book.content.value,
        "value_usd": tonnes * price.value,
        "sigma_t": tonnes * RELATIVE_SIGMA[grade],
        "grade": grade,
        "year": int(str(fact["period"])[:4]),
        "source": f"{fact['source']}, {fact['period']}{share_source}",
        "source_ref": "; ".join(str(x) for x in (fact["fact_id"], share.get("fact_id")) if x),
        "as_of": str(fact["as_of"]),
    }


def _base_rows(table: pl.DataFrame, focal: str) -> pl.DataFrame:
    mine = table.filter(pl.col("importer") == focal)
    return mine.select(
        "year",
        pl.col("exporter").alias("supplier"),
        revision=pl.lit("facts"),
        code=pl.lit(""),
        value_usd="value_usd",
        quantity_t="gross_t",
        content=pl.col("contained_t") / pl.col("gross_t"),
        contained_t="contained_t",
        source="source",
        source_ref="source_ref",
        as_of="as_of",
        grade="grade",
    ).cast(BASE_ROW_SCHEMA)  # type: ignore[arg-type]


def _say_scope(
    book: _Book, focal: str, total: tuple[float, dict[str, object]], production: pl.DataFrame
) -> None:
    """Say that the picture rests on published shares, and how far from the base year."""
    form, fact = book.form.name, total[1]
    book.findings.append(
        Finding(
            "share-based",
            "warning",
            f"{form} has no trade code of its own here: flows are {focal}'s published imports"
            f" ({fact['period']}) times published shares; trade among others is mostly not known, and"
            " what a producer is not known to ship counts as its own use.",
            {"form": form, "period": fact["period"], "source": fact["source"]},
        )
    )
    if not str(fact["period"]).startswith(str(book.year)):
        book.findings.append(
            Finding(
                "period-differs",
                "caution",
                f"Imports of {form} are of {fact['period']}, not of {book.year}.",
                {"form": form, "period": fact["period"], "year": book.year},
            )
        )
    if production.is_empty():
        book.findings.append(
            Finding(
                "production-unknown",
                "caution",
                f"World production of {form} is not published here: suppliers make what they ship.",
                {"form": form},
            )
        )
