"""Fetches the real servers and tools that tests run, as Debian packages, without installing anything.

`make components` runs this before the tests. Packages come from Debian's stable and unstable suites through apt, under
a configuration of their own that leaves the system's sources alone and needs no root rights, and are unpacked into
`.cache/components/` with `dpkg -x`. Packages that are already there are not fetched again; delete the folder to get
newer versions. Where `go` is on PATH, programs that Debian does not have are built from Go modules.

A test that needs a program calls `require`. Where the program was not fetched, the test is skipped (see
`tests/conftest.py`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = [
    "GO_PROGRAMS",
    "PACKAGES",
    "GoProgram",
    "MissingComponentError",
    "Package",
    "binary",
    "build_programs",
    "fetch",
    "require",
]

_ROOT: Final = Path(__file__).resolve().parent.parent / ".cache" / "components"
_KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package.

    Attributes:
        suite: Release of Debian that it comes from.
        name: Name of the package.
    """

    suite: str
    name: str


PACKAGES: Final = (
    Package("bookworm", "prometheus"),
    Package("bookworm", "prometheus-alertmanager"),
    Package("sid", "prometheus"),
    Package("sid", "promtool"),
    Package("sid", "prometheus-alertmanager"),
    Package("sid", "victoria-metrics"),
    Package("bookworm", "redis-tools"),  # has the server's program, under another name
    Package("bookworm", "libjemalloc2"),
    Package("bookworm", "liblzf1"),
)
"""The oldest versions that generated files must load in, the newest that Debian has, and a Redis with its libraries."""


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A program that Debian has no package of, built from Go modules.

    Attributes:
        name: Name of the program.
        version: Version of its modules.
        modules: The modules that it needs.
        package: Path of the program in its module; empty for one of our own.
        source: Source of a program of our own.
    """

    name: str
    version: str
    modules: tuple[str, ...]
    package: str = ""
    source: Path | None = None


_CONTRIB: Final = "github.com/open-telemetry/opentelemetry-collector-contrib/exporter"

GO_PROGRAMS: Final = (
    GoProgram(
        "prometheus",
        "v0.316.0",
        ("github.com/prometheus/prometheus",),
        package="github.com/prometheus/prometheus/cmd/prometheus",
    ),
    GoProgram(
        "otelcol",
        "v0.165.0",
        (
            "go.opentelemetry.io/collector/otelcol",
            f"{_CONTRIB}/prometheusexporter",
            f"{_CONTRIB}/prometheusremotewriteexporter",
        ),
        source=Path(__file__).with_name("collector.go"),
    ),
)
"""Prometheus 3.16, as Debian's has no OTLP receiver, and a Collector with the parts that lead to Prometheus. Built only
where `go` is there; no user needs them."""


def binary(suite: str, name: str) -> Path | None:
    """The path of a fetched program, such as `promtool` of `bookworm`; None if it isn't there."""
    return next(iter(sorted((_ROOT / suite).glob(f"*/usr/bin/{name}"), reverse=True)), None)


class MissingComponentError(FileNotFoundError):
    """A program that a test runs was not fetched; the message says how to get it."""


def require(suite: str, name: str) -> Path:
    """Return the path of a fetched program.

    Args:
        suite: Release of Debian that it comes from, such as `sid`; `go` for one that is built.
        name: Name of the program, such as `promtool`.

    Raises:
        MissingComponentError: The program was not fetched. In a test this skips the test.
    """
    path = binary(suite, name)
    if path is None:
        raise MissingComponentError(f"{name} of {suite} is missing: run `make components`")
    return path


def _mirror() -> str | None:
    """Where this system gets Debian's packages from; None if it isn't a Debian with a keyring."""
    if not shutil.which("apt-get") or not shutil.which("dpkg") or not _KEYRING.exists():
        return None
    folder = Path("/etc/apt")
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))):
        if path.is_file() and (found := re.search(r"https?://\S+/debian/?(?=\s)", path.read_text(encoding="utf-8"))):
            return found.group()
    return None


def _apt(suite: str, mirror: str) -> list[str]:
    """Make an apt configuration of one suite, and return the options that select it."""
    home = _ROOT / "apt" / suite
    for folder in ("etc/sources.list.d", "etc/preferences.d", "etc/trusted.gpg.d", "state/lists/partial", "cache"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "status").touch()
    (home / "etc/sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n", encoding="utf-8")
    options = {
        "Dir::Etc": home / "etc",
        "Dir::State": home / "state",
        "Dir::State::status": home / "status",
        "Dir::Cache": home / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "3",
    }
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def fetch(packages: tuple[Package, ...] = PACKAGES) -> list[Package]:
    """Fetch and unpack the packages that are not there yet.

    Returns:
        Those that could not be fetched.
    """
    missing = [package for package in packages if not list((_ROOT / package.suite).glob(f"{package.name}_*"))]
    mirror = _mirror()
    failed: list[Package] = []
    for suite in dict.fromkeys(package.suite for package in missing):
        wanted = [package for package in missing if package.suite == suite]
        if mirror is None or not _fetch_suite(suite, mirror, wanted):
            failed += wanted
    return failed


def _fetch_suite(suite: str, mirror: str, packages: list[Package]) -> bool:
    options = _apt(suite, mirror)
    downloads = _ROOT / "downloads" / suite
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir(parents=True)
    names = [package.name for package in packages]
    for command in (["update"], ["download", *names]):
        arguments = ["apt-get", "-q", *options, *command]
        done = subprocess.run(arguments, cwd=downloads, capture_output=True, text=True, check=False)  # noqa: S603 # ours
        if done.returncode:
            sys.stderr.write(done.stderr)
            return False
    for archive in downloads.glob("*.deb"):
        # Unpacked beside its place and renamed, so that a folder that is there is whole.
        unpacked = downloads / "unpacked"
        subprocess.run(["dpkg", "-x", archive, unpacked], check=True)  # noqa: S603, S607 # ours
        target = _ROOT / suite / archive.stem
        target.parent.mkdir(parents=True, exist_ok=True)
        unpacked.rename(target)
    shutil.rmtree(downloads)
    return True


def build_programs(programs: tuple[GoProgram, ...] = GO_PROGRAMS) -> list[GoProgram]:
    """Build the programs that are not there yet: once, in a quarter of an hour each.

    Returns:
        Those that could not be built.
    """
    failed: list[GoProgram] = []
    for program in programs:
        target = _ROOT / "go" / f"{program.name}_{program.version}" / "usr/bin" / program.name
        if target.exists():
            continue
        folder = _ROOT / "downloads" / "go" / program.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        required = "".join(f"require {module} {program.version}\n" for module in program.modules)
        (folder / "go.mod").write_text(f"module components\n\n{required}", encoding="utf-8")
        if program.source is None:
            resolve = ["get", f"{program.package}@{program.version}"]
        else:
            shutil.copy(program.source, folder / "main.go")
            resolve = ["mod", "tidy"]
        commands = (resolve, ["build", "-ldflags=-s -w", "-o", program.name, program.package or "."])
        if not shutil.which("go") or any(
            subprocess.run(["nice", "-n", "19", "go", *command], cwd=folder, check=False).returncode  # noqa: S603, S607 # ours
            for command in commands
        ):
            failed.append(program)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / program.name).rename(target)
        shutil.rmtree(folder)
    return failed


def main() -> None:
    """Fetch everything, and name what could not be fetched."""
    for package in fetch():
        sys.stderr.write(
            f"components: could not fetch {package.name} of Debian {package.suite} (this needs apt, dpkg and Debian's "
            f"archive keyring); the tests that run it are skipped\n"
        )
    for program in build_programs():
        sys.stderr.write(
            f"components: could not build {program.name} (this needs go); the tests that run it are skipped\n"
        )


if __name__ == "__main__":
    main()
