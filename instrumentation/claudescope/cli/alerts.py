"""`claudescope alerts`: builds, validates, tests and deploys alert rules from a spec."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from claudescope._internal.exceptions import BadInputError, require
from claudescope.cli.check_results import console, exit_if_failed, show_check_results

if TYPE_CHECKING:
    from claudescope_alerts.deploy import Target
    from claudescope_alerts.spec.model import Spec
    from claudescope_alerts.validators import CheckResult

__all__ = ["alerts"]

alerts = typer.Typer(
    help="Build, validate, test and deploy alert rules from one spec.", no_args_is_help=True, add_completion=False
)

SpecOption = Annotated[Path | None, typer.Option("--spec", help="The spec file. By default the built-in spec.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder for the generated files.")]
PrometheusOption = Annotated[
    Path | None, typer.Option("--prometheus-dir", help="Deploy to this folder of Prometheus rule files.")
]
RulerOption = Annotated[
    str | None, typer.Option("--ruler-url", help="Deploy to this ruler, such as http://mimir:8080/prometheus.")
]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", help="With --ruler-url: the tenant, sent as X-Scope-OrgID.")
]
TokenOption = Annotated[
    Path | None, typer.Option("--token-file", help="With --ruler-url: file that contains a bearer token.")
]
_OUT = Path("claudescope-alerts")


@alerts.command()
def build(spec: SpecOption = None, out: OutOption = _OUT) -> None:
    """Write rules, tests, routes and all other formats. Writes nothing if the spec is invalid."""
    from claudescope_alerts.build import write_build

    files = _build(_load(spec))
    changed = write_build(files, out)
    console().print(f"{len(files)} files in {out}, {len(changed)} changed", markup=False)


@alerts.command()
def check(
    spec: SpecOption = None,
    prometheus: Annotated[
        str | None,
        typer.Option(help="Also ask this server, such as http://prometheus:9090, for the series that the rules read."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="With --prometheus: the tenant, sent as X-Scope-OrgID.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="With --prometheus: file that contains a bearer token.")
    ] = None,
) -> None:
    """Validate the generated files with every validator on PATH. Lists validators that are missing."""
    from claudescope_alerts.validators import check_folder

    if prometheus is None and (tenant is not None or token_file is not None):
        raise BadInputError("--tenant and --token-file are of --prometheus: expected it too")
    loaded = _load(spec)
    # First, as a URL that is wrong is told at once.
    backend = [] if prometheus is None else _asked(prometheus, loaded, tenant, token_file)
    check_results = [*_validated(loaded, check_folder), *backend]
    show_check_results(backend)
    if loaded.routing.switch is None:
        console().print("note: the dead man's switch has no receiver. Set routing.deadman in the spec", markup=False)
    exit_if_failed(check_results)


@alerts.command()
def test(spec: SpecOption = None) -> None:  # noqa: PT028 # a command, not a test
    """Run the generated tests: rules with promtool, routes with amtool."""
    from claudescope_alerts.validators import run_tests

    check_results = _validated(_load(spec), run_tests)
    missing = [check_result.detail for check_result in check_results if check_result.outcome == "skipped"]
    if missing:
        raise BadInputError(f"{'; '.join(missing)}. Install Prometheus and Alertmanager, whose tools run the tests")
    exit_if_failed(check_results)


@alerts.command()
def diff(
    spec: SpecOption = None,
    out: OutOption = _OUT,
    prometheus_dir: PrometheusOption = None,
    ruler_url: RulerOption = None,
    tenant: TenantOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show what `push` would change; without a target, what `build` would change. Exits with 1 if there are changes."""
    from claudescope_alerts.deploy import Folder, show_difference

    loaded = _load(spec)
    target = _target(loaded, prometheus_dir, None, ruler_url, tenant, token_file) or Folder(out)
    difference = show_difference(target, _build(loaded))
    typer.echo(difference, nl=False)
    if difference:
        raise typer.Exit(1)


@alerts.command()
def push(
    spec: SpecOption = None,
    prometheus_dir: PrometheusOption = None,
    reload_url: Annotated[
        str | None, typer.Option("--reload-url", help="With --prometheus-dir: URL of the Prometheus server to reload.")
    ] = None,
    ruler_url: RulerOption = None,
    tenant: TenantOption = None,
    token_file: TokenOption = None,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Print Kubernetes manifests, for kubectl apply -f -.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Deploy the rules to one target. Does nothing if the target is up to date."""
    from claudescope_alerts.deploy import show_difference

    loaded = _load(spec)
    target = _target(loaded, prometheus_dir, reload_url, ruler_url, tenant, token_file)
    if (target is not None) == kubernetes:
        raise BadInputError("expected exactly one target: --prometheus-dir, --ruler-url or --kubernetes")
    files = _build(loaded)
    if target is None:
        typer.echo(files["kubernetes/prometheus-rule.yml"], nl=False)
        return
    if dry_run:
        typer.echo(show_difference(target, files) or "nothing would change\n", nl=False)
        return
    changed = target.apply(files)
    console().print(f"{len(changed)} changed" if changed else "nothing to change", markup=False)


@alerts.command()
def deadman(
    spec: SpecOption = None,
    listen: Annotated[
        str, typer.Option("--listen", help="Address and port that Alertmanager calls.")
    ] = "127.0.0.1:9099",
    after: Annotated[str, typer.Option("--after", help="Time without a call after which it pages.")] = "5m",
) -> None:
    """Run the dead man's switch: page, without Prometheus and Alertmanager, when Alertmanager stops calling it."""
    loaded = _load(spec)
    from claudescope._internal.yaml_model import parse_duration
    from claudescope_alerts.deadman import Switch, serve

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise BadInputError(f"--listen {listen}: expected an address and a port, such as 127.0.0.1:9099")
    try:
        seconds = parse_duration(after)
    except ValueError as error:
        raise BadInputError(f"--after {after}: {error}") from None
    if seconds < 10:
        raise BadInputError(f"--after {after}: expected 10s or more, and more than routing.deadman.every")
    serve(Switch(loaded, seconds), host.strip("[]"), int(port), typer.echo, until=lambda: False)


@alerts.command()
def schema() -> None:
    """Print the JSON Schema of the spec, for completion and validation in editors."""
    _require()
    from claudescope_alerts.spec.model import json_schema

    typer.echo(json_schema(), nl=False)


@alerts.command(name="import")
def import_(path: Annotated[Path, typer.Argument(help="A file with OpenSLO v1 documents.")]) -> None:
    """Convert an OpenSLO file to a spec, and print it."""
    _require()
    import yaml

    from claudescope_alerts.formats.openslo import import_openslo

    objectives = [objective.model_dump(mode="json", exclude_defaults=True) for objective in import_openslo(path)]
    for objective in objectives:
        objective["target"] = float(objective["target"])
        if "threshold" in objective["sli"]:
            objective["sli"]["threshold"] = f"{objective['sli']['threshold']:g}s"
    typer.echo(yaml.safe_dump({"version": 1, "objectives": objectives}, sort_keys=False), nl=False)


def _require() -> None:
    for module in ("pydantic", "yaml", "promql_parser"):
        require(module, extra="alerts", feature="claudescope alerts")


def _load(path: Path | None) -> Spec:
    _require()
    from claudescope_alerts.spec.model import load_spec

    return load_spec(path)


def _build(spec: Spec) -> dict[str, str]:
    from claudescope_alerts.build import build as build_files

    return build_files(spec)


def _asked(url: str, spec: Spec, tenant: str | None, token_file: Path | None) -> list[CheckResult]:
    """Ask a server for the series of the rules."""
    from claudescope_alerts.backend import check_backend
    from claudescope_alerts.validators import CheckResult

    return [
        CheckResult(
            f"{url}: {finding.check}",
            "failed" if finding.level == "error" else "passed",
            f"{finding.message}{f'. {finding.fix}' if finding.fix else ''}",
        )
        for finding in check_backend(url, spec, tenant, token_file)
    ]


def _validated(spec: Spec, validator: Callable[[Path], list[CheckResult]]) -> list[CheckResult]:
    from claudescope_alerts.build import write_build

    with tempfile.TemporaryDirectory() as name:
        write_build(_build(spec), Path(name))
        check_results = validator(Path(name))
    show_check_results(check_results)
    return check_results


def _target(
    spec: Spec,
    prometheus_dir: Path | None,
    reload_url: str | None,
    ruler_url: str | None,
    tenant: str | None,
    token_file: Path | None,
) -> Target | None:
    from claudescope_alerts.deploy import PrometheusFolder, Ruler

    if prometheus_dir is not None and ruler_url is not None:
        raise BadInputError("expected one target: --prometheus-dir or --ruler-url, not both")
    if prometheus_dir is not None:
        return PrometheusFolder(prometheus_dir, spec.service.name, reload_url)
    return None if ruler_url is None else Ruler(ruler_url, spec, tenant, token_file)
