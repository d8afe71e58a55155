# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules on splats against a real kernel, and splats of real kernels without loss.

``CTXLINT_SPLAT_LOGS`` names a directory of kernel logs; each must be read and printed
again without loss.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ctxlint.kernel_log import rules as splat_rules
from ctxlint.kernel_log.format import lines
from ctxlint.kernel_log.parse import parse
from ctxlint.kernel_log.prefix import raw_lines, split
from ctxlint.kernel_log.wrap import join
from ctxlint.rulebook import load

pytestmark = pytest.mark.slow


OLDER = {"mm/slab.c", "kernel/rcu/srcu.c"}
"""Files that 4.19 has and 6.12 has no more; logs of such kernels are read too."""


def test_signatures_have_their_facts_from_the_tree(kernel_tree: Path) -> None:
    rules = splat_rules.load(load())
    wrong = []
    for signature in rules.signatures:
        if not signature.source:
            continue
        file, _, name = signature.source.partition(":")
        path = kernel_tree / file
        if not path.is_file() or not re.search(rf"\b{name}\b", path.read_text("utf-8")):
            wrong.append(signature.source)
    for place in rules.places:
        if place.file not in OLDER and not (kernel_tree / place.file).is_file():
            wrong.append(place.file)
    assert wrong == []


def test_logs_lose_nothing() -> None:
    named = os.environ.get("CTXLINT_SPLAT_LOGS")
    if not named:
        pytest.skip("NO LOGS: set CTXLINT_SPLAT_LOGS to a directory of kernel logs")
    paths = [path for path in sorted(Path(named).rglob("*")) if path.is_file()]
    assert paths
    for path in paths:
        text = path.read_bytes().decode("utf-8", "replace")
        log = parse(text)
        for located in log.splats:
            assert lines(located.splat) == list(located.lines), (path, located.line)
        count = sum(len(located.lines) for located in log.splats)
        raw = raw_lines(text)
        joined = sum(len(line.more) for line in join(split(text)))
        assert count + len(log.rest) >= len(raw) - joined, path
        left = iter(raw)
        assert all(line in left for line in log.rest), path  # in order, as they were
