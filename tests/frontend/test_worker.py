# SPDX-License-Identifier: GPL-2.0-or-later
"""Worker processes: order, sharing of header functions, crashes and hangs."""

from __future__ import annotations

import multiprocessing.connection
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import msgspec
import pytest

from ctxlint.base.errors import FrontendError
from ctxlint.frontend import Lowerer, Request, inline_refs, lower_many, worker
from ctxlint.ir.codec import decode
from ctxlint.ir.unit import Unit

HOOKS = f"{__name__.rpartition('.')[0]}.hooks".lstrip(".")
DESCRIBER = f"{HOOKS}:describer"
HEADER = """
static inline int leaf(int x) { return x; }
static inline int middle(int x) { return leaf(x); }
static inline int top(int x) { return middle(x); }
"""


def request(folder: Path, name: str, text: str) -> Request:
    (folder / "h.h").write_text(HEADER, encoding="utf-8")
    (folder / name).write_text('#include "h.h"\n' + text, encoding="utf-8")
    return Request("p", str(folder), name, ("-std=gnu11",), str(folder))


@pytest.mark.parametrize("fork", [False, True])
def test_results_and_failures(tmp_path: Path, fork: bool) -> None:
    requests = [
        request(tmp_path, "a.c", "int a(int x) { return top(x); }"),
        request(tmp_path, "hang.c", "int h(void) { return 1; }"),
        request(tmp_path, "crash.c", "int c(void) { return 1; }"),
        request(tmp_path, "raise.c", "int r(void) { return 1; }"),
        request(tmp_path, "wrong.c", "int w(void) { return unknown; }\nint v;"),
        request(tmp_path, "z.c", "int z(int x) { return middle(x); }"),
    ]
    seen: dict[str, tuple[Unit, bytes]] = {}
    failures = lower_many(
        requests,
        processes=2,
        timeout=3,
        fork=fork,
        transform=DESCRIBER,
        transform_arguments=("extra",),
        on_result=lambda r, unit, extra: seen.update({r.file: (decode(unit, Unit), extra)}),
        reproducers=tmp_path / "repro",
    )
    assert sorted(seen) == ["a.c", "wrong.c", "z.c"]
    assert seen["a.c"][1] == b"extra,a"
    assert seen["wrong.c"][0].errors == ("wrong.c:2: use of undeclared identifier 'unknown'",)
    reasons = {f.request.file: f.reason for f in failures}
    assert sorted(reasons) == ["crash.c", "hang.c", "raise.c"]
    assert "timed out after 3 s" in reasons["hang.c"]
    assert "ended with code" in reasons["crash.c"]
    assert "internal error: ValueError: this unit is not liked" in reasons["raise.c"]
    for failure in failures:
        folder = Path(failure.reproducer)
        assert failure.request.file in (folder / "command").read_text(encoding="utf-8")
        assert "clang version" in (folder / "versions").read_text(encoding="utf-8")


def test_header_functions_are_lowered_once_a_process(tmp_path: Path) -> None:
    first = request(tmp_path, "a.c", "int a(int x) { return middle(x); }")
    second = request(tmp_path, "b.c", "int b(int x) { return top(x); }")
    lowerer = Lowerer()
    a, b = (decode(lowerer.lower(r)[0], Unit) for r in (first, second))
    assert [f.name for f in a.new_inlines] == ["leaf", "middle"]
    assert a.inlines == ("h.h::leaf", "h.h::middle")
    assert [f.name for f in b.new_inlines] == ["top"]
    assert b.inlines == ("h.h::leaf", "h.h::middle", "h.h::top")
    alone = decode(Lowerer().lower(second)[0], Unit)
    assert [f.name for f in alone.new_inlines] == ["leaf", "middle", "top"]
    assert alone.new_inlines[:2] == a.new_inlines
    assert alone.new_inlines[2:] == b.new_inlines


def test_what_the_store_knows_is_not_lowered(tmp_path: Path) -> None:
    item = request(tmp_path, "a.c", "int a(int x) { return top(x); }")
    full = decode(Lowerer().lower(item)[0], Unit)
    refs = {f.symbol: inline_refs(f) for f in full.new_inlines}
    assert refs["h.h::top"] == ("h.h::middle",)
    known = decode(Lowerer({"p": refs}).lower(item)[0], Unit)
    assert known.new_inlines == ()
    assert known.inlines == full.inlines
    assert known.functions == full.functions
    del refs["h.h::leaf"]
    partly = decode(Lowerer({"p": refs}).lower(item)[0], Unit)
    assert [f.name for f in partly.new_inlines] == ["leaf"]
    assert partly.inlines == full.inlines
    other = decode(Lowerer({"q": refs}).lower(item)[0], Unit)
    assert other.new_inlines == full.new_inlines


def test_a_crash_is_tried_twice_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once more alone; not again when it is known from elsewhere to have crashed. One that
    takes too long is given up at once."""
    given: list[str] = []
    give = worker._Worker.give

    def counted(self: worker._Worker, item: Request, timeout: float) -> None:
        given.append(item.file)
        give(self, item, timeout)

    monkeypatch.setattr(worker._Worker, "give", counted)
    names = ["crash-a.c", "crash-b.c", "good.c", "hang.c"]
    failures = lower_many(
        [request(tmp_path, name, "int a(void) { return 1; }") for name in names],
        on_result=lambda *result: None,
        processes=2,
        timeout=3,
        transform=DESCRIBER,
        transform_arguments=("x",),
        crashed={"crash-b.c"},
    )
    assert sorted(given) == ["crash-a.c", *names]
    assert [f.request.file for f in failures] == ["crash-a.c", "crash-b.c", "hang.c"]


@pytest.mark.parametrize(
    ("reason", "told"), [("exit", "ended with code 7"), ("no such thing", "no such thing")]
)
@pytest.mark.parametrize("fork", [False, True])
def test_a_worker_that_cannot_begin_stops_all(
    tmp_path: Path, reason: str, told: str, fork: bool
) -> None:
    requests = [request(tmp_path, f"{n}.c", "int a(void) { return 1; }") for n in "abc"]
    with pytest.raises(FrontendError, match=told) as caught:
        lower_many(
            requests,
            on_result=lambda *result: None,
            processes=2,
            fork=fork,
            transform=f"{HOOKS}:broken",
            transform_arguments=(reason,),
        )
    assert caught.value.hint


def script(folder: Path, body: str) -> list[str]:
    """The command of a script without a main guard, which lowers what ``body`` says."""
    before = f"""
        from pathlib import Path
        import signal
        import sys
        # Ignored where a shell without job control started the tests.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from ctxlint.frontend import Request, lower_many
        folder = {str(folder)!r}
        print("started", flush=True)
        def told(request, unit, extra):
            print(request.file, flush=True)
        def lower(*names):
            requests = [Request("p", folder, n, ("-std=gnu11",), folder) for n in names]
            lower_many(requests, on_result=told, processes=2,
                       transform="hooks:describer", transform_arguments=("x",))
    """
    path = folder / "script.py"
    path.write_text(textwrap.dedent(before) + body, encoding="utf-8")
    return [sys.executable, str(path)]


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"\xff" * 8, EOFError),
        (b"\5", TimeoutError),
        (b"\5" + bytes(7) + b"abc", TimeoutError),
        (b"\3" + bytes(7) + b"abc", msgspec.MsgspecError),
    ],
)
def test_an_answer_that_never_ends_is_not_waited_for(
    sent: bytes, error: type[Exception]
) -> None:
    """A parser that was taken over may send what it likes, and stop in the middle."""
    mine, theirs = multiprocessing.connection.Pipe()
    with mine, theirs:
        os.write(theirs.fileno(), sent)
        with pytest.raises(error):
            worker.read_answer(mine, time.monotonic() + 0.1)


def test_answers_arrive_whole() -> None:
    mine, theirs = multiprocessing.connection.Pipe()
    answer = ("", os.urandom(3_000_000), b"x")
    with mine, theirs:
        thread = threading.Thread(target=worker.send_answer, args=(theirs, answer))
        thread.start()
        assert worker.read_answer(mine, time.monotonic() + 60) == answer
        thread.join()


def test_the_callers_main_module_is_not_run_again(tmp_path: Path) -> None:
    for name in ("a.c", "b.c"):
        request(tmp_path, name, "int a(void) { return 1; }")
    done = subprocess.run(
        script(tmp_path, "lower('a.c', 'b.c')\n"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == ["a.c", "b.c", "started"]


def test_an_interrupt_is_the_parents_alone(tmp_path: Path) -> None:
    request(tmp_path, "a.c", "int a(void) { return 1; }")
    request(tmp_path, "hang.c", "int h(void) { return 1; }")
    body = "try:\n    lower('hang.c', 'a.c')\nexcept KeyboardInterrupt:\n    print('over')\n"
    with subprocess.Popen(
        script(tmp_path, body),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "a.c\n":
            pass
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (out, err) == ("over\n", "")
    assert time.monotonic() - started < 10
