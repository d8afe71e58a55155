# SPDX-License-Identifier: GPL-2.0-or-later
"""One unit in a forked child: what it gives, and that its end is not ours."""

from __future__ import annotations

import dataclasses
import faulthandler
import resource
import time
from pathlib import Path

import pytest

from ctxlint.frontend import Request
from ctxlint.ir.codec import decode
from ctxlint.ir.unit import Unit
from ctxlint.units import forked
from ctxlint.units.forked import Job, lower_forked

DESCRIBER = "frontend.hooks:describer"


def job(folder: Path, name: str, seen: list[tuple[bytes, bytes]]) -> Job:
    (folder / name).write_text("int f(int x) { return x; }\n", encoding="utf-8")
    return Job(
        request=Request("p", str(folder), name, ("-std=gnu11",), str(folder)),
        known={},
        transform=DESCRIBER,
        transform_arguments=("extra",),
        done=lambda unit, extra: seen.append((unit, extra)),
    )


def reason(folder: Path, name: str, timeout: float = 20) -> str:
    seen: list[tuple[bytes, bytes]] = []
    [answer] = lower_forked([job(folder, name, seen)], processes=1, timeout=timeout)
    assert bool(answer) == (not seen)
    return answer


def test_gives_the_unit_and_what_was_made_of_it(tmp_path: Path) -> None:
    seen: list[tuple[bytes, bytes]] = []
    assert lower_forked([job(tmp_path, "a.c", seen)], processes=1, timeout=20) == [""]
    [(unit, extra)] = seen
    assert [f.name for f in decode(unit, Unit).functions] == ["f"]
    assert extra == b"extra,f"


def test_one_that_fails_does_not_fail_the_others(tmp_path: Path) -> None:
    faulthandler.disable()
    seen: list[tuple[bytes, bytes]] = []
    names = ["a.c", "hang.c", "b.c", "crash.c", "raise.c", "c.c"]
    begin = time.monotonic()
    reasons = lower_forked(
        [job(tmp_path, name, seen) for name in names], processes=2, timeout=3
    )
    assert [bool(r) for r in reasons] == [False, True, False, True, True, False]
    assert len(seen) == 3
    assert time.monotonic() - begin < 40


class Meter:
    """Stands in for the lowering and tells how much memory it may have."""

    def __init__(self, *_: object) -> None: ...

    def lower(self, _: Request) -> tuple[bytes, bytes]:
        return b"", str(resource.getrlimit(resource.RLIMIT_AS)[0]).encode()


def test_memory_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "Lowerer", Meter)
    seen: list[tuple[bytes, bytes]] = []
    limited = dataclasses.replace(job(tmp_path, "a.c", seen), memory=6 << 30)
    assert lower_forked([limited], processes=1, timeout=20) == [""]
    assert seen == [(b"", str(6 << 30).encode())]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 6 << 30


def test_a_crash_is_an_error(tmp_path: Path) -> None:
    faulthandler.disable()  # the child has pytest's, which would fill the screen
    assert reason(tmp_path, "crash.c") == "the parser ended with code -11"


def test_a_hang_is_ended(tmp_path: Path) -> None:
    begin = time.monotonic()
    assert reason(tmp_path, "hang.c", timeout=0.5) == "timed out after 0.5 s"
    assert time.monotonic() - begin < 20


def test_a_defect_is_told(tmp_path: Path) -> None:
    assert "ValueError: this unit is not liked" in reason(tmp_path, "raise.c")
