# SPDX-License-Identifier: GPL-2.0-or-later
"""What a parser's process may do; where the kernel has no Landlock, that is said."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ctxlint.frontend import Request, lower_many, sandbox

HOOKS = f"{__name__.rpartition('.')[0]}.hooks".lstrip(".")

needs_landlock = pytest.mark.skipif(
    not sandbox.available(), reason="THIS KERNEL HAS NO LANDLOCK: confinement is not tested"
)


def confined(readable: Path, body: str) -> str:
    """What a process prints that may read ``readable`` and Python alone."""
    text = f"""
        import os, signal, socket, subprocess, sys
        from pathlib import Path
        from ctxlint.frontend import sandbox
        here = [*sandbox.readable([]), {str(readable)!r}]
        assert sandbox.confine(here)
        def attempt(what):
            try:
                what()
            except OSError as error:
                print(type(error).__name__)
            else:
                print("done")
        """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text) + textwrap.dedent(body)],
        capture_output=True, text=True, check=True, env=environment,
    ).stdout  # fmt: skip


@needs_landlock
def test_reading_is_for_what_was_named(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "file").write_text("text", encoding="utf-8")
    (inside / "link").symlink_to(outside / "file")
    out = confined(
        inside,
        f"""
        inside, outside = Path({str(inside)!r}), Path({str(outside)!r})
        attempt((inside / "file").read_text)
        attempt((outside / "file").read_text)
        attempt((inside / "link").read_text)
        attempt(lambda: (inside / ".." / "outside" / "file").read_text())
        attempt(lambda: list(outside.iterdir()))
        import graphlib
        """,
    )
    assert out.split() == ["done", *["PermissionError"] * 4]


@needs_landlock
def test_nothing_is_written_started_or_connected(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text", encoding="utf-8")
    out = confined(
        tmp_path,
        f"""
        here = Path({str(tmp_path)!r})
        attempt(lambda: (here / "new").write_text("x"))
        attempt(lambda: (here / "file").write_text("x"))
        attempt(lambda: (here / "folder").mkdir())
        attempt((here / "file").unlink)
        attempt(lambda: (here / "link").symlink_to("x"))
        attempt(lambda: subprocess.run(["true"]))
        attempt(lambda: os.truncate(here / "file", 0))
        """,
    )
    assert set(out.split()) == {"PermissionError"}
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    if sandbox.available() >= 4:
        connect = "attempt(lambda: socket.create_connection(('127.0.0.1', 9)))"
        assert confined(tmp_path, connect).split() == ["PermissionError"]
    if sandbox.available() >= 6:
        kill = "attempt(lambda: os.kill(os.getppid(), 0))"
        assert confined(tmp_path, kill).split() == ["PermissionError"]


def request(folder: Path, text: str) -> Request:
    (folder / "a.c").write_text(text, encoding="utf-8")
    return Request("p", str(folder), "a.c", ("-std=gnu11",), str(folder))


def test_a_worker_is_confined_where_the_kernel_can(tmp_path: Path) -> None:
    """And parses all the same where it cannot."""
    tree, outside = tmp_path / "tree", tmp_path / "outside"
    tree.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("42", encoding="utf-8")
    answers = []
    failures = lower_many(
        [request(tree, "int f(void) { return 0; }")],
        on_result=lambda request, unit, extra: answers.append(extra),
        transform=f"{HOOKS}:toucher",
        transform_arguments=(str(outside),),
    )
    assert failures == []
    can = not sandbox.available()
    assert answers == [f"read {can} write {can} start {can}".encode()]
    assert (outside / "made").exists() == can


def test_without_landlock_everything_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "available", lambda: 0)
    assert not sandbox.confine([str(tmp_path)])
    assert "has no Landlock" in sandbox.why_not([request(tmp_path, "")])


def test_a_tree_of_links_is_not_confined(tmp_path: Path) -> None:
    """What the links lead to is not known; the parse must find it."""
    real, farm = tmp_path / "real", tmp_path / "farm"
    real.mkdir()
    farm.mkdir()
    item = request(real, "int f(void) { return 0; }")
    (farm / "a.c").symlink_to(real / "a.c")
    linked = Request("p", str(farm), "a.c", item.arguments, str(farm))
    assert sandbox.readable([linked]) == ()
    assert sandbox.why_not([linked])
    assert not sandbox.confine(())
    if sandbox.available():
        assert sandbox.why_not([item]) == ""


def test_include_paths_of_the_command_can_be_read(tmp_path: Path) -> None:
    words = ("-I", "inc", "-isystem/opt/clang/include", "--sysroot=/opt/root", "-DX=1", "-O2")
    item = Request("p", str(tmp_path), "a.c", words, str(tmp_path), "/cache/changed-1/x/o.json")
    found = sandbox.readable([item])
    for path in (f"{tmp_path}/inc", "/opt/clang/include", "/opt/root", "/cache/changed-1/x"):
        assert path in found


def test_no_include_path_opens_everything(tmp_path: Path) -> None:
    home = str(Path.home())
    words = ("-I/", f"-I{home}", "-I../../../../../../..")
    item = Request("p", str(tmp_path), "a.c", words, str(tmp_path))
    found = sandbox.readable([item])
    assert "/" not in found
    assert home not in found
    assert str(tmp_path) in found


def test_limits(tmp_path: Path) -> None:
    body = """
        import resource
        from ctxlint.frontend import sandbox
        sandbox.limit_memory(3 << 30)
        sandbox.limit_time(7)
        print([resource.getrlimit(n)[0] for n in
               (resource.RLIMIT_AS, resource.RLIMIT_CORE, resource.RLIMIT_CPU)])
        sandbox.limit_memory(9 << 30)
        print(resource.getrlimit(resource.RLIMIT_AS)[0])
        """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(body)],
        capture_output=True, text=True, check=True, env=environment,
    ).stdout  # fmt: skip
    first, second = out.splitlines()
    assert first in (f"[{3 << 30}, 0, {n}]" for n in (12, 13, 14))
    assert int(second) == 3 << 30
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 3 << 30


def test_a_tree_of_links_leads_to_a_kernel_tree_alone(tmp_path: Path) -> None:
    """Where the files of a tree are links into another one, that one may be read; a link to
    anywhere else gives no leave."""
    real, links, other = tmp_path / "real", tmp_path / "links", tmp_path / "other"
    (real / "include/linux").mkdir(parents=True)
    for name in ("Makefile", "Kbuild", "a.h"):
        (real / name).write_text("")
    other.mkdir()
    (other / "Makefile").write_text("")
    links.mkdir()
    (links / "a.c").write_text('#include "a.h"\n')
    (links / "a.h").symlink_to(real / "a.h")
    for target, leave in ((real, True), (other, False)):
        (links / "Makefile").unlink(missing_ok=True)
        (links / "Makefile").symlink_to(target / "Makefile")
        sandbox._linked.cache_clear()
        request = Request("p", str(links), "a.c", (), str(links))
        assert (str(target) in sandbox.readable([request])) is leave
