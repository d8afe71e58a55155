# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds where nothing is asked for. Loads nothing of the analysis."""

from __future__ import annotations

import os
from pathlib import Path

from ctxlint import kbuild
from ctxlint.base.request import Request

DEFAULT_ARCH = "arm64"
DEFAULT_CONFIG = "defconfig"
DEFAULT_PATHS = ("drivers/irqchip", "drivers/firmware")


def default_paths(tree: Path) -> tuple[str, ...]:
    """What is audited without paths, as far as the tree has it."""
    return tuple(path for path in DEFAULT_PATHS if (tree / path).exists())


def processors() -> int:
    """How many worker processes there are unless told otherwise."""
    return len(os.sched_getaffinity(0))


def target_of(request: Request, tree: kbuild.Tree) -> tuple[str, str]:
    """Architecture and configuration: asked for, else the tree's own."""
    own = tree.path / ".config"
    config = request.config
    if config is None and own.is_file():
        config = str(own)
    arch = request.arch
    if arch is None and config is not None and Path(config).is_file():
        arch = kbuild.arch_of_config(Path(config), tree)
    return arch or DEFAULT_ARCH, config or DEFAULT_CONFIG
