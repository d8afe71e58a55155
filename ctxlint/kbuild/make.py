# SPDX-License-Identifier: GPL-2.0-or-later
"""Running the kernel's build system out of tree."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ctxlint.base import processes
from ctxlint.base.errors import CtxlintError, TreeError
from ctxlint.kbuild import toolchain as tools
from ctxlint.kbuild.model import Step
from ctxlint.kbuild.standin import RECORD_VARIABLE

#: Variables of the caller's own kernel work that must not reach our build.
_FOREIGN = re.compile(
    r"^(KBUILD_.*|KCONFIG_.*|K[CAR].*FLAGS|MAKEFLAGS|MFLAGS|MAKEOVERRIDES|MAKELEVEL|ARCH|SUBARCH"
    r"|SRCARCH|CROSS_COMPILE.*|LLVM|LLVM_IAS|CC|LD|AR|NM|HOSTCC|HOSTCXX|CFLAGS.*|CPPFLAGS|LDFLAGS"
    r"|V|W|C|M|O|INSTALL_.*|LOCALVERSION|CTXLINT_.*)$"
)


@dataclass(frozen=True, kw_only=True)
class Build:
    """One out-of-tree build directory and how to run make for it.

    ``source`` is the tree, or a clean view of it. ``held`` are file descriptors (of locks)
    that the programs inherit.
    """

    source: Path
    directory: Path
    arch: str
    toolchain: tools.Toolchain
    compiler: Path
    jobs: int
    log_file: Path
    held: tuple[int, ...] = ()

    def make(
        self,
        targets: Iterable[str],
        *,
        variables: Iterable[str] = (),
        environment: dict[str, str] | None = None,
        record: bool = False,
        step: Step | None = None,
    ) -> tuple[int, str]:
        """Run make; returns its exit code and the last of what it said.

        ``record``: the compiler stand-in records instead of compiling, and make goes on
        after errors. All output is appended to ``log_file``.
        """
        command = [
            "make", "-C", str(self.source), f"O={self.directory}", f"ARCH={self.arch}",
            f"LLVM={self.toolchain.llvm}", f"CC={self.compiler}", f"-j{self.jobs}",
            "--no-print-directory", *variables, *(["-k"] if record else []), *targets,
        ]  # fmt: skip
        env = {k: v for k, v in os.environ.items() if not _FOREIGN.match(k)}
        env |= {"LC_ALL": "C", "PYTHONDONTWRITEBYTECODE": "1"} | (environment or {})
        if record:
            env[RECORD_VARIABLE] = "1"
        return self.run(command, env, step)

    def run(
        self, command: list[str], env: dict[str, str], step: Step | None
    ) -> tuple[int, str]:
        """Run a program of the tree in a process group that ends with this call."""
        tail: list[str] = []
        with self.log_file.open("a", encoding="utf-8", errors="replace") as log:
            log.write("+ " + " ".join(command) + "\n")
            with processes.program(
                command,
                env=env,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=self.held,
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    log.write(line)
                    if step is not None and line.startswith("  "):
                        step(" ".join(line.split()))
                    elif not line.startswith("  "):
                        tail.append(line.rstrip())
                        del tail[:-400]
                code = process.wait()
        return code, "\n".join(tail)


def failure(what: str, output: str, log_file: Path) -> CtxlintError:
    """The error for a make that failed: a missing package when that is the cause."""
    missing = tools.missing_header(output)
    if missing is not None:
        return missing
    if "source tree is not clean" in output:
        return TreeError(
            "the source tree contains a build, so kbuild cannot build outside of it",
            hint="Save its .config and run 'make mrproper', or name that build with --build.",
        )
    interesting = [line for line in output.splitlines() if re.search(r"(?i)error|\*\*\*", line)]
    last = (interesting or output.splitlines() or ["make printed nothing"])[-8:]
    return TreeError(f"{what} failed:\n  " + "\n  ".join(last), hint=f"Full log: {log_file}")
