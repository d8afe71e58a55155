# SPDX-License-Identifier: GPL-2.0-or-later
"""Schema of ``rules/splats.yaml``: which frames, tasks and counts mean which context."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from ctxlint.base import yamldata
from ctxlint.base.errors import RuleError
from ctxlint.rulebook import ApiRule, Rulebook, rules_directory

FILE = "splats.yaml"


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a splat of one execution context looks like; all conditions must hold.

    ``context`` is a name of rules/contexts.yaml, which gives title, text and hotplug
    section unless they stand here. ``frames``: one of them is on the stack, ``inside``
    and ``without``: one of these is, or none is. ``bits``: the preempt count has them
    (when it was printed; else the frames must do). ``stack``: the innermost x86 stack.
    ``lock``: lockdep says that it is held. ``idle``: the
    task is an idle task. ``hint``: what a reader should know about this conclusion.
    """

    context: str = ""
    title: str = ""
    text: str = ""
    section: str = ""
    frames: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    bits: Literal["", "nmi", "hardirq", "softirq"] = ""
    irqs: Literal["", "on", "off"] = ""
    stack: str = ""
    lock: str = ""
    idle: bool = False
    hint: str = ""
    source: str = ""


class PlaceRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The check that prints stands in ``file``: the operation is this one."""

    file: str
    operation: str


class SplatFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    signatures: tuple[Signature, ...]
    printers: tuple[tuple[str, ...], ...]
    carriers: tuple[str, ...]
    warnings: tuple[str, ...]
    places: tuple[PlaceRule, ...]
    watchers: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    within: dict[str, tuple[str, ...]] = {}


class SplatRules(msgspec.Struct, frozen=True):
    """The file, checked against the other rules. ``printers`` print a splat or make the
    check, ``watchers`` warn of what their callers do; ``detectors`` look for CPUs that are
    stuck, in an interrupt that ``entries`` lead to. ``within`` names, for functions that
    have no rule of their own, the function with one whose implementation they are."""

    signatures: tuple[Signature, ...]
    printers: frozenset[str]
    carriers: frozenset[str]
    warnings: frozenset[str]
    places: tuple[PlaceRule, ...]
    book: Rulebook
    watchers: frozenset[str] = frozenset()
    within: dict[str, str] = {}
    detectors: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()

    def api(self, name: str) -> ApiRule | None:
        """The rule of a function, or of what it is a part of."""
        return self.book.api(name) or self.book.api(self.within.get(name, name))

    def operation_of(self, file: str) -> str:
        """The operation whose implementation ``file`` is (``""``: not known). Splats
        spell the path from the build directory, sometimes absolute."""
        for place in self.places:
            if file == place.file or file.endswith("/" + place.file):
                return place.operation
        return ""


def load(book: Rulebook, path: Path | None = None) -> SplatRules:
    """Read the rules on splats. Raises :class:`RuleError`."""
    return _load(book, path or rules_directory() / FILE)


def _load(book: Rulebook, path: Path) -> SplatRules:
    file = _read(path)
    for number, signature in enumerate(file.signatures):
        where = f"{path.name}: signatures[{number}]"
        if signature.context and signature.context not in book.contexts:
            raise RuleError(f"{where}.context: unknown name `{signature.context}`")
        if not (signature.context or signature.title):
            raise RuleError(f"{where}: needs a context or a title")
    for whole in file.within:
        if book.api(whole) is None:
            raise RuleError(f"{path.name}: within: no rule on `{whole}`")
    for number, place in enumerate(file.places):
        if place.operation not in book.operations:
            raise RuleError(f"{path.name}: places[{number}]: unknown `{place.operation}`")
    return SplatRules(
        file.signatures,
        frozenset(name for group in file.printers for name in group),
        frozenset(file.carriers),
        frozenset(file.warnings),
        file.places,
        book,
        frozenset(file.watchers),
        {part: whole for whole, parts in file.within.items() for part in parts},
        frozenset(file.detectors),
        frozenset(file.entries),
    )


@lru_cache(maxsize=4)
def _read(path: Path) -> SplatFile:
    try:
        data = yamldata.load(path.read_bytes())
        return msgspec.convert(data, SplatFile)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise RuleError(f"{path.name}: {error}") from error
    except OSError as error:
        raise RuleError(f"{path.name}: {error.strerror}") from error


_SUFFIX = re.compile(r"(\.(isra|constprop|part|cold|llvm|lto_priv)(\.\d+)*)+$")


def plain(symbol: str) -> str:
    """A symbol without what compilers add to the names of their copies."""
    return _SUFFIX.sub("", symbol)
