# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress bars and log lines, on stderr. Bars only when it is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from ctxlint.base.levels import Level
from ctxlint.cli import streams
from ctxlint.report.clean import clean

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

_SAY_SECONDS = 60.0
"""How often long work reports progress if there is no terminal to draw on."""

_RANK = {"debug": 2, "info": 1, "notice": 0, "warning": 0}


def _said(level: Level, message: str) -> str:
    return f"ctxlint: {'' if level == 'notice' else level + ': '}{clean(message)}"


class Reporter(AbstractContextManager["Reporter"]):
    """The :class:`ctxlint.pipeline.Progress` of the command line.

    ``verbose`` 0 shows warnings, 1 also info, 2 also debug; ``quiet`` shows
    neither bars nor log lines.
    """

    def __init__(self, *, verbose: int = 0, quiet: bool = False, color: bool = True) -> None:
        self.level = -1 if quiet else verbose
        self._bars: RichProgress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._lines = None if quiet else _Lines()
        if not quiet and sys.stderr.isatty():
            self._bars = _bars(color)

    def __enter__(self) -> Reporter:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def start(self, stage: str, total: int) -> None:
        if self._bars is not None:
            self._tasks[stage] = self._bars.add_task(stage, total=total or None, item="")
        elif self._lines is not None:
            self._lines.start(stage, total)

    def advance(self, stage: str, text: str = "") -> None:
        if self._bars is not None and stage in self._tasks:
            self._bars.update(self._tasks[stage], advance=1, item=text)
        elif self._bars is None and self._lines is not None:
            self._lines.advance(stage)

    def finish(self, stage: str) -> None:
        if self._bars is not None and stage in self._tasks:
            self._bars.remove_task(self._tasks.pop(stage))
        elif self._bars is None and self._lines is not None:
            self._lines.finish(stage)

    def log(self, level: Level, message: str) -> None:
        if _RANK[level] <= self.level:
            self._print(_said(level, message))

    def say(self, message: str) -> None:
        """A line unless ``--quiet``."""
        if self.level >= 0:
            self._print(f"ctxlint: {clean(message)}")

    def _print(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            streams.tell(line)


class _Lines:
    """One line a minute about the stage that is going on, for a log or a pipe.

    Told from what the work tells anyway: a thread would be in the way of forks.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stages: dict[str, tuple[float, int, int]] = {}
        self._said = clock()

    def start(self, stage: str, total: int) -> None:
        self._stages[stage] = (self._clock(), total, 0)
        self._say(stage)

    def advance(self, stage: str) -> None:
        if stage in self._stages:
            begun, total, done = self._stages[stage]
            self._stages[stage] = (begun, total, done + 1)
            self._say(stage)

    def finish(self, stage: str) -> None:
        self._stages.pop(stage, None)

    def _say(self, stage: str) -> None:
        now = self._clock()
        if now - self._said < _SAY_SECONDS:
            return
        self._said = now
        begun, total, done = self._stages[stage]
        many = f"{done} of {total}" if total else f"{done}"
        minutes = round((now - begun) / 60)
        took = f", {minutes} min" if minutes else ""
        streams.tell(f"ctxlint: {stage}: {many} done{took}")


class Plain:
    """Only log lines: no bars, and so no thread that draws them."""

    def __init__(self, verbose: int = 0, quiet: bool = False) -> None:
        self.level = -1 if quiet else verbose
        self._lines = None if quiet else _Lines()

    def start(self, stage: str, total: int) -> None:
        if self._lines is not None:
            self._lines.start(stage, total)

    def advance(self, stage: str, text: str = "") -> None:
        if self._lines is not None:
            self._lines.advance(stage)

    def finish(self, stage: str) -> None:
        if self._lines is not None:
            self._lines.finish(stage)

    def log(self, level: Level, message: str) -> None:
        if _RANK[level] <= self.level:
            streams.tell(_said(level, message))


def _bars(color: bool) -> RichProgress:
    # rich costs a tenth of a second to import: only a terminal pays for it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        Task,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class Count(MofNCompleteColumn):
        """Nothing where the end is not known: the item then says how far it is."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.total is not None else Text()

    console = Console(stderr=True, no_color=not color)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        Count(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[item]}", markup=False),
        console=console,
        transient=True,
    )
