# SPDX-License-Identifier: GPL-2.0-or-later
"""The slow tier's kernel tree.

``CTXLINT_KERNEL_TREE`` names an unpacked tree; without it the newest
``/usr/src/linux-source-*.tar.xz`` is unpacked; without either the tests skip.
``CTXLINT_TEST_CACHE`` keeps build directories between runs, ``CTXLINT_TEST_JOBS`` is the
number of processes (default 1).
"""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from ctxlint.kbuild import find_tree

from .scratch import Bench, clang

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and "bench" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def kernel_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked kernel tree."""
    named = os.environ.get("CTXLINT_KERNEL_TREE")
    if named:
        return Path(named).resolve()
    archives = sorted(Path("/usr/src").glob("linux-source-*.tar.xz"))
    if not archives:
        pytest.skip("NO KERNEL TREE: set CTXLINT_KERNEL_TREE or install linux-source")
    where = tmp_path_factory.mktemp("kernel")
    with tarfile.open(archives[-1]) as archive:
        archive.extractall(where, filter="tar")
    return next(path for path in where.iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def bench(kernel_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The tree with a cache and a work directory."""
    if clang() is None:
        pytest.skip("NO CLANG: the build directories of the slow tier need one")
    work = tmp_path_factory.mktemp("bench")
    return Bench(
        tree=find_tree(kernel_tree),
        cache=Path(os.environ.get("CTXLINT_TEST_CACHE") or work / "cache"),
        work=work,
        jobs=int(os.environ.get("CTXLINT_TEST_JOBS", "1")),
    )
