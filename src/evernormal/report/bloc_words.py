"""What a bloc's reference prices do, in sentences a minister can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from evernormal.report.language import Language, language
from evernormal.result import Result

__all__ = ["bloc_sentences"]

MOST_DIVERTED = 2
"""Exporters whose diverted goods are told."""


def bloc_sentences(result: Result, lang: str = "en") -> list[str]:
    """Return the answer of a bloc study in sentences, the most important first.

    Args:
        result: a Result of kind ``bloc_study``.
        lang: ``en`` or ``ko``.
    """
    teller = _Teller(result, language(lang))
    return [
        *teller.held(),
        *teller.price(),
        *teller.accounts(),
        *teller.focal(),
        *teller.attacks(),
        *teller.alternatives(),
        *teller.diversion(),
        *teller.leakage(),
        *teller.projects(),
        *teller.withdrawn(),
    ]


class _Teller:
    def __init__(self, result: Result, words: Language) -> None:
        self.result, self.words = result, words
        self.form_name = str(result.lineage.call["form"])
        self.form = words.inline(words.form(self.form_name))

    def _row(self, table: str, column: str, value: object) -> dict[str, Any]:
        found = self.result[table].filter(pl.col(column) == value)
        return dict(found.row(0, named=True)) if found.height else {}

    def _side(self, who: str, usd: float | None) -> str:
        name = self.words.text(f"bloc.{who}")
        if usd is None:
            return f"{name} {self.words.unknown}"
        if abs(usd) < 1.0:
            return self.words.text("bloc.even", who=name)
        key = "bloc.gain" if usd > 0 else "bloc.loss"
        return self.words.text(key, who=name, amount=self.words.money(abs(usd)))

    def held(self) -> Iterator[str]:
        ladder = self.result["ladder"].drop_nulls("reference_usd_t")
        count = {
            status: ladder.filter(status=status).height for status in ladder["status"].unique().to_list()
        }
        forms = ladder["form"].unique(maintain_order=True).to_list()
        named = sorted(self.words.inline(self.words.form(name)) for name in forms)
        yield self.words.text(
            "bloc.held",
            cells=ladder.height,
            forms=", ".join(named),
            held=count.get("held", 0),
            above=count.get("above", 0),
            reach=count.get("out of reach", 0),
        )

    def price(self) -> Iterator[str]:
        before = self._row("alternatives", "instrument", "none")
        after = self._row("attacks", "attack", "as_announced")
        if before and after:
            yield self.words.text(
                "bloc.price",
                year=self.result.lineage.call["year"],
                form=self.form,
                before=self.words.money(before["user_usd_t"]),
                after=self.words.money(after["user_usd_t"]),
                maker=self.words.money(after["maker_usd_t"]),
            )

    def accounts(self) -> Iterator[str]:
        value = self.result.scalar
        makers = value("members_producers_usd") + value("members_processors_usd")
        listed = [
            self._side("users", value("members_users_usd")),
            self._side("makers", makers),
            self._side("traders", value("members_traders_usd")),
            self._side("government", value("members_budget_usd")),
        ]
        yield self.words.text("bloc.accounts", list=", ".join(listed))
        sums = [self._side(who, value(f"{who}_welfare_usd")) for who in ("members", "others", "world")]
        yield self.words.text("bloc.welfare", list=", ".join(sums))

    def focal(self) -> Iterator[str]:
        stands = {row["position"]: row for row in self.result["membership"].iter_rows(named=True)}
        if len(stands) < 3:
            return
        words = self.words
        prices = {name: words.money(row["price_usd_t"]) for name, row in stands.items()}
        focal = words.country(str(self.result.lineage.call["focal"]))
        yield words.text("bloc.focal", focal=focal, **prices)
        for name in ("outside", "inside"):
            row = stands[name]
            listed = [self._side(who, row[f"{who}_usd"]) for who in ("users", "makers", "traders")]
            listed.append(self._side("treasury", row["government_usd"]))
            listed.append(self._side("total", row["total_usd"]))
            yield words.text(
                f"bloc.focal_{name}",
                list=", ".join(listed),
                tonnes=words.tonnes(row["from_main_supplier_t"], rounded=True),
                supplier=words.country_inline(row["main_supplier"]),
                levy=words.money(row["levy_usd_t"]),
            )

    def attacks(self) -> Iterator[str]:
        before = self._row("attacks", "attack", "as_announced")
        for attack, key in (("price_cut", "bloc.cut"), ("withheld", "bloc.withheld")):
            row = self._row("attacks", "attack", attack)
            if not row or self.result.lineage.call["instrument"] != "levy":
                continue
            yield self.words.text(
                key,
                by=self.words.country(row["by"]),
                size=self.words.percent(row["size_ratio"]),
                form=self.form,
                before=self.words.money(before["levy_revenue_usd"]),
                after=self.words.money(row["levy_revenue_usd"]),
                price=self.words.money(row["user_usd_t"]),
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
        if known.height:
            yield self.words.text(
                "bloc.projects",
                count=known.height,
                without=int(known["pays_without"].sum()),
                **{"with": int(known["pays_with"].sum())},
            )

    def withdrawn(self) -> Iterator[str]:
        path = self.result["path"]
        held = path.filter(pl.col("in_force"))
        after = path.filter(pl.col("year") > held["year"].max())
        if after.is_empty():
            return
        last, next_year = held.row(-1, named=True), after.row(0, named=True)
        yield self.words.text(
            "bloc.withdrawn",
            year=last["year"],
            before=self.words.money(last["maker_usd_t"]),
            after=self.words.money(next_year["maker_usd_t"]),
            unpaid=self.words.money(float(after["unpaid_capital_usd"].sum())),
        )
