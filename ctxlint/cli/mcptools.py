# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools of ``ctxlint mcp``: their arguments, and how each is answered.

:func:`run` works in a separate process (``mcpserver.py``). An argument names a file below
the tree, a function, or is text to read; only the command line sets which tree, cache,
rules and library are used.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from ctxlint.base.errors import CtxlintError, UsageError
from ctxlint.cli.options import make_request
from ctxlint.cli.selecting import make_choice
from ctxlint.findings import answers as a
from ctxlint.findings.selection import Selection
from ctxlint.pipeline import Quiet, Request
from ctxlint.report.clean import clean

MAX_TEXT = 16 << 20
"""Characters of a mail or a log."""
MAX_STRING = 2000
"""Characters of one string of an answer."""
_SAY_SECONDS = 0.25

_Path = Annotated[
    str, msgspec.Meta(min_length=1, max_length=4096, description="relative to the tree")
]
_Where = Annotated[
    str,
    msgspec.Meta(
        max_length=4096,
        description="file or directory of the tree to look in (default: the files that "
        "define the function)",
    ),
]
_Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=400,
        description="its name, or FILE::NAME if several static functions share the name",
    ),
]
_Limit = Annotated[
    int, msgspec.Meta(ge=1, le=100, description="most items to give of each list")
]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class _Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class AuditFile(_Arguments, frozen=True, kw_only=True):
    path: _Path
    limit: _Limit = 20


class AuditSeries(_Arguments, frozen=True, kw_only=True):
    """One of text (mails, an mbox, the output of git format-patch), path (such a file, a
    folder of patches or a maildir) and range (``A..B`` of the tree's repository). base:
    the commit to apply to (default: the series' own base-commit, else HEAD)."""

    text: _Text = ""
    path: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    range: Annotated[str, msgspec.Meta(max_length=400)] = ""
    base: Annotated[str, msgspec.Meta(max_length=200)] = ""
    limit: _Limit = 10


class Explain(_Arguments, frozen=True, kw_only=True):
    """finding: a fingerprint (8 digits or more) that audit_file gave for path. verify:
    run the way in the executable model (some seconds more)."""

    path: _Path
    finding: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8,32}$")]
    verify: bool = True
    limit: _Limit = 24


class Function(_Arguments, frozen=True, kw_only=True):
    function: _Name
    path: _Where = ""
    limit: _Limit = 20


class MaySleep(_Arguments, frozen=True, kw_only=True):
    """arguments: C expressions in the order of the function's parameters, such as
    ``["size", "GFP_KERNEL"]``; those that are missing are not known."""

    function: _Name
    arguments: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=1000)], ...], msgspec.Meta(max_length=32)
    ] = ()
    path: _Where = ""
    limit: _Limit = 10


class ReadSplat(_Arguments, frozen=True, kw_only=True):
    """text: a kernel log as it was posted. look_in_tree: audit the files that define the
    functions on the stack, to find what explains the splat."""

    text: _Text
    look_in_tree: bool = True
    limit: _Limit = 10


@dataclass
class Call:
    """One request. ``options`` are those of the command line."""

    options: dict[str, Any]
    progress: Relay

    @property
    def tree(self) -> Path:
        tree: Path = self.options["tree"]
        return tree

    def asked(self) -> tuple[Request, Selection]:
        """How to look, and which findings count; ``paths`` are those of the settings."""
        request, settings = make_request(self.options)
        return request, make_choice({}, settings, self.tree).selection

    def below(self, text: str) -> str:
        """The path, relative to the tree. Raises UsageError for one that is not there, or
        that leads out of the tree, links followed."""
        return _inside(text, self.tree, (self.tree,), "the tree")


def _inside(text: str, start: Path, roots: tuple[Path, ...], what: str) -> str:
    shown = repr(text if len(text) <= 80 else text[:77] + "...")
    path = Path(os.path.normpath(start / text))
    try:
        lies = "\0" not in text and any(path.is_relative_to(root) for root in roots)
        if lies and not _of_links(start):
            lies = any(path.resolve().is_relative_to(root.resolve()) for root in roots)
        there = lies and path.exists()
    except (OSError, RuntimeError, ValueError):  # too long, or a link to itself
        lies = there = False
    if not lies:
        raise UsageError(
            f"{shown}: not below {what}", hint="name a file relative to the tree's root"
        )
    if not there:
        raise UsageError(f"{shown}: no such file in {what}", hint="check the spelling")
    return path.relative_to(start).as_posix() if path.is_relative_to(start) else str(path)


def _of_links(tree: Path) -> bool:
    """Whether all of the tree is links to elsewhere (docs/security.md)."""
    return (tree / "Makefile").is_symlink()


# -- the tools --------------------------------------------------------------------------


def _audit_file(call: Call, given: AuditFile) -> a.AuditAnswer:
    from ctxlint.assistant import answers

    request, selection = call.asked()
    file = _file(call, given.path)
    return answers.audit_file(request, file, selection, call.progress, limit=given.limit)


def _file(call: Call, text: str) -> str:
    path = call.below(text)
    if not (call.tree / path).is_file() or not path.endswith((".c", ".h")):
        raise UsageError(f"{path}: not a C file", hint="name a .c file of the tree")
    return path


def _audit_series(call: Call, given: AuditSeries) -> a.SeriesAnswer:
    from ctxlint.assistant import answers
    from ctxlint.cli.patch import check_trusted
    from ctxlint.patches import open_series

    if sum(map(bool, (given.text, given.path, given.range))) != 1:
        raise UsageError("one of 'text', 'path' and 'range' is needed")
    source, stdin = "-", given.text.encode("utf-8", "surrogateescape")
    if given.path:
        roots = (call.tree, *call.options["mail"])
        where = "the tree, or a directory that --mail names"
        source = str(call.tree / _inside(given.path, call.tree, roots, where))
    elif given.range:
        source = _revisions(given.range)
    base = _revisions(given.base) if given.base else None
    request, settings = make_request(call.options)
    choice = make_choice({}, settings, call.tree)
    found = open_series(source, tree=call.tree, base=base, stdin=stdin)
    builds = () if call.options.get("builds") else request.builds
    check_trusted(found, call.tree, (choice.baseline, *builds))
    return answers.audit_series(
        request, found, choice.selection, call.progress, limit=given.limit
    )


def _revisions(text: str) -> str:
    """Words that git takes for revisions; never for an option or a file."""
    if re.fullmatch(r"[A-Za-z0-9][\w./~^@{}+-]*", text) is None or os.path.exists(text):  # noqa: PTH110
        raise UsageError(f"{text[:80]!r} names no commits", hint="such as HEAD~3..HEAD")
    return text


def _explain(call: Call, given: Explain) -> a.ExplainAnswer:
    from ctxlint.assistant import answers

    request, selection = call.asked()
    return answers.explain(
        request,
        _file(call, given.path),
        selection,
        given.finding,
        call.progress,
        verify=given.verify,
        limit=given.limit,
    )


def _why(call: Call, given: Function) -> a.FunctionsAnswer:
    return _around(call, given, calls=True)


def _contexts_of(call: Call, given: Function) -> a.FunctionsAnswer:
    return _around(call, given, calls=False)


def _around(call: Call, given: Function, *, calls: bool) -> a.FunctionsAnswer:
    from ctxlint.assistant import functions

    path = call.below(given.path) if given.path else ""
    request, _ = call.asked()
    return functions.around(
        request, given.function, path, call.progress, limit=given.limit, calls=calls
    )


def _may_sleep(call: Call, given: MaySleep) -> a.MaySleepAnswer:
    from ctxlint.assistant import functions

    path = call.below(given.path) if given.path else ""
    request, _ = call.asked()
    return functions.may_sleep(
        request, given.function, given.arguments, path, call.progress, limit=given.limit
    )


def _read_splat(call: Call, given: ReadSplat) -> a.LogAnswer:
    from ctxlint.assistant import answers

    if not given.look_in_tree:
        return answers.read_splat(given.text, None, call.progress, limit=given.limit)
    request, _ = call.asked()
    reach = 0 if request.reach is None else request.reach  # the stack names the callers
    request = dataclasses.replace(request, paths=(), reach=reach)
    try:
        return answers.read_splat(given.text, request, call.progress, limit=given.limit)
    except CtxlintError as error:
        note = f"the tree was not searched: {error}"
        return answers.read_splat(given.text, None, call.progress, limit=given.limit, note=note)


@dataclass(frozen=True)
class ToolKind:
    """``answer`` is the type that ``run`` returns; its docstring explains the fields."""

    title: str
    about: str
    arguments: type[_Arguments]
    answer: type[msgspec.Struct]
    run: Callable[[Call, Any], msgspec.Struct]


TOOLS: dict[str, ToolKind] = {
    "audit_file": ToolKind(
        "Audit a C file",
        "Finds calls in a C file of the kernel tree that may sleep in an execution context "
        "that forbids it, including those that sleep on PREEMPT_RT only.",
        AuditFile, a.AuditAnswer, _audit_file,
    ),
    "audit_series": ToolKind(
        "Audit a patch series",
        "Says which findings each patch of a series introduces, fixes, or fixes for some "
        "kernels only. The tree is not changed and nothing in the series is run.",
        AuditSeries, a.SeriesAnswer, _audit_series,
    ),
    "explain_finding": ToolKind(
        "Explain a finding",
        "Shows how the kernel gets to the operation of a finding: each step with its source "
        "lines and the execution context, the conditions, and whether running that path in "
        "an executable model confirms or refutes it.",
        Explain, a.ExplainAnswer, _explain,
    ),
    "why": ToolKind(
        "Calls around a function",
        "Lists the calls that lead to a function, from the callback registrations on, and "
        "the calls below it that may sleep, with their execution contexts.",
        Function, a.FunctionsAnswer, _why,
    ),
    "contexts_of": ToolKind(
        "Execution contexts of a function",
        "Says in which execution contexts a function is entered, and by which callers.",
        Function, a.FunctionsAnswer, _contexts_of,
    ),
    "may_sleep": ToolKind(
        "May a call sleep?",
        "Says whether a call of a kernel function may sleep, with and without PREEMPT_RT, "
        "for the given arguments (GFP flags): from rules with their place in the kernel, "
        "else from the calls below it in the tree.",
        MaySleep, a.MaySleepAnswer, _may_sleep,
    ),
    "read_splat": ToolKind(
        "Read a kernel log",
        "Reads the splats in a kernel log: what each says, the execution context in which it "
        "happened and how that is known, and what in the tree explains it.",
        ReadSplat, a.LogAnswer, _read_splat,
    ),
}  # fmt: skip


class Outcome(msgspec.Struct, frozen=True):
    """What the worker hands back: an answer, or why there is none."""

    kind: Literal["answer", "error"]
    value: Any


_wire: Connection | None = None
"""In the worker: where progress goes."""


def use_wire(wire: Connection) -> None:
    """Tell progress there."""
    global _wire
    _wire = wire


@dataclass
class Relay(Quiet):
    """A :class:`~ctxlint.pipeline.Progress` that reports the stage a few times a second."""

    _total: dict[str, int] = field(default_factory=dict)
    _done: dict[str, int] = field(default_factory=dict)
    _said: float = 0.0

    def start(self, stage: str, total: int) -> None:
        self._total[stage], self._done[stage] = total, 0
        self._say(stage)

    def advance(self, stage: str, text: str = "") -> None:
        self._done[stage] = self._done.get(stage, 0) + 1
        self._say(stage)

    def _say(self, stage: str) -> None:
        now = time.monotonic()
        if _wire is None or now - self._said < _SAY_SECONDS:
            return
        self._said = now
        total = self._total.get(stage, 0)
        count = f": {self._done[stage]} of {total}" if total else ""
        _wire.send_bytes(clean(stage + count)[:200].encode())


def run(options: dict[str, Any], name: str, given: dict[str, Any]) -> Outcome:
    """Answer one request. Does not raise but for defects of ours."""
    tool = TOOLS[name]
    try:
        arguments = msgspec.convert(given, tool.arguments)
        answer = tool.run(Call(options, Relay()), arguments)
    except msgspec.ValidationError as error:
        return Outcome("error", f"{name}: {clean(str(error))}")
    except CtxlintError as error:
        hint = f"\nhint: {clean(error.hint)}" if error.hint else ""
        return Outcome("error", cut(clean(str(error))) + hint)
    except MemoryError:
        return Outcome("error", "out of memory")
    except OSError as error:  # a full disk, a limit: the machine's
        return Outcome("error", clean(f"{error.strerror or error}"))
    return Outcome("answer", plain(msgspec.to_builtins(answer)))


def plain(value: Any) -> Any:
    """An answer without control characters, and with strings of bounded length: words
    of a tree, a mail or a log are shown and never obeyed."""
    if isinstance(value, str):
        return cut("\n".join(clean(line) for line in value.split("\n")))
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def cut(text: str) -> str:
    """At most :data:`MAX_STRING` characters of it."""
    return text if len(text) <= MAX_STRING else text[: MAX_STRING - 3] + "..."


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON schema of a structure, as an object with its parts in ``$defs``."""
    [_], parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    whole: dict[str, Any] = dict(parts.pop(kind.__name__))
    whole.pop("title", None)
    if parts:
        whole["$defs"] = parts
    decoded: dict[str, Any] = json.loads(json.dumps(whole))
    return decoded
