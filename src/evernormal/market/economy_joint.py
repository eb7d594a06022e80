"""Output and value of products whose inputs are short together (equation E154)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evernormal.errors import InputError, LabelError, SolverError

__all__ = ["JointProducts"]

Floats = NDArray[np.float64]


class JointProducts:
    """Products p, materials m, periods t of one question."""

    def __init__(
        self, table: pl.DataFrame, missing: dict[str, Floats], single: dict[str, Floats], switching: float
    ) -> None:
        self.table, self.switching = table, switching
        self.materials = sorted(missing)
        known = table["material"].unique().sort().to_list()
        for name in self.materials:
            if name not in known:
                raise LabelError(
                    f"no product of the recipes needs {name}", cure=f"They need {', '.join(known)}."
                )
        if not missing:
            raise InputError("no shortage was given")
        self.periods = len(next(iter(missing.values())))
        products = table.group_by("product").agg(pl.col("base_share").first()).sort("product")
        self.products = products["product"].to_list()
        share = products["base_share"].to_numpy()
        self.base = share / float(np.sort(share).sum())
        self.content = np.zeros((len(known), len(self.products)))
        for product, material, content in table.select("product", "material", "content").iter_rows():
            self.content[known.index(material), self.products.index(product)] = content
        self.needs = self.content > 0
        self.known = known
        rows = [known.index(m) for m in self.materials]
        self.missing = np.zeros((len(known), self.periods))
        self.missing[rows] = np.array([missing[m] for m in self.materials])
        self.single = np.full((len(known), self.periods), np.nan)
        for name, values in single.items():
            if name not in self.materials:
                raise LabelError(f"a loss of {name} and no shortage of it", cure="Give both or none.")
            if len(values) != self.periods:
                raise LabelError(f"shortage and loss of {name} have different lengths", cure="Give the same.")
            self.single[known.index(name)] = values

    def kept(self, missing: Floats) -> Floats:
        """(P,) share of base output that each product keeps without switching: that of its scarcest input."""
        return np.asarray(1 - np.where(self.needs, missing[:, None], 0.0).max(axis=0))

    def output(self, missing: Floats) -> Floats:
        """(P,) share of base output, products moving where switching lets them."""
        kept = self.kept(missing)
        if self.switching == 0 or not missing.any():
            return kept
        from scipy.optimize import linprog  # noqa: PLC0415 - heavy

        count = len(self.products)
        use = self.content * self.base
        stock = (1 - missing) * use.sum(axis=1)
        ones = np.ones((1, count))
        found = linprog(
            -np.ones(count),
            A_ub=np.vstack([self.content, ones, ones]),
            b_ub=np.concatenate([stock - use @ kept, [self.switching, 1 - float(self.base @ kept)]]).clip(0),
            bounds=[(0, None)] * count,
            method="highs-ds",
        )
        if found.status != 0:
            raise SolverError(f"no best mix of products was found ({found.message})", where="joint_shortage")
        return np.asarray(kept + found.x / self.base)

    def lost(self, missing: Floats) -> float:
        """Share of all output that is lost."""
        return float(np.clip(1 - self.base @ self.output(missing), 0, 1))

    def alone(self, t: int) -> Floats:
        """(M,) share of all output lost if each material alone were short."""
        out = np.zeros(len(self.known))
        for m in np.flatnonzero(self.missing[:, t]):
            only = np.zeros(len(self.known))
            only[m] = self.missing[m, t]
            out[m] = self.lost(only)
        return out

    def value(self, t: int, lost: float) -> tuple[float, Floats]:
        """Return the joint loss in USD and each single one (equation E154).

        The loss behind a material is spread over its products by what they use of it; a product loses the
        largest of what its materials would cost it, in the proportion in which switching spares output.
        """
        single = self.single[:, t]
        if np.isnan(single[[self.known.index(m) for m in self.materials]]).any():
            return float("nan"), single
        use = self.content * self.base
        spread = use / use.sum(axis=1, keepdims=True)
        by_product = np.where(self.needs, np.nan_to_num(single)[:, None] * spread, 0.0).max(axis=0)
        rigid = float(np.clip(1 - self.base @ self.kept(self.missing[:, t]), 0, 1))
        spared = 1.0 if rigid <= 0 else lost / rigid
        return float(np.sort(by_product).sum()) * spared, single
