# SPDX-License-Identifier: GPL-2.0-or-later
"""The one family of errors. Only ``cli/`` turns them into text and exit codes."""

from __future__ import annotations


class CtxlintError(Exception):
    """Something the user can act on.

    ``hint`` says what to do about it, in one sentence.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(CtxlintError):
    """A wrong option, path or configuration (exit code 2)."""


class TreeError(CtxlintError):
    """Not a kernel tree, or one that cannot be configured."""


class ToolMissingError(CtxlintError):
    """A program that the build system needs is not installed."""


class RuleError(CtxlintError):
    """A rule file is wrong; the message starts with ``file: path.in.file:``."""


class CheckError(CtxlintError):
    """A check (a module of ``ctxlint/checks/``) is not complete, or in another's way."""


class StoreError(CtxlintError):
    """The cache cannot be used at all (not: damaged, which is repaired)."""


class FrontendError(CtxlintError):
    """A unit could not be parsed or lowered."""
