# SPDX-License-Identifier: GPL-2.0-or-later
"""One unit in a forked child: what it gives, and that its end is not ours."""

from __future__ import annotations

import faulthandler
import time
from pathlib import Path

import pytest

from ctxlint.base.errors import FrontendError
from ctxlint.frontend import Request
from ctxlint.ir.codec import decode
from ctxlint.ir.unit import Unit
from ctxlint.pipeline.alone import lower_alone

DESCRIBER = "frontend.hooks:describer"


def lower(folder: Path, name: str, timeout: float = 20) -> tuple[bytes, bytes]:
    (folder / name).write_text("int f(int x) { return x; }\n", encoding="utf-8")
    return lower_alone(
        Request("p", str(folder), name, ("-std=gnu11",), str(folder)),
        timeout=timeout,
        known={},
        transform=DESCRIBER,
        transform_arguments=("extra",),
    )


def test_gives_the_unit_and_what_was_made_of_it(tmp_path: Path) -> None:
    unit, extra = lower(tmp_path, "a.c")
    assert [f.name for f in decode(unit, Unit).functions] == ["f"]
    assert extra == b"extra,f"


def test_a_crash_is_an_error(tmp_path: Path) -> None:
    faulthandler.disable()  # the child has pytest's, which would fill the screen
    with pytest.raises(FrontendError, match="ended with code -11"):
        lower(tmp_path, "crash.c")


def test_a_hang_is_ended(tmp_path: Path) -> None:
    begin = time.monotonic()
    with pytest.raises(FrontendError, match=r"timed out after 0\.5 s"):
        lower(tmp_path, "hang.c", timeout=0.5)
    assert time.monotonic() - begin < 20


def test_a_defect_is_told(tmp_path: Path) -> None:
    with pytest.raises(FrontendError, match="ValueError: this unit is not liked"):
        lower(tmp_path, "raise.c")
