# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel configurations: reading them, and what a profile adds to one."""

from __future__ import annotations

from pathlib import Path

from ctxlint.base.errors import TreeError
from ctxlint.base.reading import read_regular

#: Set in every profile. EXPERT is what PREEMPT_RT depends on; both kernels get it, so
#: that they differ in PREEMPT_RT alone. DEBUG_ATOMIC_SLEEP brings the kernel's own
#: "may sleep" annotations into the code.
_ALWAYS = ("EXPERT", "DEBUG_KERNEL", "DEBUG_ATOMIC_SLEEP", "SMP", "HOTPLUG_CPU",
           "DEBUG_INFO_NONE", "LTO_NONE", "BRANCH_PROFILE_NONE", "RANDSTRUCT_NONE")  # fmt: skip
#: Cleared in every profile: instrumentation that rewrites locks, branches or accesses
#: (allmodconfig turns it on), and what would need keys or further tools to build.
NEVER = ("PROVE_LOCKING", "LOCK_STAT", "DEBUG_LOCK_ALLOC", "DEBUG_WW_MUTEX_SLOWPATH",
          "DEBUG_SPINLOCK", "DEBUG_MUTEXES", "DEBUG_RT_MUTEXES", "DEBUG_RWSEMS",
          "IRQSOFF_TRACER", "PREEMPT_TRACER", "KASAN", "KCSAN", "KMSAN", "UBSAN", "KCOV",
          "GCOV_KERNEL", "LTO_CLANG_FULL", "LTO_CLANG_THIN", "CFI_CLANG", "DEBUG_INFO_BTF",
          "PROFILE_ANNOTATED_BRANCHES", "PROFILE_ALL_BRANCHES", "WERROR", "MODULE_SIG",
          "MODULE_SIG_ALL", "DEBUG_NET_SMALL_RTNL")  # fmt: skip
_MODELS = ("PREEMPT_NONE", "PREEMPT_VOLUNTARY", "PREEMPT_LAZY")


def fragment(*, rt: bool) -> str:
    """The lines that a profile's configuration gets on top of what was asked for."""
    model, other = ("PREEMPT_RT", "PREEMPT") if rt else ("PREEMPT", "PREEMPT_RT")
    lines = [f"CONFIG_{name}=y" for name in (*_ALWAYS, model)]
    lines += [f"# CONFIG_{name} is not set" for name in (*NEVER, *_MODELS, other)]
    return "\n".join(lines) + "\n"


def read_config(path: Path) -> dict[str, str]:
    """The options of a ``.config`` or ``auto.conf`` that are set, without ``CONFIG_``."""
    data = read_regular(path)
    if data is None:
        raise TreeError(
            f"{path}: cannot be read, or is not a configuration",
            hint="Name an existing kernel configuration.",
        )
    text = data.decode("utf-8", "replace")
    options = {}
    for line in text.splitlines():
        if line.startswith("CONFIG_"):
            name, _, value = line.partition("=")
            options[name.removeprefix("CONFIG_")] = value.strip('"')
    return options


def is_rt(path: Path) -> bool:
    """Whether a ``.config`` is for a PREEMPT_RT kernel."""
    return read_config(path).get("PREEMPT_RT") == "y"


def unwanted(path: Path) -> list[str]:
    """Options that a profile clears and that something else in ``path`` selects again."""
    options = read_config(path)
    return [name for name in NEVER if options.get(name) == "y"]


def may_have_rt(tree: Path, srcarch: str) -> bool:
    """Whether PREEMPT_RT can be selected at all, from the Kconfig text alone.

    It depends on ARCH_SUPPORTS_RT, which has no prompt: an architecture's Kconfig selects
    it (source: kernel/Kconfig.preempt, arch/Kconfig), or nothing does.
    """
    return any(
        b"ARCH_SUPPORTS_RT" in (read_regular(file) or b"")
        for file in (tree / "arch" / srcarch).glob("Kconfig*")
    )
