# SPDX-License-Identifier: GPL-2.0-or-later
"""Options from ``.ctxlint.toml`` or ``[tool.ctxlint]`` in ``pyproject.toml``.

The nearest file wins, searched from the tree upward; both spellings hold the
same keys as the options of ``ctxlint audit``. Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from ctxlint.base.errors import UsageError
from ctxlint.findings.selection import PathRule, Severity
from ctxlint.pipeline import Request

FAIL_ON = ("error", "warning", "never")

_KEYS: dict[str, tuple[type, ...]] = {
    "paths": (list,),
    "arch": (str,),
    "config": (str,),
    "rt": (bool, str),
    "builds": (list,),
    "cache": (str,),
    "jobs": (int,),
    "timeout": (int, float),
    "reach": (int,),
    "libclang": (str,),
    "rules": (list,),
    "format": (str,),
    "output": (str,),
    "select": (list,),
    "ignore": (list,),
    "rt-only": (bool,),
    "fail-on": (str,),
    "baseline": (str,),
    "severity": (dict,),
    "per-path": (list,),
}
_SEVERITIES = ("error", "warning")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a configuration file says; None or empty where it says nothing."""

    source: Path | None = None
    paths: tuple[str, ...] = ()
    arch: str | None = None
    config: str | None = None
    rt: str | None = None
    builds: tuple[Path, ...] = ()
    cache: Path | None = None
    jobs: int | None = None
    timeout: float | None = None
    reach: int | None = None
    libclang: str | None = None
    rules: tuple[Path, ...] = field(default=())
    format: str | None = None
    output: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    rt_only: bool = False
    fail_on: str | None = None
    baseline: Path | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_path: tuple[PathRule, ...] = ()


def load_settings(start: Path) -> Settings:
    """Settings of the nearest file from ``start`` upward; empty without one.

    Raises :class:`UsageError` for TOML that does not parse, unknown keys and
    values of the wrong type, naming the file and the key.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        own = folder / ".ctxlint.toml"
        if own.is_file():
            return _settings(_parse(own), own)
        shared = folder / "pyproject.toml"
        if shared.is_file():
            table = _parse(shared).get("tool", {}).get("ctxlint")
            if table is not None:
                return _settings(table, shared)
    return Settings()


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}", hint="the file must be valid TOML") from error


def _check_types(table: dict[str, Any], keys: dict[str, tuple[type, ...]], where: str) -> None:
    for key, value in table.items():
        kinds = keys.get(key)
        if kinds is None:
            known = ", ".join(sorted(keys))
            raise UsageError(f"{where}: unknown key '{key}'", hint=f"known keys: {known}")
        item = dict if key == "per-path" else str
        wrong_bool = isinstance(value, bool) and bool not in kinds
        wrong_item = isinstance(value, list) and not all(isinstance(v, item) for v in value)
        if not isinstance(value, kinds) or wrong_bool or wrong_item:
            items = "tables" if item is dict else "strings"
            shown: dict[Any, str] = {list: f"array of {items}", dict: "table"}
            names = " or ".join(shown.get(k, k.__name__) for k in kinds)
            raise UsageError(f"{where}: '{key}' must be {names}")


def _settings(table: dict[str, Any], source: Path) -> Settings:
    _check_types(table, _KEYS, str(source))
    if table.get("fail-on", FAIL_ON[0]) not in FAIL_ON:
        raise UsageError(f"{source}: 'fail-on' must be one of {', '.join(FAIL_ON)}")
    base = source.parent

    def place(key: str) -> Path | None:
        return base / Path(table[key]).expanduser() if key in table else None

    def places(key: str) -> tuple[Path, ...]:
        return tuple(base / Path(item).expanduser() for item in table.get(key, ()))

    config = table.get("config")
    if config is not None and (base / config).is_file():
        config = str(base / config)
    return Settings(
        source=source,
        paths=tuple(table.get("paths", ())),
        arch=table.get("arch"),
        config=config,
        rt=_profile_choice(table["rt"], source) if "rt" in table else None,
        builds=places("builds"),
        cache=place("cache"),
        jobs=table.get("jobs"),
        timeout=table.get("timeout"),
        reach=table.get("reach"),
        libclang=table.get("libclang"),
        rules=places("rules"),
        format=table.get("format"),
        output=place("output"),
        select=tuple(table.get("select", ())),
        ignore=tuple(table.get("ignore", ())),
        rt_only=table.get("rt-only", False),
        fail_on=table.get("fail-on"),
        baseline=place("baseline"),
        severity=_severity(table.get("severity", {}), str(source)),
        per_path=tuple(_path_rule(item, str(source)) for item in table.get("per-path", ())),
    )


def _severity(table: dict[str, Any], where: str) -> dict[str, Severity]:
    for check, value in table.items():
        if value not in _SEVERITIES:
            choices = " or ".join(_SEVERITIES)
            raise UsageError(f"{where}: severity of '{check}' must be {choices}")
    return dict(table)


def _path_rule(table: dict[str, Any], where: str) -> PathRule:
    where += ": per-path"
    keys: dict[str, tuple[type, ...]] = {
        "paths": (list,),
        "ignore": (list,),
        "severity": (dict,),
    }
    _check_types(table, keys, where)
    if not table.get("paths"):
        raise UsageError(f"{where}: 'paths' says which files are meant and must be there")
    return PathRule(
        patterns=tuple(table["paths"]),
        ignore=tuple(table.get("ignore", ())),
        severity=_severity(table.get("severity", {}), where),
    )


def _profile_choice(value: bool | str, source: Path) -> str:
    choices = get_args(Request.__annotations__["rt"]) or ("both", "rt", "nort")
    if isinstance(value, bool):
        return "rt" if value else "nort"
    if value not in choices:
        raise UsageError(f"{source}: 'rt' must be true, false or \"both\"")
    return value
