# SPDX-License-Identifier: GPL-2.0-or-later
"""Options from ``.ctxlint.toml`` or ``[tool.ctxlint]`` in ``pyproject.toml``.

The nearest file wins, searched from the tree upward; both spellings hold the
same keys as the options of ``ctxlint audit``. Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from ctxlint.base.errors import UsageError
from ctxlint.pipeline import Request

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
}


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


def _settings(table: dict[str, Any], source: Path) -> Settings:
    for key, value in table.items():
        kinds = _KEYS.get(key)
        if kinds is None:
            known = ", ".join(sorted(_KEYS))
            raise UsageError(f"{source}: unknown key '{key}'", hint=f"known keys: {known}")
        wrong_bool = isinstance(value, bool) and bool not in kinds
        wrong_item = isinstance(value, list) and not all(isinstance(v, str) for v in value)
        if not isinstance(value, kinds) or wrong_bool or wrong_item:
            names = " or ".join("array of strings" if k is list else k.__name__ for k in kinds)
            raise UsageError(f"{source}: '{key}' must be {names}")
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
    )


def _profile_choice(value: bool | str, source: Path) -> str:
    choices = get_args(Request.__annotations__["rt"]) or ("both", "rt", "nort")
    if isinstance(value, bool):
        return "rt" if value else "nort"
    if value not in choices:
        raise UsageError(f"{source}: 'rt' must be true, false or \"both\"")
    return value
