# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario file holds. Unknown keys are errors."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ctxlint.base import yamldata
from ctxlint.base.errors import RuleError
from ctxlint.base.places import rules_directory

VERDICTS = (
    "CONFIRMED_SPLAT", "CONFIRMED_SILENT", "CONFIRMED_COND", "REFUTED", "CORRUPTION", "HANG",
    "BUG", "RACE", "UNMODELLED", "LINT",
)  # fmt: skip
_DIRECTORY = "scenarios"
_VARIANTS = "variants.yaml"


class _Base(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Edit(_Base, frozen=True, kw_only=True):
    """A change of a file of the tree: ``find`` is text that occurs in it, each of its
    occurrences becomes ``put``."""

    file: str
    find: str
    put: str


class Variant(_Base, frozen=True, kw_only=True):
    """A driver: C files of ``fixtures/model``, or (``tree``) files of a kernel tree:
    with ``edits`` copies of them (and of headers) that were changed so, ``beside`` those
    of ``fixtures/model`` that are compiled as if they lay beside the first.

    ``platform`` names the hardware it drives, ``entries`` the functions that the
    platform calls, by what they are for, ``members`` members of records that it looks
    at: a pointer variable, the record it points to, the member. ``defines`` are ``NAME``
    or ``NAME=VALUE``.
    """

    about: str
    platform: str
    files: tuple[str, ...]
    defines: tuple[str, ...] = ()
    entries: dict[str, str] = {}
    members: dict[str, tuple[str, str, str]] = {}
    tree: bool = False
    edits: tuple[Edit, ...] = ()
    beside: tuple[str, ...] = ()


class Setup(_Base, frozen=True, kw_only=True):
    """The machine and how the kernel was made. ``hardware`` are the platform's own
    parameters. ``maxcpus`` is the kernel's parameter (0: all)."""

    arch: str = "arm64"
    rt: bool = True
    cpus: int = 4
    page_size: int = 4096
    maxcpus: int = 0
    debug_atomic_sleep: bool = True
    rate_limit: bool = True
    hz: int = 250
    hardware: dict[str, Any] = {}


class Match(_Base, frozen=True, kw_only=True):
    """Which reports are meant; all that is given has to hold.

    ``headline`` and ``place`` are parts of the text; ``frames`` is a subsequence of the
    call trace, innermost first; ``context`` are members of the context word.
    """

    kind: str = ""
    headline: str = ""
    task: str = ""
    cpu: int = -1
    frames: tuple[str, ...] = ()
    context: dict[str, int] = {}
    printed: bool | None = None
    certain: bool | None = None
    suppressed: str = ""
    generation: int = 0
    facts: dict[str, Any] = {}


class Reports(Match, frozen=True, kw_only=True):
    """So many reports like this: exactly ``count``, or at least one."""

    count: int = -1


class Line(_Base, frozen=True, kw_only=True):
    """A line of a kernel's log that contains ``text``; ``count`` as above."""

    text: str
    count: int = -1
    generation: int = 0


class Expect(_Base, frozen=True, kw_only=True):
    """``verdict`` is over the reports that ``about`` selects (all, when it is not given;
    several: any of them). ``facts`` are what the platform knows at the end; ``returns``
    what steps gave, by ``"verb argument"``; ``ending`` is part of how the run ended."""

    verdict: str
    about: Match | None = None
    reports: tuple[Reports, ...] = ()
    log: tuple[Line, ...] = ()
    facts: dict[str, Any] = {}
    returns: dict[str, Any] = {}
    ending: str = ""


class Explore(_Base, frozen=True, kw_only=True):
    """The run once for each interleaving of its ``together`` step, with at most so many
    ``preemptions``; at most ``limit``. What is expected holds of ``every`` one, or
    (False) of at least one."""

    preemptions: int = 1
    limit: int = 50
    every: bool = True


class Run(_Base, frozen=True, kw_only=True):
    """One execution of a scenario: what is different about it, and what is seen.
    ``steps`` replace the scenario's."""

    expect: Expect
    name: str = ""
    setup: dict[str, Any] = {}
    steps: tuple[str | dict[str, Any], ...] = ()
    variant: str = ""
    explore: Explore | None = None


class Difference(_Base, frozen=True, kw_only=True):
    """Where the specification of the scenarios turned out wrong."""

    said: str
    really: str
    evidence: str


class Scenario(_Base, frozen=True, kw_only=True):
    """``answer`` is the sentence that answers the question of the seed thread.
    ``about`` holds for the runs that do not say themselves. ``unsupported`` says why it
    cannot run."""

    id: str
    seed: str
    title: str
    variant: str = ""
    answer: str = ""
    setup: Setup = Setup()
    steps: tuple[str | dict[str, Any], ...] = ()
    about: Match | None = None
    runs: tuple[Run, ...] = ()
    differs: tuple[Difference, ...] = ()
    unsupported: str = ""

    def setup_of(self, run: Run) -> Setup:
        """The machine of a run."""
        base: dict[str, Any] = msgspec.to_builtins(self.setup)
        changed = dict(run.setup)
        changed["hardware"] = {**base["hardware"], **changed.get("hardware", {})}
        return msgspec.convert({**base, **changed}, Setup)


class Catalogue(msgspec.Struct, frozen=True):
    """All scenarios by id, in the order of the files, and the variants they use."""

    scenarios: dict[str, Scenario]
    variants: dict[str, Variant]


@lru_cache(maxsize=2)
def load(directory: Path | None = None) -> Catalogue:
    """Read the scenario files, once in a process; raises :class:`RuleError`."""
    where = directory or rules_directory() / _DIRECTORY
    variants = _read(where / _VARIANTS, dict[str, Variant])
    scenarios: dict[str, Scenario] = {}
    for path in sorted(where.glob("*.yaml")):
        if path.name == _VARIANTS:
            continue
        for scenario in _read(path, list[Scenario]):
            _check(scenario, variants, scenarios, path.name)
            scenarios[scenario.id] = scenario
    return Catalogue(scenarios, variants)


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.convert(yamldata.load(path.read_text(encoding="utf-8")), kind)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise RuleError(f"scenarios/{path.name}: {error}") from error


def _check(
    scenario: Scenario, variants: dict[str, Variant], known: dict[str, Scenario], file: str
) -> None:
    place = f"scenarios/{file}: {scenario.id}"
    if not re.fullmatch(r"[A-Z][A-Z0-9]*-[0-9A-Za-z]+", scenario.id):
        raise RuleError(f"{place}: not an id")
    if scenario.id in known:
        raise RuleError(f"{place}: there twice")
    if scenario.unsupported:
        return
    if not scenario.runs:
        raise RuleError(f"{place}: runs: there is none")
    for run in scenario.runs:
        variant = run.variant or scenario.variant
        if variant not in variants:
            raise RuleError(f"{place}: variant {variant!r} is not in {_VARIANTS}")
        if run.expect.verdict not in VERDICTS:
            raise RuleError(
                f"{place}: verdict {run.expect.verdict!r}", hint=f"one of {', '.join(VERDICTS)}"
            )
        try:
            scenario.setup_of(run)
        except msgspec.ValidationError as error:
            raise RuleError(f"{place}: setup: {error}") from error


__all__ = [
    "VERDICTS", "Catalogue", "Difference", "Edit", "Expect", "Explore", "Line", "Match",
    "Reports", "Run", "Scenario", "Setup", "Variant", "load",
]  # fmt: skip
