# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs for scenarios: driver fixtures, or files of a kernel tree, with the model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from ctxlint import kbuild
from ctxlint.base.errors import FrontendError, UsageError
from ctxlint.base.places import default_cache
from ctxlint.base.request import Quiet, Request
from ctxlint.frontend import lower_unit
from ctxlint.pipeline import copies
from ctxlint.pipeline.copies import fixtures_directory
from ctxlint.pipeline.run import program_image
from ctxlint.scenarios import runner, schema
from ctxlint.scenarios.plain import plain
from ctxlint.scenarios.schema import Catalogue, Edit, Setup, Variant
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image
from ctxlint.simulator.runtime.library import add_models
from ctxlint.simulator.runtime.state import MODEL_RELEASE, Config
from ctxlint.units.index import keep_models_in

_TARGETS = {"arm64": "aarch64-linux-gnu", "x86_64": "x86_64-linux-gnu"}
_ARGUMENTS = (
    "-nostdinc", "-ffreestanding", "-std=gnu11", "-D__KERNEL__", "-DCONFIG_SMP=1",
    "-DCONFIG_HOTPLUG_CPU=1",
)  # fmt: skip


def code_of(
    name: str,
    variant: Variant,
    setup: Setup,
    tree: Path | None = None,
    cache: Path | None = None,
) -> Code:
    """The program of a variant for a machine; raises UsageError without a tree for one
    that is made of its files."""
    key = (setup.arch, setup.rt, setup.page_size)
    if not variant.tree:
        return _fixture(variant.files, variant.defines, *key)
    if tree is None:
        raise UsageError(f"{name} runs files of a kernel tree", hint="use --tree")
    if variant.edits or variant.beside:
        return _of_copies(variant.files, variant.edits, variant.beside, *key, tree, cache)
    return tree_code(variant.files, *key, tree, cache)


@lru_cache(maxsize=8)
def _of_copies(
    files: tuple[str, ...],
    edits: tuple[Edit, ...],
    beside: tuple[str, ...],
    arch: str,
    rt: bool,
    page_size: int,
    tree: Path,
    cache: Path | None,
) -> Code:
    """Files of the tree, changed or with others beside them; the tree stays as it is."""
    request = _request(files, arch, rt, page_size, tree, cache)
    image = copies.image_of(request, files, edits, beside)
    add_models(image, Config(rt=rt, arch=arch, page_size=page_size))
    return Code(image)


@lru_cache(maxsize=8)
def tree_code(
    files: tuple[str, ...],
    arch: str,
    rt: bool,
    page_size: int,
    tree: Path,
    cache: Path | None = None,
) -> Code:
    """Unmodified files as the tree's own build system compiles them."""
    request = _request(files, arch, rt, page_size, tree, cache)
    image = program_image(request, Quiet())
    add_models(image, Config(rt=rt, arch=arch, page_size=page_size))
    return Code(image)


def _request(
    files: tuple[str, ...],
    arch: str,
    rt: bool,
    page_size: int,
    tree: Path,
    cache: Path | None = None,
) -> Request:
    if page_size != 4096:
        raise UsageError("files of a kernel tree run with 4 KiB pages")
    return Request(
        tree=tree, paths=files, arch=arch, config="defconfig", rt="rt" if rt else "nort",
        reach=0, jobs=1, cache=cache,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _fixture(
    files: tuple[str, ...], defines: tuple[str, ...], arch: str, rt: bool, page_size: int
) -> Code:
    image = Image()
    shift = page_size.bit_length() - 1
    arguments = (
        f"--target={_TARGETS[arch]}",
        *_ARGUMENTS,
        "-Iarch/arm64/include",
        "-Iinclude",
        f"-DPAGE_SHIFT={shift}",
        f"-DCONFIG_{'ARM64' if arch == 'arm64' else 'X86_64'}=1",
        *(("-DCONFIG_PREEMPT_RT=1",) if rt else ()),
        *(f"-D{define}" for define in defines),
    )
    where = fixtures_directory()
    for file in files:
        unit = lower_unit(
            tree=where, file=f"model/{file}", arguments=arguments, directory=where / "tree"
        )
        if unit.errors:
            raise FrontendError(f"{file}: {unit.errors[0]}")
        image.add_unit(unit)
    add_models(image, Config(rt=rt, arch=arch, page_size=page_size))
    return Code(image)


def run_many(
    catalogue: Catalogue,
    ids: Sequence[str],
    *,
    tree: Path | None = None,
    seed: int = 0,
    jobs: int = 1,
    only: Sequence[str] = (),
) -> Iterator[dict[str, Any]]:
    """Run scenarios; their results as plain data, in the order of ``ids``, each as soon as
    it and those before it are there. What needs a kernel tree is left out, and said so,
    when there is none."""
    if only:
        catalogue = _reduced(catalogue, ids, only)
        jobs = 1
    work = [(ident, tree, seed) for ident in ids]
    if jobs == 1 or len(ids) == 1:
        for item in work:
            yield _run(catalogue, *item)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(_run_again, *zip(*work, strict=True))


def _reduced(catalogue: Catalogue, ids: Sequence[str], only: Sequence[str]) -> Catalogue:
    """The catalogue with runs of these names alone; raises UsageError for one that no
    scenario has."""
    scenarios = dict(catalogue.scenarios)
    found: set[str] = set()
    for ident in ids:
        runs = tuple(r for r in scenarios[ident].runs if r.name in only)
        found |= {r.name for r in runs}
        scenarios[ident] = msgspec.structs.replace(scenarios[ident], runs=runs)
    missing = [name for name in only if name not in found]
    if missing:
        raise UsageError(f"no run is called {missing[0]!r}")
    return Catalogue(scenarios, catalogue.variants)


def _run_again(ident: str, tree: Path | None, seed: int) -> dict[str, Any]:
    return _run(_catalogue(), ident, tree, seed)


@lru_cache(maxsize=1)
def _catalogue() -> Catalogue:
    return schema.load()


def _release(tree: Path | None) -> str:
    """The version of the tree that files come from."""
    if tree is None:
        return MODEL_RELEASE
    return kbuild.find_tree(tree, with_commit=False).version


def _run(catalogue: Catalogue, ident: str, tree: Path | None, seed: int) -> dict[str, Any]:
    scenario = catalogue.scenarios[ident]
    variants = catalogue.variants
    with contextlib.suppress(UsageError):  # no home directory, so nothing is kept
        keep_models_in(default_cache())
    result = runner.run(
        scenario,
        variants,
        lambda name, variant, setup: code_of(name, variant, setup, tree),
        seed=seed,
        tree=tree is not None,
        release=_release(tree),
    )
    return plain(result, variants)


__all__ = ["code_of", "fixtures_directory", "run_many"]
