# SPDX-License-Identifier: GPL-2.0-or-later
"""Schema of ``rules/annotations.yaml``: annotations of the kernel that show a defect."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from ctxlint.base.errors import RuleError
from ctxlint.base.places import rules_directory

FILE = "annotations.yaml"


class Annotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``text`` is what to write, with ``{lock}`` for the lock. ``against``: the state of a
    caller that it complains about; ``sleep`` is each in which sleeping is forbidden. ``rt``:
    what to write where only PREEMPT_RT sleeps (``""``: the same). ``at``: the beginning of
    the function's body, or its declaration. ``source``: ``FILE:NAME``; a tree that does not
    have it there has no such annotation."""

    text: str
    against: Literal["sleep", "lock", "irqs", "preempt"]
    rt: str = ""
    at: Literal["body", "declaration"] = "body"
    shows: str
    needs: str
    source: str


def load(directory: Path | None = None) -> tuple[Annotation, ...]:
    """The annotations, in the order of the file. Raises :class:`RuleError`."""
    return _read((directory or rules_directory()) / FILE)


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[Annotation, ...]:
    try:
        found = msgspec.convert(yaml.safe_load(path.read_bytes()), tuple[Annotation, ...])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise RuleError(f"{path.name}: {error}") from error
    except OSError as error:
        raise RuleError(f"{path.name}: {error.strerror}") from error
    return found
