# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint config``: the settings that apply, and where each comes from."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ctxlint.cli.main import CONTEXT, EXIT_CLEAN, EXIT_USAGE
from ctxlint.cli.output import emit

if TYPE_CHECKING:
    from ctxlint.cli.settings import Settings
    from ctxlint.pipeline import Request

EPILOG = """\b
Examples:
  ctxlint config show
  ctxlint config show --tree ~/linux --format json

\b
The command line overrides the tree's file (.ctxlint.toml, or the table
[tool.ctxlint] of pyproject.toml), which overrides your own file
(~/.config/ctxlint/config.toml).
Exit code: 0, or 2 if the tree's file sets a key that it must not set.
"""

_WIDTH = 80
_VALUES = 12
"""Column of the values."""
_PLACES = 48
"""Column of the places, beside values that end before it."""

#: What holds where a value is empty.
_EMPTY = {
    "paths": "none",
    "builds": "made in the cache",
    "reach": "2 for files, 0 for directories",
    "libclang": "the bundled one",
    "rules": "the bundled ones",
    "output": "standard output",
    "select": "all checks",
    "ignore": "none",
    "baseline": "none",
    "severity": "each check's own",
    "per-path": "none",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A setting: its value as plain data (None or empty: see ``_EMPTY``), and where it was
    set (``FILE:LINE``), or why it is so when no file sets it."""

    key: str
    value: Any
    places: tuple[str, ...]
    why: str


@click.group("config", epilog=EPILOG, context_settings=CONTEXT, no_args_is_help=True)
def command() -> None:
    """Show the settings that apply, and where they come from."""


@command.command("show", epilog=EPILOG)
@click.option(
    "--tree",
    type=click.Path(path_type=Path, file_okay=False),
    help="Kernel tree (default: found from here upward).",
)
@click.option(
    "--format", "-f", "style", type=click.Choice(("text", "json")), default="text",
    show_default=True,
)  # fmt: skip
def show(tree: Path | None, style: str) -> int:
    """Show each setting with the file and line that it comes from.

    Also lists what the tree's file must not set; other commands stop at that.
    """
    from ctxlint.cli.options import request_of, tree_of
    from ctxlint.cli.settings import load_settings

    root = tree_of(tree)
    settings = load_settings(root, refuse=False)
    request = request_of({"paths": ()}, settings, root)
    shown = tuple(_settings(settings, request))
    emit((_json if style == "json" else _text)(settings, request, shown), None)
    return EXIT_USAGE if settings.refused else EXIT_CLEAN


def _settings(settings: Settings, request: Request) -> Iterator[Shown]:
    """In the order in which ``ctxlint audit --help`` has them."""
    from ctxlint import kbuild
    from ctxlint.base.places import default_cache
    from ctxlint.cli.selecting import baseline_path
    from ctxlint.pipeline.defaults import default_paths, processors, target_of

    tree = kbuild.find_tree(request.tree, with_commit=False)
    arch, config = target_of(request, tree)
    values = {
        "paths": request.paths or default_paths(tree.path),
        "arch": arch,
        "config": config,
        "rt": request.rt,
        "builds": request.builds,
        "cache": request.cache or default_cache(),
        "jobs": request.jobs or processors(),
        "timeout": request.timeout,
        "reach": request.reach,
        "libclang": request.libclang,
        "rules": request.rules,
        "format": settings.format or "text",
        "output": settings.output,
        "select": settings.select,
        "ignore": settings.ignore,
        "rt-only": bool(settings.rt_only),
        "fail-on": settings.fail_on or "warning",
        "baseline": baseline_path({}, settings, request.tree),
        "severity": settings.severity,
        "per-path": [
            {"paths": rule.patterns, "ignore": rule.ignore, "severity": rule.severity}
            for rule in settings.per_path
        ],
    }
    unset = _unset(settings, request)
    for key, value in values.items():
        places = () if key in unset else settings.places.get(key, ())
        yield Shown(key=key, value=_plain(value), places=places, why=unset.get(key, "default"))


def _unset(settings: Settings, request: Request) -> dict[str, str]:
    """Keys whose value is not that of a settings file, though one may set them: why."""
    from ctxlint.findings.baseline import DEFAULT_NAME

    found = {}
    if request.paths != settings.paths:
        found["paths"] = "current directory"
    if request.config is None and (request.tree / ".config").is_file():
        found["config"] = "found in the tree"
        if request.arch is None:
            found["arch"] = "by its .config"
    if settings.baseline is None and (request.tree / DEFAULT_NAME).is_file():
        found["baseline"] = "found in the tree"
    if "builds" in settings.places and not settings.builds:
        found["builds"] = "of another target"
    if request.builds:
        found |= {"arch": "not used, see builds", "config": "not used, see builds"}
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _json(settings: Settings, request: Request, shown: tuple[Shown, ...]) -> str:
    files = {"tree": settings.tree_file, "user": settings.user_file}
    data = {
        "tree": str(request.tree),
        "files": {name: None if path is None else str(path) for name, path in files.items()},
        "settings": {
            one.key: {
                "value": one.value,
                "places": one.places,
                "why": None if one.places else one.why,
            }
            for one in shown
        },
        "refused": [
            {"key": key, "message": str(error), "hint": error.hint}
            for key, error in settings.refused.items()
        ],
    }
    return json.dumps(data, indent=2)


def _text(settings: Settings, request: Request, shown: tuple[Shown, ...]) -> str:
    from ctxlint.report.clean import clean

    short = _Names(request.tree)
    lines = [f"Linux tree   {short(str(request.tree))}"]
    for title, path in (("tree's file", settings.tree_file), ("your file", settings.user_file)):
        lines.append(f"{title:<12} {'none' if path is None else short(str(path))}")
    lines.append("")
    for one in shown:
        values = [short(text) for text in _words(one.key, one.value)]
        places = [short(place) for place in one.places] or [one.why]
        lines += _row(one.key, values, ", ".join(places))
    if settings.refused:
        lines += ["", "Rejected; other commands stop at this:"]
    for error in settings.refused.values():
        for text, indent in ((str(error), "  "), (error.hint, "    ")):
            lines += textwrap.wrap(
                short(text),
                _WIDTH,
                initial_indent=indent,
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
    return "\n".join(clean(line) for line in lines)


def _row(key: str, values: list[str], place: str) -> Iterator[str]:
    """A value a line; the place beside the first, or below when there is no room."""
    beside = len(values[0]) < _PLACES - _VALUES and _PLACES + len(place) <= _WIDTH
    room = _PLACES - _VALUES if beside else 0
    yield f"{key:<{_VALUES}}{values[0]:<{room}}{place if beside else ''}".rstrip()
    for more in values[1:]:
        yield f"{'':<{_VALUES}}{more}"
    if not beside:
        yield f"{'':<{_PLACES if len(place) <= _WIDTH - _PLACES else _VALUES}}{place}"


def _words(key: str, value: Any) -> list[str]:
    """A value as lines; what holds for one that is empty."""
    if value is None or value == [] or value == {}:
        return [_EMPTY[key]]
    if isinstance(value, Mapping):
        return [f"{name} = {word}" for name, word in value.items()]
    if isinstance(value, list):
        return [_rule(item) if isinstance(item, Mapping) else str(item) for item in value]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [f"{value:g}" if isinstance(value, float) else str(value)]


def _rule(rule: Mapping[str, Any]) -> str:
    said = [*(f"not {check}" for check in rule["ignore"])]
    said += [f"{check} = {word}" for check, word in rule["severity"].items()]
    return f"{' '.join(rule['paths'])}: {', '.join(said)}"


class _Names:
    """Paths as a reader knows them: below the tree without it, below home with ``~``."""

    def __init__(self, tree: Path) -> None:
        self.tree = f"{tree}/"
        try:
            self.home = f"{Path.home()}/"
        except RuntimeError:
            self.home = ""

    def __call__(self, text: str) -> str:
        text = text.replace(self.tree, "")
        return text.replace(self.home, "~/") if self.home else text
