# SPDX-License-Identifier: GPL-2.0-or-later
"""The slow tier's kernel trees.

Two kernels: the one that most expectations were written for (``kernel_tree``, 6.12), and
the newest one at hand (``new_kernel_tree``, 7.x), on which nothing was tuned.
``CTXLINT_KERNEL_TREE`` and ``CTXLINT_NEW_KERNEL_TREE`` name unpacked trees; without them
``/usr/src/linux-source-*.tar.xz`` is unpacked; without either the tests skip.
``CTXLINT_TEST_CACHE`` keeps build directories between runs; in one run all processes of the
tests share one. ``CTXLINT_TEST_JOBS`` is the number of processes that an audit has
(default 1).
"""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path

import pytest
from once import once

from ctxlint.kbuild import find_tree

from .scratch import Bench, clang

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    needs = {"bench", "new_bench", "kernel_tree", "new_kernel_tree"}
    for item in items:
        if HERE in item.path.parents and needs & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def _version(archive: Path) -> tuple[int, ...]:
    """``linux-source-7.3.tar.xz`` -> (7, 3)."""
    return tuple(int(n) for n in re.findall(r"\d+", archive.name))


def _archives() -> list[Path]:
    """Kernel sources of Debian packages, oldest first."""
    return sorted(Path("/usr/src").glob("linux-source-*.tar.xz"), key=_version)


def _unpacked(archive: Path) -> Path:
    """The tree in an archive, unpacked once for all processes of the run."""

    def unpack(where: Path) -> None:
        with tarfile.open(archive) as opened:
            opened.extractall(where, filter="tar")

    return next(path for path in once(archive.name, unpack).iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def kernel_tree() -> Path:
    """An unpacked tree of Linux 6.12."""
    named = os.environ.get("CTXLINT_KERNEL_TREE")
    if named:
        return Path(named).resolve()
    archives = _archives()
    if not archives:
        pytest.skip("NO KERNEL TREE: set CTXLINT_KERNEL_TREE or install linux-source-6.12")
    return _unpacked(archives[0])


@pytest.fixture(scope="session")
def new_kernel_tree() -> Path:
    """An unpacked tree of the newest Linux 7.x."""
    named = os.environ.get("CTXLINT_NEW_KERNEL_TREE")
    if named:
        return Path(named).resolve()
    archives = [a for a in _archives() if _version(a) >= (7,)]
    if not archives:
        pytest.skip(
            "NO NEW KERNEL TREE: set CTXLINT_NEW_KERNEL_TREE or install linux-source-7.x "
            "(Debian backports)"
        )
    return _unpacked(archives[-1])


def _cache() -> Path:
    named = os.environ.get("CTXLINT_TEST_CACHE")
    return Path(named) if named else once("kernel-cache", lambda _: None)


def _bench(tree: Path, work: Path) -> Bench:
    if clang() is None:
        pytest.skip("NO CLANG: the build directories of the slow tier need one")
    return Bench(
        tree=find_tree(tree),
        cache=_cache(),
        work=work,
        jobs=int(os.environ.get("CTXLINT_TEST_JOBS", "1")),
    )


@pytest.fixture(scope="session")
def bench(kernel_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The tree of 6.12 with a cache and a work directory."""
    return _bench(kernel_tree, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def new_bench(new_kernel_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The tree of 7.x with a cache and a work directory."""
    return _bench(new_kernel_tree, tmp_path_factory.mktemp("new-bench"))
