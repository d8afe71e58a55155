# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the search for files beyond the audited ones ended is notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxlint.base.request import Quiet
from ctxlint.pipeline import Request, audit
from ctxlint.search import reach
from ctxlint.search.reach import SearchEnd
from ctxlint.search.reach import notes as notes_of
from tests.fixture_harness import BELOW, make_tree

STEP = "void wader_{next}(int n);\nvoid wader_{here}(int n) {{ wader_{next}(n); }}\n"
END = """
#include <linux/mutex.h>
static DEFINE_MUTEX(wader_mutex);
void wader_3(int n) { mutex_lock(&wader_mutex); mutex_unlock(&wader_mutex); }
"""
FILES = {
    "driver.c": STEP.format(here=0, next=1),
    "a.c": STEP.format(here=1, next=2),
    "b.c": STEP.format(here=2, next=3),
    "c.c": END,
}


def notes(folder: Path, rounds: int) -> tuple[str, ...]:
    builds = make_tree(folder / "tree", FILES)
    request = Request(
        tree=folder / "tree",
        paths=(f"{BELOW}/driver.c",),
        builds=builds[:1],
        cache=folder / "cache",
        jobs=1,
        reach=rounds,
    )
    return audit(request, Quiet()).notes


@pytest.mark.slow
def test_rounds(tmp_path: Path) -> None:
    [note] = notes(tmp_path / "1", 1)
    assert "bodies of 1 function were not looked for, after 1 round (--reach 2 goes on)" in note
    assert not any("bodies" in note for note in notes(tmp_path / "5", 5))


def test_files_of_a_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "FILES_PER_ROUND", 0)
    [note] = notes(tmp_path, 3)
    assert "1 file beyond the 0 nearest of a round may call or define" in note


def test_words() -> None:
    assert notes_of([]) == notes_of([SearchEnd(2, 0, 0, 0)]) == ()
    [note] = notes_of([SearchEnd(2, 0, 3, 0), SearchEnd(2, 5, 1, 1), SearchEnd(0, 0, 0, 0)])
    assert note.startswith("files beyond the audited ones: 5 files beyond the 16 nearest")
    assert note.endswith(
        "callers of 3 functions and bodies of 1 function were not looked for, after 2 rounds "
        "(--reach 3 goes on)"
    )
