"""Laws at the doors of the base picture: Network, Result and errors."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evernormal import errors
from evernormal.network.network import Network
from evernormal.result import Finding, Input, Lineage, Result

from .cases import LAW, networks


@LAW
@given(networks())
def test_base_picture_closes(world: Network) -> None:
    """Law 1: the parts of a balanced picture add up at every region and form, and its table agrees."""
    world.require_balance(1e-9)
    imports, exports = world.imports(), world.exports()
    np.testing.assert_allclose(imports.sum(axis=0), exports.sum(axis=0), rtol=1e-12)
    table = world.table()
    assert table["imports_t"].sum() == pytest.approx(world.flow.sum(), rel=1e-12)
    assert table.height == len(world.regions) * len(world.forms)


@LAW
@given(networks(), st.data())
def test_a_picture_that_does_not_close_is_refused(world: Network, data: st.DataObject) -> None:
    """Law 1: one per cent lost anywhere is refused, and the message names the place."""
    region = data.draw(st.integers(0, len(world.regions) - 1))
    form = data.draw(st.integers(0, len(world.forms) - 1))
    use = world.use.copy()
    use[region, form] += 0.01 * max(world.throughput()[region, form], 1.0)
    broken = dataclasses.replace(world, use=use)
    with pytest.raises(errors.BalanceError, match=world.regions[region]):
        broken.require_balance(1e-6)


@LAW
@given(networks())
def test_labels_must_fit(world: Network) -> None:
    """Law 3: a wrong label or shape fails and the message names both sides."""
    with pytest.raises(errors.UnknownNameError, match="KOR") as caught:
        world.region("KORR")
    assert "KORR" in str(caught.value)
    with pytest.raises(errors.LabelError, match=r"use has shape .* labels say"):
        dataclasses.replace(world, use=world.use[:-1])
    with pytest.raises(errors.UnknownNameError, match="JPN"):
        dataclasses.replace(world, focal="JPN")


@LAW
@given(networks())
def test_unknown_cannot_enter_as_a_number(world: Network) -> None:
    """Law 2: a value that is not a number is refused, it does not become 0."""
    production = world.production.copy()
    production[0, 0] = np.nan
    with pytest.raises(errors.LabelError, match="production"):
        dataclasses.replace(world, production=production)


@LAW
@given(networks(), st.randoms(use_true_random=False))
def test_order_of_arcs_does_not_matter(world: Network, random: object) -> None:
    """Law 7: the same arcs in another order are the same picture."""
    order = np.arange(len(world.flow))
    random.shuffle(order)  # type: ignore[attr-defined]
    turned = dataclasses.replace(
        world,
        flow=world.flow[order],
        flow_from=world.flow_from[order],
        flow_to=world.flow_to[order],
        flow_form=world.flow_form[order],
        transit_days=world.transit_days[order],
    )
    np.testing.assert_allclose(turned.imports(), world.imports(), rtol=1e-12)
    np.testing.assert_allclose(turned.residual(), world.residual(), atol=1e-9 * world.flow.sum())


def result_of(values: list[float], unit: str | None = "t") -> Result:
    """A small result."""
    return Result(
        "sample",
        {
            "supply": pl.DataFrame(
                {"month": list(range(len(values))), "imports_t": values},
                schema_overrides={"imports_t": pl.Float64},
            )
        },
        {"supply": {"imports_t": unit}} if unit else {},
        Lineage("0.1.0", inputs=(Input("trade", "0" * 64, "tests"),), seed=0),
        findings=(Finding("sample", "info", "A sample."),),
    )


def test_a_number_without_unit_is_refused() -> None:
    """Law 4: a result with a number column that has no unit cannot be made; the column is named."""
    with pytest.raises(errors.InputError, match="imports_t"):
        result_of([1.0], unit=None)


@LAW
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_saved_results_return(values: list[float]) -> None:
    """Law 6: what is saved comes back bit for bit, and saving twice writes the same bytes."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "first", Path(folder) / "second"
        result_of(values).save(first)
        again = Result.load(first)
        assert again["supply"].equals(result_of(values)["supply"])
        assert again.lineage == result_of(values).lineage
        again.save(second)
        for path in sorted(first.iterdir()):
            assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_tampering_with_a_saved_result_is_seen(tmp_path: Path) -> None:
    """Law 12: a changed table in a saved result is refused with the file named, and nothing is rewritten."""
    result_of([1.0, 2.0]).save(tmp_path)
    pl.DataFrame({"imports_t": [1.0, 3.0]}).write_parquet(tmp_path / "supply.parquet")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(errors.SnapshotError, match="supply"):
        Result.load(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def _every_error() -> list[type[errors.EvernormalError]]:
    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    return [kind for kind in kinds if kind is not errors.UnknownNameError]


@pytest.mark.parametrize("kind", _every_error(), ids=lambda kind: kind.__name__)
def test_errors_say_what_where_and_cure(kind: type[errors.EvernormalError]) -> None:
    """Law 12: every deliberate error carries its three parts, shows them, and keeps them across processes."""
    error = kind("severity is -0.2", where="ban.yaml line 9", cure="Give a number from 0 to 1.")
    assert str(error) == "ban.yaml line 9: severity is -0.2. Give a number from 0 to 1."
    assert pickle.loads(pickle.dumps(error)).as_dict() == error.as_dict()


def test_every_family_of_errors_has_its_exit_code() -> None:
    """Law 12: the exit code tells a caller whose fault it is."""
    assert {errors.InputError.exit_code, errors.DataError.exit_code} == {2, 3}
    assert {errors.ModelError.exit_code, errors.StorageError.exit_code} == {4, 5}
