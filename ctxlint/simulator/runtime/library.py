# SPDX-License-Identifier: GPL-2.0-or-later
"""The model functions in an image, and a kernel that stands on them.

``add_models()`` lowers ``rules/models`` for a configuration and puts it into an image,
where it stands in for header functions and for what the image has no body of. The
variables of ``percpu.c`` are per-CPU ones. Lowering takes seconds, so what came of it is
kept in a folder of the cache where there is one (:func:`keep_in`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec
from zstandard import ZstdError

from ctxlint.base.places import rules_directory
from ctxlint.frontend.model_functions import Models, lower_models
from ctxlint.ir import codec
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image
from ctxlint.simulator.machine import Machine
from ctxlint.simulator.runtime import (  # noqa: F401 - their primitives
    alloc,
    assembly,
    boot,
    context,
    entries,
    firmware,
    layout,
    locks,
    printk,
    waits,
)
from ctxlint.simulator.runtime.assembly import AssemblyByRule
from ctxlint.simulator.runtime.state import Config, Kernel
from ctxlint.store import kept

_PERCPU_FILE = "percpu.c"
BOOT = "model_boot"
"""The model function that fills the kernel's variables."""


def model_texts(directory: Path | None = None) -> dict[str, str]:
    """The model files by name."""
    where = directory or rules_directory() / "models"
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(where.iterdir())
        if path.suffix in (".c", ".h")
    }


def defines(config: Config) -> dict[str, str]:
    """The conditions that model files can ask for."""
    found = {f"MODEL_{config.arch.upper()}": ""}
    if config.rt:
        found["MODEL_RT"] = ""
    if config.numa:
        found["MODEL_NUMA"] = ""
    return found


_kept_in: dict[str, Path | str] = {}


def keep_in(folder: Path, tool: str) -> None:
    """Keep lowered model files in a folder from now on, and take them from there; ``tool``
    names the code that lowers them."""
    _kept_in.update(folder=folder, tool=tool)


@lru_cache(maxsize=8)
def _lowered(texts: tuple[tuple[str, str], ...], given: tuple[tuple[str, str], ...]) -> Models:
    if not _kept_in:
        return lower_models(dict(texts), defines=dict(given))
    folder = Path(_kept_in["folder"])
    key = msgspec.msgpack.encode((_kept_in["tool"], texts, given))
    name = hashlib.blake2b(key, digest_size=16).hexdigest()
    data = kept.read(folder, name)
    if data is not None:
        try:
            return codec.decode(data, Models)
        except (msgspec.MsgspecError, ZstdError, RecursionError):
            pass  # what is there was not made here
    models = lower_models(dict(texts), defines=dict(given))
    kept.keep(folder, name, codec.encode(models))
    return models


def lowered(
    config: Config, directory: Path | None = None, extra: Iterable[Path] = ()
) -> Models:
    """The model files for a configuration, as IR. ``extra`` are further files, each in
    place of one of its name."""
    texts = model_texts(directory)
    texts.update({path.name: path.read_text(encoding="utf-8") for path in extra})
    return _lowered(tuple(sorted(texts.items())), tuple(sorted(defines(config).items())))


def add_models(
    image: Image,
    config: Config,
    directory: Path | None = None,
    extra: Iterable[Path] = (),
) -> None:
    """Link the model functions of a configuration into an image; the files are those of
    :func:`lowered`."""
    models = lowered(config, directory, extra)
    image.override(models.functions)
    for variable in models.globals:
        if variable.init is None and variable.symbol in image.variables:
            continue  # the image's own, as its file has it
        if variable.file.endswith("/" + _PERCPU_FILE):
            variable = msgspec.structs.replace(
                variable, attrs=(*variable.attrs, "section=.data..percpu")
            )
        image.add_variable(variable)
    image.add_records(models.records)
    image.add_enums(models.enums)


def start(m: Machine, config: Config) -> Kernel:
    """A kernel that begins to boot on a machine whose image has the model functions:
    variables have their first values, CPU 0 runs its idle task with interrupts off."""
    made = Kernel(m, config)
    m.call(BOOT)
    return made


def kernel(image: Image, config: Config, *, code: Code | None = None) -> Kernel:
    """The same on a machine of its own, where nothing beyond the image is known."""
    return start(Machine(code or Code(image), AssemblyByRule()), config)


__all__ = [
    "BOOT",
    "add_models",
    "defines",
    "keep_in",
    "kernel",
    "lowered",
    "model_texts",
    "start",
]
