# SPDX-License-Identifier: GPL-2.0-or-later
"""Taking the commands of a build directory that somebody else made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ctxlint.base.errors import TreeError
from ctxlint.kbuild import arch as arches
from ctxlint.kbuild import commands as reading
from ctxlint.kbuild import config as configs
from ctxlint.kbuild import standin, tree
from ctxlint.kbuild.model import CompileCommand, Log, Prepared, ProfileSpec, Tree, quiet
from ctxlint.kbuild.prepare import build_directories, prepared


def use_build(source: Tree, build: Path, paths: Iterable[str], *, log: Log = quiet) -> Prepared:
    """The commands of an existing build of ``source`` for the C files below ``paths``.

    They come from ``compile_commands.json``, and from kbuild's ``.*.cmd`` files for what
    that does not list; ``.config`` says which profile it is. Raises :class:`TreeError` when
    ``build`` is not configured or no command in it is for this tree.
    """
    names = tree.normal_paths(source, paths)
    build = build.resolve()
    spec = profile_of(source, build)
    srcarch = arches.srcarch(spec.arch)
    target = standin.target_triple(source.path, srcarch)
    commands: dict[str, CompileCommand] = {}
    database = build / "compile_commands.json"
    if database.is_file():
        raw = reading.read_database(database)
        commands = reading.compile_commands(source, build, raw, target=target, log=log)
    wanted = build_directories(source, srcarch, names)
    cmd_files = reading.read_cmd_files(build, wanted)
    commands = (
        reading.compile_commands(source, build, cmd_files, target=target, log=log) | commands
    )
    if not commands:
        raise TreeError(
            f"{build}: holds no compile command for {source.path}",
            hint="Build at least the audited directories there first, or leave --build out.",
        )
    return prepared(source, spec, build, commands, names, own=False)


def profile_of(source: Tree, build: Path) -> ProfileSpec:
    """Which profile a build directory is, from its ``.config``.

    ``build`` is an absolute path. Raises :class:`TreeError` when it is not configured.
    """
    dot_config = build / ".config"
    if not dot_config.is_file():
        dot_config = build / "include/config/auto.conf"
    if not dot_config.is_file():
        raise TreeError(
            f"{build}: not a kernel build directory, it has no .config",
            hint="Name a directory where the kernel was built (O=…), or leave --build out.",
        )
    options = configs.read_config(dot_config)
    arch = arches.of_config_file(dot_config, source.path)
    if arch is None:
        raise TreeError(
            f"{dot_config}: cannot tell which architecture it is for",
            hint="Check that it is a complete .config (make olddefconfig).",
        )
    return ProfileSpec(arch=arch, config=build.name, rt=options.get("PREEMPT_RT") == "y")
