# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings from files: the user's own, and the tree's.

``$XDG_CONFIG_HOME/ctxlint/config.toml`` is the user's. ``.ctxlint.toml``, or
``[tool.ctxlint]`` of ``pyproject.toml``, is the tree's: the nearest one from the current
directory (when that lies in the tree) up to the tree's root, and never above it. Both
hold the same keys, named like the options of ``ctxlint audit``; paths are relative to the
file. A tree's file may set only some of them, because a tree may come from a stranger
(docs/security.md): a key that names something to load, to run or to write is an error
there, not ignored.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ctxlint.base.errors import UsageError
from ctxlint.base.reading import read_limited

if TYPE_CHECKING:
    from ctxlint.findings.selection import PathRule, Severity

FAIL_ON = ("error", "warning", "never")

MAX_BYTES = 256 << 10
"""Of a settings file."""

#: Least and greatest value, on the command line and in files.
JOBS = (0, 1024)
TIMEOUT = (0.1, 86400.0)
REACH = (0, 6)
_LIMITS: Mapping[str, tuple[float, float]] = {"jobs": JOBS, "timeout": TIMEOUT, "reach": REACH}

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
#: Keys that a tree's file must not set: they name what is loaded, run or written, or say
#: how this machine is used.
_TRUSTED = ("cache", "format", "jobs", "libclang", "output", "rules", "timeout")
#: Keys of a tree's file whose paths must lie in the tree.
_INSIDE = ("baseline", "builds")
#: Keys that decide which findings are reported and whether they count.
SELECTING = ("select", "ignore", "rt-only", "severity", "per-path", "fail-on")

#: Items of a list or table: each is checked for each finding, or for each unit.
_ITEMS = 1000
_MOST = {"builds": 16}

_SEVERITIES = ("error", "warning")
#: Parts of a dotted key of TOML. A parser walks them again for each key below.
_DEPTH = 100


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the files say; None or empty where they say nothing.

    ``tree_file`` is the tree's file when there is one, ``tree_keys`` are the keys that it
    sets. ``user`` is what holds without it. ``places`` says for each key that is set in
    which files and lines, the user's first; those of ``refused`` are not taken.
    """

    tree_file: Path | None = None
    tree_keys: tuple[str, ...] = ()
    user: Settings | None = None
    user_file: Path | None = None
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    refused: Mapping[str, UsageError] = field(default_factory=dict)
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
    rt_only: bool | None = None
    fail_on: str | None = None
    baseline: Path | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_path: tuple[PathRule, ...] = ()


def load_settings(tree: Path, start: Path | None = None, *, refuse: bool = True) -> Settings:
    """The user's settings with those of ``tree`` over them.

    ``start``: where the search for the tree's file begins, when that is in the tree
    (default: the current directory). Raises :class:`UsageError` for TOML that does not
    parse, unknown keys, values of the wrong type or out of range, and for what a tree's
    file must not say, naming the file and the key; without ``refuse`` the last stands in
    ``Settings.refused`` instead.
    """
    user = _user_settings()
    found = _tree_file(tree.resolve(), start)
    if found is None:
        return user
    source, table, text = found
    where = _Where(source, text, True)
    refused = dict(_refusals(table, where, tree.resolve()))
    if refuse and refused:
        raise next(iter(refused.values()))
    table = {key: value for key, value in table.items() if key not in refused}
    own = _settings(table, where)
    given = {f.name: getattr(own, f.name) for f in fields(Settings) if _key(f.name) in table}
    if ("config" in table or "arch" in table) and "builds" not in table:
        given["builds"] = ()  # the user's are of another configuration
    return replace(
        user,
        **given
        | {
            "tree_file": source,
            "tree_keys": tuple(sorted(table)),
            "user": user,
            "places": _joined(user.places, own.places),
            "refused": refused,
            "severity": {**user.severity, **own.severity},
            "per_path": (*user.per_path, *own.per_path),
        },
    )


def _joined(
    user: Mapping[str, tuple[str, ...]], own: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Places of both files: a table or list that the tree's file adds to has two."""
    added = {key: user.get(key, ()) for key in ("severity", "per-path")}
    return {**user, **{key: added.get(key, ()) + place for key, place in own.items()}}


def user_file() -> Path | None:
    """Where the user's settings stand; None for a user without a home."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        # The specification wants a relative path to be passed over.
        home = Path(base) if base.startswith("/") else Path.home() / ".config"
    except RuntimeError:
        return None
    return home / "ctxlint" / "config.toml"


def _user_settings() -> Settings:
    path = user_file()
    if path is None or not os.path.lexists(path):
        return Settings()
    table, text = _parse(path)
    return replace(_settings(table, _Where(path, text, False)), user_file=path)


def _tree_file(tree: Path, start: Path | None) -> tuple[Path, dict[str, Any], str] | None:
    for folder in _folders(tree, start):
        own = folder / ".ctxlint.toml"
        if os.path.lexists(own):
            inside(own, tree, f"{own}: is a link that leads out of the tree")
            return own, *_parse(own)
        shared = folder / "pyproject.toml"
        if shared.is_file():
            inside(shared, tree, f"{shared}: is a link that leads out of the tree")
            table, text = _parse(shared)
            tool = table.get("tool")
            ours = tool.get("ctxlint") if isinstance(tool, dict) else None
            if ours is not None:
                if not isinstance(ours, dict):
                    raise UsageError(f"{shared}: 'tool.ctxlint' must be a table")
                return shared, ours, text
    return None


def _folders(tree: Path, start: Path | None) -> Iterator[Path]:
    """From ``start`` up to the tree's root; the root alone when it is elsewhere."""
    try:
        here = (start if start is not None else Path.cwd()).resolve()
    except OSError:  # the current directory is gone
        here = tree
    if not here.is_relative_to(tree):
        here = tree
    for folder in (here, *here.parents):
        yield folder
        if folder == tree:
            return


def inside(path: Path, tree: Path, said: str, hint: str = "") -> None:
    """Raises UsageError when ``path``, with all links followed, is not in ``tree``."""
    if not _lies(path, tree):
        raise UsageError(said, hint=hint)


def _lies(path: Path, tree: Path) -> bool:
    try:
        return path.resolve().is_relative_to(tree)
    except (OSError, RuntimeError, ValueError):  # a link to itself, a NUL
        return False


def _parse(path: Path) -> tuple[dict[str, Any], str]:
    try:
        text = read_limited(path, MAX_BYTES).decode("utf-8")
        # Between other marks stand keys and words of strings.
        if any(part.count(".") > _DEPTH for part in re.split(r"[^\w\s.\"'-]", text)):
            raise ValueError("tables are nested too deeply")
        return tomllib.loads(text), text
    except RecursionError as error:
        raise UsageError(f"{path}: values are nested too deeply") from error
    except ValueError as error:
        raise UsageError(f"{path}: {error}", hint="the file must be valid TOML") from error


@dataclass(frozen=True)
class _Where:
    """A file for messages; ``foreign``: it is the tree's and not the user's."""

    source: Path
    text: str
    foreign: bool

    def __str__(self) -> str:
        return str(self.source)

    def line_of(self, key: str) -> str:
        """The file, and the line where ``key`` is set when it is plain to see."""
        header = rf"\[[^\]\n]*\b{re.escape(key)}\b"
        found = re.search(rf"^[ \t]*(?:[\"']?{re.escape(key)}[\"']?[ \t]*[=.]|{header})",
                          self.text, re.M)  # fmt: skip
        if found is None:
            return str(self.source)
        return f"{self.source}:{self.text.count(chr(10), 0, found.start()) + 1}"


def _refusals(
    table: dict[str, Any], where: _Where, tree: Path
) -> Iterator[tuple[str, UsageError]]:
    """Keys of a tree's file that it must not set, or not so, and what is to be said.
    Values of a wrong type are left to the check of types."""
    own = user_file()
    place = f"in {own}" if own is not None else "in a file of your own"
    for key in _TRUSTED:
        if key in table:
            said = f"{where.line_of(key)}: '{key}' must not be set by a file of the tree"
            hint = f"set it {place}, or with --{key} on the command line"
            yield key, UsageError(said, hint=hint)
    for key in _INSIDE:
        value = table.get(key)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not _lies(where.source.parent / text, tree):
                said = f"'{key}' of a file of the tree must lie in the tree"
                option = "build" if key == "builds" else key
                hint = f"set it {place}, or with --{option} on the command line"
                yield key, UsageError(f"{where.line_of(key)}: {said}", hint=hint)
    config = table.get("config")
    if isinstance(config, str) and not re.fullmatch(r"[A-Za-z0-9_][\w.-]*config", config):
        said = "'config' of a file of the tree must be the name of a configuration target"
        hint = f"name a file {place}, or with --config on the command line"
        yield "config", UsageError(f"{where.line_of('config')}: {said}", hint=hint)


def _key(name: str) -> str:
    return name.replace("_", "-")


def _check_types(
    table: dict[str, Any],
    keys: dict[str, tuple[type, ...]],
    where: str,
    line_of: Callable[[str], str],
) -> None:
    for key, value in table.items():
        kinds = keys.get(key)
        if kinds is None:
            near = difflib.get_close_matches(key, keys, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(
                f"{line_of(key)}: unknown key '{key}'",
                hint=hint or f"known keys: {', '.join(sorted(keys))}",
            )
        item = dict if key == "per-path" else str
        wrong_bool = isinstance(value, bool) and bool not in kinds
        wrong_item = isinstance(value, list) and not all(isinstance(v, item) for v in value)
        if not isinstance(value, kinds) or wrong_bool or wrong_item:
            items = "tables" if item is dict else "strings"
            shown: dict[Any, str] = {list: f"array of {items}", dict: "table"}
            names = " or ".join(shown.get(k, k.__name__) for k in kinds)
            raise UsageError(f"{where}: '{key}' must be {names}")
        if isinstance(value, (list, dict)) and len(value) > _MOST.get(key, _ITEMS):
            most = _MOST.get(key, _ITEMS)
            raise UsageError(f"{where}: '{key}' has more than {most} items")
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(t, str) and not t.isprintable() for t in texts):
            raise UsageError(f"{where}: '{key}' holds a character that does not print")


def in_range(key: str, value: float, where: str) -> None:
    """Raises :class:`UsageError` when a number is not within the limits of ``key``."""
    least, most = _LIMITS[key]
    if not least <= value <= most:  # so is "not a number"
        raise UsageError(f"{where}: '{key}' must be between {least:g} and {most:g}")


def _settings(table: dict[str, Any], where: _Where) -> Settings:
    source = where.source
    _check_types(table, _KEYS, str(source), where.line_of)
    for key in _LIMITS.keys() & table.keys():
        in_range(key, table[key], where.line_of(key))
    if table.get("fail-on", FAIL_ON[0]) not in FAIL_ON:
        raise UsageError(f"{source}: 'fail-on' must be one of {', '.join(FAIL_ON)}")
    base = source.parent

    def one(text: str) -> Path:
        return base / (text if where.foreign else _expanded(text, str(source)))

    def place(key: str) -> Path | None:
        return one(table[key]) if key in table else None

    def places(key: str) -> tuple[Path, ...]:
        return tuple(one(item) for item in table.get(key, ()))

    return Settings(
        places={key: (where.line_of(key),) for key in table},
        paths=tuple(table.get("paths", ())),
        arch=table.get("arch"),
        config=_config(table["config"], where) if "config" in table else None,
        rt=_profile_choice(table["rt"], source) if "rt" in table else None,
        builds=places("builds"),
        cache=place("cache"),
        jobs=table.get("jobs"),
        timeout=table.get("timeout"),
        reach=table.get("reach"),
        libclang=str(place("libclang")) if "libclang" in table else None,
        rules=places("rules"),
        format=table.get("format"),
        output=place("output"),
        select=tuple(table.get("select", ())),
        ignore=tuple(table.get("ignore", ())),
        rt_only=table.get("rt-only"),
        fail_on=table.get("fail-on"),
        baseline=place("baseline"),
        severity=_severity(table.get("severity", {}), where),
        per_path=tuple(_path_rule(item, where) for item in table.get("per-path", ())),
    )


def _config(value: str, where: _Where) -> str:
    """A configuration target, or in the user's own file also the path of a .config."""
    if where.foreign:
        return value
    file = where.source.parent / _expanded(value, str(where))
    return str(file) if file.is_file() else value


def _expanded(text: str, where: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{where}: {text}: {error}") from error


def _severity(table: dict[str, Any], where: _Where) -> dict[str, Severity]:
    from ctxlint.checks.base import find

    for check, value in table.items():
        try:
            find(str(check))
        except UsageError as error:
            raise UsageError(
                f"{where.line_of(str(check))}: {error}", hint=error.hint
            ) from error
        if value not in _SEVERITIES:
            choices = " or ".join(_SEVERITIES)
            raise UsageError(f"{where}: severity of '{check}' must be {choices}")
    return dict(table)


def _path_rule(table: dict[str, Any], where: _Where) -> PathRule:
    from ctxlint.findings.selection import PathRule

    said = f"{where}: per-path"
    keys: dict[str, tuple[type, ...]] = {
        "paths": (list,),
        "ignore": (list,),
        "severity": (dict,),
    }
    _check_types(table, keys, said, lambda key: f"{where.line_of(key)}: per-path")
    if not table.get("paths"):
        raise UsageError(f"{said}: 'paths' is missing: it says which files are meant")
    return PathRule(
        patterns=tuple(table["paths"]),
        ignore=tuple(table.get("ignore", ())),
        severity=_severity(table.get("severity", {}), where),
    )


def _profile_choice(value: bool | str, source: Path) -> str:
    if isinstance(value, bool):
        return "rt" if value else "nort"
    if value not in ("both", "rt", "nort"):
        raise UsageError(f"{source}: 'rt' must be true, false or \"both\"")
    return value
