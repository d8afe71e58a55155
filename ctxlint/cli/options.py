# SPDX-License-Identifier: GPL-2.0-or-later
"""Options that several commands share, and how they become a Request."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import click

from ctxlint.base.errors import UsageError
from ctxlint.cli import complete
from ctxlint.cli.settings import JOBS, REACH, TIMEOUT, Settings, load_settings

if TYPE_CHECKING:
    from ctxlint.pipeline import Request

F = TypeVar("F", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """A time limit. Click's own range lets "nan" pass, which compares with nothing."""

    def __init__(self) -> None:
        super().__init__(*TIMEOUT)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return number


_DIR = click.Path(path_type=Path, file_okay=False)

_TREE = [
    click.option("--tree", type=_DIR, help="Kernel tree (default: found from here upward)."),
    click.option(
        "--arch",
        shell_complete=complete.architecture,
        help="Architecture: arm64 (default), arm, x86_64, riscv, ...",
    ),
    click.option(
        "--config",
        shell_complete=complete.configuration,
        help="defconfig, allmodconfig, another target, or a .config file.",
    ),
    click.option("--rt/--no-rt", default=None, help="Only this profile (default: both)."),
    click.option(
        "--build",
        "builds",
        type=_DIR,
        multiple=True,
        help="Take compile commands from this build directory (repeatable).",
    ),
    click.option("--cache", type=_DIR, help="Where build directories and facts are kept."),
]
_NO_MAKE = click.option(
    "--no-make",
    is_flag=True,
    help="Do not run the tree's Makefiles: use --build or what is already prepared.",
)
_ASKED_MAKE = click.option(
    "--make/--no-make",
    default=False,
    help="Whether a request may run the tree's Makefiles (default: no, use --build or"
    " what is already prepared).",
)
_RUN = [
    click.option(
        "--jobs", "-j", type=click.IntRange(*JOBS), help="Worker processes (0: all CPUs)."
    ),
    click.option("--timeout", type=Seconds(), help="Seconds per translation unit."),
    click.option(
        "--reach",
        type=click.IntRange(*REACH),
        help="Rounds of reading callers and callees in other files"
        " (default: 2 for single files, 0 for directories).",
    ),
    click.option(
        "--libclang",
        shell_complete=complete.file,
        help="Path of a libclang to use instead of the bundled one.",
    ),
    click.option(
        "--rules",
        type=_DIR,
        multiple=True,
        help="Add the rules in this directory (repeatable).",
    ),
]
_TALK = [
    click.option("--verbose", "-v", count=True, help="More messages (-vv: debug)."),
    click.option("--quiet", "-q", is_flag=True, help="Only results and errors."),
    click.option("--no-color", is_flag=True, help="Plain text (also: NO_COLOR set)."),
]


def tree_options(function: F) -> F:
    """``--tree --arch --config --rt --build --cache --no-make``."""
    return _apply([*_TREE, _NO_MAKE], function)


def trial_tree_options(function: F) -> F:
    """The same, where no tree is meant unless one is named."""
    tree = click.option("--tree", type=_DIR, help="A kernel tree (default: the small one).")
    return _apply([tree, *_TREE[1:], _NO_MAKE], function)


def server_tree_options(function: F) -> F:
    """The same for a program that others send requests to: nothing of the tree is run
    unless that was allowed (``make``)."""
    return _apply([*_TREE, _ASKED_MAKE], function)


def run_options(function: F) -> F:
    """``--jobs --timeout --reach --libclang --rules``."""
    return _apply(_RUN, function)


def talk_options(function: F) -> F:
    """``-v -q --no-color``."""
    return _apply(_TALK, function)


def _apply(options: Sequence[Callable[[Any], Any]], function: F) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def tree_of(given: Path | None) -> Path:
    """The kernel tree: the one that ``given`` (or the current directory) is or lies in.

    Raises :class:`TreeError` when there is none.
    """
    from ctxlint.kbuild.tree import find_tree

    return find_tree(given or Path(), with_commit=False).path


def relative_paths(paths: tuple[str, ...], tree: Path) -> tuple[str, ...]:
    """``paths`` relative to ``tree``. Each is taken from the current directory if
    that lies in the tree and has it, else from the tree.

    Raises :class:`UsageError` for a path that is in neither.
    """
    result = []
    for text in paths:
        # Lexically: files of a tree may be links to elsewhere.
        here = Path(os.path.normpath(Path.cwd() / text))
        there = Path(os.path.normpath(tree / text))
        if here.exists() and here.is_relative_to(tree):
            result.append(here.relative_to(tree).as_posix())
        elif there.exists() and there.is_relative_to(tree):
            result.append(there.relative_to(tree).as_posix())
        elif here.exists():
            raise UsageError(f"{text}: outside of the tree {tree}", hint="--tree names another")
        else:
            raise UsageError(f"{text}: no such file or directory in {tree}")
    return tuple(result)


def _here(tree: Path) -> tuple[str, ...]:
    """The current directory, when it is one below the tree's root."""
    try:
        here = Path.cwd()
    except OSError:  # it is gone
        return ()
    below = here.is_relative_to(tree) and here != tree
    return (str(here),) if below else ()


def make_request(options: dict[str, Any]) -> tuple[Request, Settings]:
    """Merge the command line over the settings files into a Request.

    ``options`` are click's parameters by name. Raises :class:`UsageError`.
    """
    tree = tree_of(options.get("tree"))
    settings = load_settings(tree)
    return request_of(options, settings, tree), settings


def request_of(options: dict[str, Any], settings: Settings, tree: Path) -> Request:
    """The command line over ``settings``. Raises :class:`UsageError`."""
    from ctxlint.pipeline import Request

    given = tuple(options.get("paths") or ())
    if not given and "paths" in options:
        given = _here(tree)
    paths = relative_paths(given or settings.paths, tree)
    flag = options.get("rt")
    rt = settings.rt or "both" if flag is None else "rt" if flag else "nort"
    jobs = options.get("jobs")
    config = options.get("config")
    if config is not None and Path(config).is_file():
        config = str(Path(config).resolve())
    builds = tuple(path.resolve() for path in options.get("builds") or ())
    # Another architecture or configuration on the command line means that the
    # build directories of the files are not what was asked for.
    asked_otherwise = options.get("arch") or config
    return Request(
        tree=tree,
        paths=paths,
        arch=options.get("arch") or settings.arch,
        config=config or settings.config,
        rt=cast(Literal["both", "rt", "nort"], rt),
        builds=builds or (() if asked_otherwise else settings.builds),
        cache=options.get("cache") or settings.cache,
        jobs=jobs if jobs is not None else settings.jobs or 0,
        timeout=options.get("timeout") or settings.timeout or Request.timeout,
        reach=options.get("reach") if options.get("reach") is not None else settings.reach,
        libclang=options.get("libclang") or settings.libclang,
        rules=tuple(options.get("rules") or ()) or settings.rules,
        verify=bool(options.get("verify")),
        possible=bool(options.get("possible")),
        make=options.get("make", not options.get("no_make")),
    )
