"""``evernormal scenario``: the shipped scenarios, and checks of your own."""

from __future__ import annotations

from typing import Any

import typer

from evernormal.app import output
from evernormal.app.options import Json, Language, LanguageOption, Scenario

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="The shipped scenarios, and checks of your own.")


@app.command("list", epilog="Example: evernormal scenario list --lang ko")
def list_scenarios(lang: LanguageOption = Language.en, as_json: Json = False) -> None:
    """List the shipped scenarios."""
    import polars as pl

    from evernormal.network.scenario import load_scenario, scenario_names

    rows: list[dict[str, Any]] = []
    for name in scenario_names():
        scenario = load_scenario(name)
        rows.append(
            {
                "name": name,
                "title": scenario.title[lang.value],
                "form": scenario.form,
                "focal": scenario.focal,
                "start": scenario.start,
                "months": scenario.months,
            }
        )
    if as_json:
        output.print_json(rows)
    else:
        output.print_table(pl.DataFrame(rows))


@app.command("show", epilog="Example: evernormal scenario show graphite-licence-2023 > mine.yaml")
def show_scenario(scenario: Scenario, lang: LanguageOption = Language.en, as_json: Json = False) -> None:
    """Show one scenario: as the YAML file that says it, below its measures in plain words.

    The output is itself a scenario file: save it, change it, check it with `evernormal scenario validate`.
    """
    from evernormal.network.scenario import load_scenario

    loaded = load_scenario(scenario)
    if as_json:
        output.print_json(loaded.plain())
        return
    for measure in (*loaded.measures, *loaded.policies):
        output.print_line(f"# {loaded.describe(measure, lang.value)}")
    output.print_line(loaded.to_yaml().rstrip())


@app.command("validate", epilog="Example: evernormal scenario validate my-scenario.yaml")
def validate_scenario(scenario: Scenario, as_json: Json = False) -> None:
    """Check a scenario file; an error names file, line, key and the nearest right value."""
    from evernormal.network.scenario import load_scenario

    loaded = load_scenario(scenario)
    document = {
        "valid": True,
        "name": loaded.name,
        "form": loaded.form,
        "focal": loaded.focal,
        "measures": len(loaded.measures),
        "policies": len(loaded.policies),
    }
    if as_json:
        output.print_json(document)
    else:
        output.print_line(
            f"valid: {loaded.name} ({loaded.form}, focal {loaded.focal}, {len(loaded.measures)} measures, "
            f"{len(loaded.policies)} policies)"
        )


@app.command("schema", epilog="Example: evernormal scenario schema --json > scenario.schema.json")
def scenario_schema(as_json: Json = False) -> None:
    """Print the JSON Schema of scenario files, for editors and other programs."""
    from evernormal.network import scenario

    output.print_json(scenario.scenario_schema())
