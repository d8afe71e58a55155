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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast, get_args

import msgspec
from msgspec import Meta

from ctxlint.base.errors import UsageError
from ctxlint.base.reading import read_limited

if TYPE_CHECKING:
    from ctxlint.findings.selection import PathRule, Severity

FailOn = Literal["error", "warning", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)

MAX_BYTES = 256 << 10
"""Of a settings file."""

#: Least and greatest value, on the command line and in files.
JOBS = (0, 1024)
TIMEOUT = (0.1, 86400.0)
REACH = (0, 6)
_LIMITS: Mapping[str, tuple[float, float]] = {"jobs": JOBS, "timeout": TIMEOUT, "reach": REACH}

#: Keys that a tree's file must not set: they name what is loaded, run or written, or say
#: how this machine is used.
_TRUSTED = ("cache", "format", "jobs", "libclang", "output", "rules", "timeout")
#: Keys of a tree's file whose paths must lie in the tree.
_INSIDE = ("baseline", "builds")
#: Keys that decide which findings are reported and whether they count.
SELECTING = ("select", "ignore", "rt-only", "severity", "per-path", "fail-on")

_SEVERITIES = ("error", "warning")
#: Each item is checked for each finding, or for each unit.
_ITEMS = Meta(max_length=1000)
_Texts = Annotated[tuple[str, ...], _ITEMS]
_Checks = Annotated[dict[str, str], _ITEMS]

#: Parts of a dotted key of TOML. A parser walks them again for each key below.
_DEPTH = 100


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    paths: Annotated[tuple[str, ...], Meta(min_length=1, max_length=1000)]
    ignore: _Texts = ()
    severity: _Checks = {}


class _Common(msgspec.Struct, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The keys that hold as a file has them."""

    paths: _Texts = ()
    arch: str | None = None
    config: str | None = None
    builds: Annotated[tuple[Path, ...], Meta(max_length=16)] = ()
    cache: Path | None = None
    jobs: Annotated[int, Meta(ge=JOBS[0], le=JOBS[1])] | None = None
    timeout: Annotated[float, Meta(ge=TIMEOUT[0], le=TIMEOUT[1])] | None = None
    reach: Annotated[int, Meta(ge=REACH[0], le=REACH[1])] | None = None
    rules: Annotated[tuple[Path, ...], _ITEMS] = ()
    format: str | None = None
    output: Path | None = None
    select: _Texts = ()
    ignore: _Texts = ()
    rt_only: bool | None = None
    fail_on: FailOn | None = None
    baseline: Path | None = None


class _File(_Common, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """All keys of a file, with its types; paths are relative to it."""

    rt: bool | Literal["both", "rt", "nort"] | None = None
    libclang: Path | None = None
    severity: _Checks = {}
    per_path: Annotated[tuple[_Rule, ...], _ITEMS] = ()


KEYS: tuple[str, ...] = _File.__struct_encode_fields__


class Settings(_Common, kw_only=True):
    """What the files say; None or empty where they say nothing.

    ``tree_file`` is the tree's file when there is one, ``tree_keys`` are the keys that it
    sets. ``user`` is what holds without it. ``places`` says for each key that is set in
    which files and lines, the user's first; those of ``refused`` are not taken.
    """

    tree_file: Path | None = None
    tree_keys: tuple[str, ...] = ()
    user: Settings | None = None
    user_file: Path | None = None
    places: Mapping[str, tuple[str, ...]] = {}
    refused: Mapping[str, UsageError] = {}
    rt: str | None = None
    libclang: str | None = None
    severity: Mapping[str, Severity] = {}
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
    names = zip(_File.__struct_fields__, KEYS, strict=True)
    given = {name: getattr(own, name) for name, key in names if key in table}
    if ("config" in table or "arch" in table) and "builds" not in table:
        given["builds"] = ()  # the user's are of another configuration
    return msgspec.structs.replace(
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
    return msgspec.structs.replace(_settings(table, _Where(path, text, False)), user_file=path)


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


class _Where(msgspec.Struct, frozen=True):
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


T = TypeVar("T")
#: What msgspec says, in TOML's words.
_WORDS = {
    " | null": "", "`object`": "a table", "`array`": "an array", " of length": " with items",
    "Invalid enum value": "no value is", "Object missing required field": "it lacks",
    "Expected": "expected",
}  # fmt: skip


def _decoded(table: dict[str, Any], kind: type[T], where: _Where) -> T:
    """The table of a file as its types say. Raises :class:`UsageError` with the line."""

    def place(_: type, value: Any) -> Path:
        if not isinstance(value, str):
            raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
        return where.source.parent / (value if where.foreign else _expanded(value, str(where)))

    _check_prints(table, where)
    try:
        return msgspec.convert(table, kind, dec_hook=place)
    except msgspec.ValidationError as error:
        text, _, at = str(error).partition(" - at `$.")
        for word, ours in _WORDS.items():
            text = text.replace(word, ours)
    key = re.split(r"[.\[`]", at)[0]
    unknown = re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL)
    if unknown is None:
        said = f"'{at.rstrip('`')}': {text}"
        choices = {"fail-on": FAIL_ON, "rt": ("true", "false", '"both"')}.get(key, ())
        hint = f"it is one of {', '.join(choices)}" if choices else ""
        raise UsageError(f"{where.line_of(key)}: {said}", hint=hint)
    known = _Rule.__struct_fields__ if at else KEYS
    near = difflib.get_close_matches(unknown[1], known, n=2)
    raise UsageError(
        f"{where.line_of(unknown[1])}: {key + ': ' if at else ''}unknown key '{unknown[1]}'",
        hint=f"did you mean {' or '.join(near)}?"
        if near
        else f"known keys: {', '.join(sorted(known))}",
    )


def _check_prints(value: Any, where: _Where, key: str = "") -> None:
    """All texts that may come to be printed."""
    if isinstance(value, str) and not value.isprintable():
        raise UsageError(f"{where.line_of(key)}: '{key}' holds a character that does not print")
    for name, item in value.items() if isinstance(value, dict) else ():
        _check_prints(item, where, key or name)
    for item in value if isinstance(value, list) else ():
        _check_prints(item, where, key)


def in_range(key: str, value: float, where: str) -> None:
    """Raises :class:`UsageError` when a number is not within the limits of ``key``."""
    least, most = _LIMITS[key]
    if not least <= value <= most:  # so is "not a number"
        raise UsageError(f"{where}: '{key}' must be between {least:g} and {most:g}")


def _settings(table: dict[str, Any], where: _Where) -> Settings:
    file = _decoded(table, _File, where)
    rt = file.rt if not isinstance(file.rt, bool) else "rt" if file.rt else "nort"
    common = {name: getattr(file, name) for name in _Common.__struct_fields__}
    return Settings(
        **common | {"config": _config(file.config, where) if file.config is not None else None},
        places={key: (where.line_of(key),) for key in table},
        rt=rt,
        libclang=None if file.libclang is None else str(file.libclang),
        severity=_severity(file.severity, where),
        per_path=tuple(_path_rule(rule, where) for rule in file.per_path),
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


def _severity(table: dict[str, str], where: _Where) -> dict[str, Severity]:
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
    return cast("dict[str, Severity]", table)


def _path_rule(rule: _Rule, where: _Where) -> PathRule:
    from ctxlint.findings.selection import PathRule

    return PathRule(
        patterns=rule.paths,
        ignore=rule.ignore,
        severity=_severity(rule.severity, where),
    )
