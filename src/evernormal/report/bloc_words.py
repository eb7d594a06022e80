"""What a bloc's reference prices do, in sentences a minister can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from evernormal.report.language import Language, language
from evernormal.result import Result

__all__ = ["bloc_heading", "bloc_sentences"]

MOST_DIVERTED = 2
"""Exporters whose diverted goods are told."""
MOST_PROJECTS = 3
"""Projects that are told by name."""
NOTHING = 1e-5
"""Gains and losses below this share of the largest beside them count as none."""


def bloc_sentences(result: Result, lang: str = "en") -> list[str]:
    """Return the answer of a bloc study in sentences, the most important first.

    Args:
        result: a Result of kind ``bloc_study``.
        lang: ``en`` or ``ko``.
    """
    teller = _Teller(result, language(lang))
    return [
        *teller.price(),
        *teller.focal(),
        *teller.accounts(),
        *teller.ranges(),
        *teller.held(),
        *teller.attacks(),
        *teller.alternatives(),
        *teller.diversion(),
        *teller.leakage(),
        *teller.projects(),
        *teller.withdrawn(),
    ]


def bloc_heading(result: Result, lang: str = "en") -> list[str]:
    """Return the lines above the sentences: what was asked, and which year is shown."""
    words, call = language(lang), result.lineage.call
    return [
        words.text("bloc.heading", title=call[f"title_{lang}"], name=call["scenario"]),
        words.text("bloc.shown", year=call["year"]),
    ]


class _Teller:
    def __init__(self, result: Result, words: Language) -> None:
        self.result, self.words = result, words
        self.form_name = str(result.lineage.call["form"])
        self.form = words.inline(words.form(self.form_name))

    def _row(self, table: str, column: str, value: object) -> dict[str, Any]:
        found = self.result[table].filter(pl.col(column) == value)
        return dict(found.row(0, named=True)) if found.height else {}

    def _side(self, who: str, usd: float, *, there: bool = True, scale: float = 0.0) -> str:
        """What one side gains or loses; next to nothing beside ``scale`` is no change."""
        name = self.words.text(f"bloc.{who}")
        if not there:
            return self.words.text("bloc.nobody", who=name)
        if abs(usd) <= max(1.0, NOTHING * scale):
            return self.words.text("bloc.even", who=name)
        key = "bloc.gain" if usd > 0 else "bloc.loss"
        return self.words.text(key, who=name, amount=self.words.money(abs(usd)))

    def held(self) -> Iterator[str]:
        ladder = self.result["ladder"].drop_nulls("reference_usd_t")
        count = {
            status: ladder.filter(status=status).height for status in ladder["status"].unique().to_list()
        }
        forms = ladder["form"].unique(maintain_order=True).to_list()
        named = ", ".join(self.words.inline(self.words.form(name)) for name in forms)
        instrument = str(self.result.lineage.call["instrument"])
        if instrument != "levy":
            way = self.words.inline(self.words.text(f"bloc.way.{instrument}"))
            yield self.words.text("bloc.held_otherwise", cells=ladder.height, forms=named, way=way)
            return
        yield self.words.text(
            "bloc.held",
            cells=ladder.height,
            forms=named,
            held=count.get("held", 0),
            above=count.get("above", 0),
            reach=count.get("out of reach", 0),
        )

    def price(self) -> Iterator[str]:
        before = self._row("alternatives", "instrument", "none")
        after = self._row("attacks", "attack", "as_announced")
        if before and after:
            yield self.words.text(
                "bloc.price" if after["maker_usd_t"] is not None else "bloc.price_no_makers",
                year=self.result.lineage.call["year"],
                form=self.form,
                before=self.words.money(before["user_usd_t"]),
                after=self.words.money(after["user_usd_t"]),
                maker=self.words.money(after["maker_usd_t"]),
            )

    def _makes(self, region: str | None) -> bool:
        """Whether anything of any stage is made by members, or in one region."""
        table = self.result["regions"]
        mine = table.filter(pl.col("member") if region is None else pl.col("region") == region)
        return bool((mine["made_before_t"] + mine["made_t"]).sum() > 0)

    def accounts(self) -> Iterator[str]:
        value = self.result.scalar
        sides = {
            "users": value("members_users_usd"),
            "makers": value("members_producers_usd") + value("members_processors_usd"),
            "traders": value("members_traders_usd"),
            "government": value("members_budget_usd"),
        }
        sums = {who: value(f"{who}_welfare_usd") for who in ("members", "others", "world")}
        scale = max(abs(usd) for usd in (*sides.values(), *sums.values()))
        there = {"makers": self._makes(None)}
        told = [self._side(who, usd, there=there.get(who, True), scale=scale) for who, usd in sides.items()]
        yield self.words.text("bloc.accounts", list=", ".join(told))
        told = [self._side(who, usd, scale=scale) for who, usd in sums.items()]
        yield self.words.text("bloc.welfare", list=", ".join(told))

    def focal(self) -> Iterator[str]:
        stands = {row["position"]: row for row in self.result["membership"].iter_rows(named=True)}
        if len(stands) < 3:
            return
        words, code = self.words, str(self.result.lineage.call["focal"])
        prices = {name: words.money(row["price_usd_t"]) for name, row in stands.items()}
        yield words.text("bloc.focal", focal=words.country(code), **prices)
        for name in ("outside", "inside"):
            row = stands[name]
            sides = {who: row[f"{who}_usd"] for who in ("users", "makers", "traders")}
            sides |= {"treasury": row["government_usd"], "total": row["total_usd"]}
            scale = max(abs(usd) for usd in sides.values())
            there = {"makers": self._makes(code)}
            told = [
                self._side(who, usd, there=there.get(who, True), scale=scale) for who, usd in sides.items()
            ]
            yield words.text(f"bloc.focal_{name}", list=", ".join(told))
        supplier = stands["inside"]["main_supplier"]
        if supplier is not None:
            due = self.result.lineage.call["instrument"] in ("levy", "tariff")
            yield words.text(
                "bloc.focal_supplier" if due else "bloc.focal_supplier_free",
                focal=words.country_inline(code),
                supplier=words.country_inline(supplier),
                levy=words.money(stands["inside"]["levy_usd_t"]),
                **{
                    name: words.tonnes(row["from_main_supplier_t"], rounded=True)
                    for name, row in stands.items()
                },
            )

    def ranges(self) -> Iterator[str]:
        """Where the sums stand when behaviour goes to the ends of its intervals; is the sign sure?"""
        if "ranges" not in self.result.tables:
            return
        table, words = self.result["ranges"], self.words
        ends = {name: table[f"{name}_usd"].sort().to_list() for name in ("members", "focal")}
        yield words.text(
            "bloc.spread",
            focal=words.country_inline(str(self.result.lineage.call["focal"])),
            low=words.money(ends["members"][0]),
            high=words.money(ends["members"][-1]),
            focal_low=words.money(ends["focal"][0]),
            focal_high=words.money(ends["focal"][-1]),
        )
        if ends["members"][0] < 0 < ends["members"][-1]:
            yield words.text("bloc.unsure")

    def attacks(self) -> Iterator[str]:
        before = self._row("attacks", "attack", "as_announced")
        for attack, key in (("price_cut", "bloc.cut"), ("withheld", "bloc.withheld")):
            row = self._row("attacks", "attack", attack)
            if not row or self.result.lineage.call["instrument"] != "levy":
                continue
            calm, price = self.words.money(before["user_usd_t"]), self.words.money(row["user_usd_t"])
            yield self.words.text(
                f"{key}_same" if attack == "withheld" and calm == price else key,
                by=self.words.country_inline(row["by"]),
                size=self.words.percent(row["size_ratio"]),
                form=self.form,
                calm=calm,
                before=self.words.money(before["levy_revenue_usd"]),
                after=self.words.money(row["levy_revenue_usd"]),
                price=price,
            )

    def alternatives(self) -> Iterator[str]:
        cost = {
            name: -self._row("alternatives", "instrument", name)["budget_usd"]
            for name in ("purchase", "contract")
        }
        yield self.words.text(
            "bloc.alternatives", **{name: self.words.money(value) for name, value in cost.items()}
        )

    def diversion(self) -> Iterator[str]:
        table = self.result["diversion"].filter(form=self.form_name).drop_nulls("diverted_share")
        lost = table.with_columns(lost=pl.col("to_members_before_t") - pl.col("to_members_t"))
        for row in lost.filter(pl.col("exporter") != "ROW").head(MOST_DIVERTED).iter_rows(named=True):
            if row["lost"] <= 0:
                continue
            yield self.words.text(
                "bloc.diverted",
                exporter=self.words.country(row["exporter"]),
                lost=self.words.tonnes(row["lost"], rounded=True),
                form=self.form,
                share=self.words.percent(min(max(row["diverted_share"], 0.0), 1.0)),
                before=self.words.money(row["price_before_usd_t"]),
                after=self.words.money(row["price_usd_t"]),
            )

    def leakage(self) -> Iterator[str]:
        if self.result["leakage"].is_empty():
            return
        if self.result.lineage.call["rules_of_origin"] == "strict":
            yield self.words.text("bloc.no_leak")
            return
        for row in self.result["leakage"].filter(pl.col("passed_off_t") > 0).iter_rows(named=True):
            yield self.words.text(
                "bloc.leak",
                tonnes=self.words.tonnes(row["passed_off_t"], rounded=True),
                form=self.words.inline(self.words.form(row["form"])),
                usd=self.words.money(row["levy_avoided_usd"]),
            )

    def projects(self) -> Iterator[str]:
        known = self.result["projects"].drop_nulls(["pays_without", "pays_with"])
        if known.is_empty():
            return
        words = self.words
        yield words.text(
            "bloc.projects",
            count=known.height,
            without=int(known["pays_without"].sum()),
            **{"with": int(known["pays_with"].sum())},
        )
        won = known.filter(pl.col("pays_with") & ~pl.col("pays_without")).drop_nulls("least_reference_usd_t")
        for row in won.sort("break_even_usd_t", "name").head(MOST_PROJECTS).iter_rows(named=True):
            yield words.text(
                "bloc.viable",
                name=row["name"],
                country=words.country_inline(row["country"]),
                form=words.inline(words.form(row["form"])),
                needs=words.money(row["break_even_usd_t"]),
                reference=words.money(row["least_reference_usd_t"]),
            )
        yield from self._swamped(won)

    def _swamped(self, won: pl.DataFrame) -> Iterator[str]:
        """Plants too large for their own market: while the floor holds they do not earn their capital."""
        in_force = self.result["path"].filter(pl.col("in_force"))["year"].to_list()
        for row in won.head(MOST_PROJECTS).iter_rows(named=True):
            years = self.result["plants"].filter(
                pl.col("name") == row["name"], pl.col("year").is_in(in_force), pl.col("unpaid_usd") > 0
            )
            for plant in years.head(1).iter_rows(named=True):
                yield self.words.text(
                    "bloc.swamped",
                    name=row["name"],
                    year=plant["year"],
                    share=self.words.percent(plant["output_t"] / row["capacity_t"], digits=0),
                    price=self.words.money(plant["price_usd_t"]),
                )

    def withdrawn(self) -> Iterator[str]:
        path, words = self.result["path"], self.words
        held = path.filter(pl.col("in_force"))
        after = path.filter(pl.col("year") > held["year"].max())
        if after.is_empty():
            return
        last, next_year = held.row(-1, named=True), after.row(0, named=True)
        made = last["maker_usd_t"] is not None and next_year["maker_usd_t"] is not None
        price = "maker_usd_t" if made else "user_usd_t"
        yield words.text(
            "bloc.withdrawn" if made else "bloc.withdrawn_users",
            year=last["year"],
            form=self.form,
            before=words.money(last[price]),
            after=words.money(next_year[price]),
        )
        left = self.result["plants"].filter(pl.col("year") == next_year["year"], pl.col("unpaid_usd") > 0)
        if left.height:
            shares = left["unpaid_public_usd"]
            public = None if shares.null_count() else float(shares.sum())
            yield words.text(
                "bloc.stranded",
                unpaid=words.money(float(left["unpaid_usd"].sum())),
                public=words.money(public),
            )
