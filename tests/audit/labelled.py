"""The labelled cases of the audit, and what is wrong with a report on one.

A comment says what must be reported on its line: `# @ VIA HANDLED ! RULES ? RULES`. After `@` comes a call and how it
is handled (alternatives are separated by `|`). After `!` come findings that must be reported, after `?` those that may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from claudescope.audit.engine import analyse
from claudescope.audit.model import Report, SourceFile

CASES = Path(__file__).parent / "cases"
_LABEL = re.compile(r"# (?:@ (?P<via>\S+) (?P<handled>\S+))? ?(?:! (?P<must>[a-z -]+?))?(?: \? (?P<may>[a-z -]+))?$")


@dataclass(frozen=True)
class Label:
    """What one line says about itself."""

    via: str | None
    handled: frozenset[str]
    must: frozenset[str]
    may: frozenset[str]


def folders() -> list[Path]:
    """Every case: a file, or a folder of files that belong together."""
    return sorted(
        path for path in CASES.iterdir() if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__")
    )


def sources(case: Path) -> list[SourceFile]:
    """The files of a case."""
    if case.is_file():
        return [SourceFile(case.name, case.read_text("utf-8"))]
    return [SourceFile(p.relative_to(CASES).as_posix(), p.read_text("utf-8")) for p in sorted(case.rglob("*.py"))]


def labels(file: SourceFile) -> dict[int, Label]:
    """The label of each line that has one."""
    found: dict[int, Label] = {}
    for number, line in enumerate(file.text.splitlines(), 1):
        match = _LABEL.search(line)
        if match and (match["via"] or match["must"]):
            must, may = (frozenset((match[name] or "").split()) for name in ("must", "may"))
            found[number] = Label(match["via"], frozenset((match["handled"] or "").split("|")), must, may)
    return found


def wrong(case: Path) -> list[str]:
    """Every difference between the labels of a case and the report on it."""
    files = sources(case)
    report: Report = analyse(files)
    problems: list[str] = []
    for file in files:
        expected = labels(file)
        calls = {call.line: call for call in report.calls if call.path == file.path}
        findings = {(f.line, f.rule) for f in report.findings if f.path == file.path}
        for line, label in expected.items():
            call = calls.get(line)
            if label.via and call is None:
                problems.append(f"{file.path}:{line}: the call is not found")
            elif label.via and call and (call.via != label.via or call.handled not in label.handled):
                problems.append(
                    f"{file.path}:{line}: {call.via} {call.handled}, not {label.via} {sorted(label.handled)}"
                )
            problems += [
                f"{file.path}:{line}: misses {rule}" for rule in sorted(label.must) if (line, rule) not in findings
            ]
        problems += [f"{file.path}:{line}: {calls[line].call} is no call" for line in calls if line not in expected]
        for line, rule in sorted(findings):
            known = expected.get(line)
            if known is None or rule not in known.must | known.may:
                problems.append(f"{file.path}:{line}: {rule} is a false alarm")
    return problems
