# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs generated programs, many in one file: compiled for the host, and in the model."""

from __future__ import annotations

import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ctxlint.frontend import lower_unit
from ctxlint.simulator.code import Code
from ctxlint.simulator.image import Image
from ctxlint.simulator.machine import Machine
from tests.simulator.fuzz.writer import PRELUDE

TARGET = ("--target=x86_64-linux-gnu", "-std=gnu11", "-funsigned-char")
FLAGS = ("-std=gnu11", "-funsigned-char", "-fwrapv", "-w", "-O0", "-fno-strict-aliasing")
ARGUMENTS = ((0, 0, 0), (-7, 200, 1 << 40), (0x7FFFFFFF, 3, -(1 << 63)))
FUEL = 20_000_000


def compilers() -> list[str]:
    """Those of this machine; empty where the host is not the target."""
    if platform.machine() != "x86_64":
        return []
    names = ("gcc", "clang", *(f"clang-{n}" for n in range(22, 14, -1)))
    found = [name for name in names if shutil.which(name)]
    return found[:1] + [n for n in found[1:] if n.startswith("clang")][:1]


def joined(programs: list[str]) -> str:
    return PRELUDE + "\n".join(p.replace("@", f"_{i}") for i, p in enumerate(programs))


def compiled(programs: list[str], folder: Path, compiler: str) -> list[int | None]:
    """What each program gives, for each of the arguments; None for a crash."""
    calls = "".join(
        f"\tcase {i * len(ARGUMENTS) + j}:"
        f" r = f_{i}({a}, {b}, (s64){c % (1 << 64)}ull); break;\n"
        for i in range(len(programs))
        for j, (a, b, c) in enumerate(ARGUMENTS)
    )
    main = (
        "\nint printf(const char *, ...); int fflush(void *);\nint main(void)\n{\n"
        f"\tfor (int i = 0; i < {len(programs) * len(ARGUMENTS)}; i++) {{ u64 r = 0;\n"
        f'\tswitch (i) {{\n{calls}\t}}\n\tprintf("%lu\\n", r); fflush((void *)0);\n\t}}\n'
        "\treturn 0;\n}\n"
    )
    (folder / "host.c").write_text(joined(programs) + main, encoding="utf-8")
    command = [compiler, *FLAGS, "-o", "host", "host.c"]
    made = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    done = subprocess.run(
        [folder / "host"], capture_output=True, text=True, timeout=300, check=False
    )
    values: list[int | None] = [int(line) for line in done.stdout.split()]
    return values + [None] * (len(programs) * len(ARGUMENTS) - len(values))


def image_of(programs: list[str], folder: Path) -> Image:
    (folder / "unit.c").write_text(joined(programs), encoding="utf-8")
    unit = lower_unit(tree=folder, file="unit.c", arguments=TARGET, directory=folder)
    assert unit.errors == (), unit.errors
    image = Image()
    image.add_unit(unit)
    return image


def modelled(programs: list[str], folder: Path) -> list[int | str]:
    """The same in the model; a text where a run ends with an exception."""
    code = Code(image_of(programs, folder))
    values: list[int | str] = []
    for i in range(len(programs)):
        m = Machine(code, fuel=FUEL)
        sp = m.sp
        for args in ARGUMENTS:
            try:
                values.append(m.call(f"f_{i}", *args))
                assert (m.stack, m.varargs, m.sp) == ([], [], sp), "the stack is left changed"
            except Exception as error:  # whatever it is, it is a finding
                values.append(f"{type(error).__name__}: {error}")
                m = Machine(code, fuel=FUEL)
    return values


@dataclass(frozen=True)
class Difference:
    program: str
    arguments: tuple[int, int, int]
    compiled: int | None
    modelled: int | str
    by: str

    def __str__(self) -> str:
        return (
            f"{self.by}: f{self.arguments} gives {self.compiled} compiled,"
            f" {self.modelled} in the model:\n{self.program.replace('@', '')}"
        )


def differences(programs: list[str], folder: Path, compiler: str) -> list[Difference]:
    ours = modelled(programs, folder)
    theirs = compiled(programs, folder, compiler)
    n = len(ARGUMENTS)
    found = []
    for i, program in enumerate(programs):
        for j in range(n):
            have, want = ours[i * n + j], theirs[i * n + j]
            if have != want:
                found.append(Difference(program, ARGUMENTS[j], want, have, compiler))
                break
    return found
