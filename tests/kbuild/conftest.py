# SPDX-License-Identifier: GPL-2.0-or-later
"""A toy tree with a build system of its own, and toy tools, so that no kernel is needed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

TOP = """\
# SPDX-License-Identifier: GPL-2.0
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 3
EXTRAVERSION =

.PHONY: prepare olddefconfig
defconfig allmodconfig:
	echo "make $@" >>$(O)/../makes
	mkdir -p $(O)/include/config
	echo "deps_config := Kconfig arch/arm64/Kconfig" >$(O)/include/config/auto.conf.cmd
	{ echo CONFIG_ARM64=y; cat $(KCONFIG_ALLCONFIG) </dev/null; } >$(O)/.config
olddefconfig:
	test ! -f .config
	grep -q . Kconfig && ! grep -q broken Kconfig
prepare:
	echo "make $@" >>$(O)/../makes
	mkdir -p $(O)/include/generated $(O)/kernel
	cd $(O) && $(CC) -S -o kernel/bounds.s $(CURDIR)/kernel/bounds.c
	echo "deps := $(CURDIR)/kernel/bounds.c \\\\" >$(O)/kernel/.bounds.s.cmd
FORCE:
%/: FORCE
	echo "make $@" >>$(O)/../makes
	+$(MAKE) -C $(O) -f $(CURDIR)/scripts/Makefile.build srctree=$(CURDIR) obj=$* all
"""
BUILD = """\
# SPDX-License-Identifier: GPL-2.0
include $(srctree)/$(obj)/Makefile
ifeq ($(obj-y),)
$(error No rule to make target '$(obj)/')
endif
all: $(addprefix $(obj)/,$(obj-y))
$(obj)/%.o: $(srctree)/$(obj)/%.c
	mkdir -p $(dir $@)
	$(CC) -Wp,-MMD,$(@D)/.$(@F).d -nostdinc -I$(srctree)/include -I./include -Wall \\
		-fno-omit-frame-pointer -std=gnu11 $(ccflags-y) \\
		-DKBUILD_MODNAME='"$(*F)"' -c -o $@ $<
"""
MERGE = """\
#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cat "$5" >>"$4"
"""


@pytest.fixture
def toy_tree(tmp_path: Path) -> Path:
    """``drivers/a`` builds one.c and sub/two.c; not three.c, not ``drivers/b``."""
    tree = tmp_path / "tree"
    files = {
        "Makefile": TOP,
        "Kconfig": "# toy\n",
        "scripts/Makefile.build": BUILD,
        "scripts/Makefile.clang": "CLANG_TARGET_FLAGS_arm64\t:= aarch64-linux-gnu\n",
        "scripts/kconfig/merge_config.sh": MERGE,
        "arch/arm64/Kconfig": "config ARM64\n\tselect ARCH_SUPPORTS_RT\n",
        "arch/arm64/Makefile": "",
        "arch/arm/Kconfig": "config ARM\n",
        "arch/arm/Makefile": "",
        "kernel/bounds.c": "int bounds;\n",
        "drivers/a/Makefile": "obj-y := one.o sub/two.o\n",
        "drivers/a/one.c": '#include "part.c"\nint one;\n',
        "drivers/a/part.c": "int part;\n",
        "drivers/a/sub/two.c": "int two;\n",
        "drivers/a/three.c": "int three;\n",
        "drivers/b/Makefile": "obj-n := four.o\n",
        "drivers/b/four.c": "int four;\n",
    }
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tree


CLANG = """\
#!/bin/sh
echo "$@" >>"$TOY_CLANG_LOG"
for argument do
    [ "$previous" = -o ] && echo "code of $0" >"$argument"
    previous=$argument
done
exit 0
"""


@pytest.fixture
def toy_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a pretended clang and the few real programs that make itself needs."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed: the toy tree cannot be built")
    tools = tmp_path / "tools"
    tools.mkdir()
    plain = ("flex", "bison", "bc", "perl", "awk", "ld.lld-99")
    llvm = ("ar", "nm", "objcopy", "objdump", "readelf", "strip")
    for name in (*plain, *(f"llvm-{n}-99" for n in llvm)):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    (tools / "clang-99").write_text(CLANG)
    (tools / "clang-99").chmod(0o755)
    for name in ("make", "sh", "cp", "mkdir", "cat", "echo", "grep", "test"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(os.path.realpath(found))
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("TOY_CLANG_LOG", str(tmp_path / "clang.log"))
    return tools
