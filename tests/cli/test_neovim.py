# SPDX-License-Identifier: GPL-2.0-or-later
"""The Neovim configurations of docs/editors.md in the real editor, without a screen.

CTXLINT_NVIM names the program (default: nvim in PATH); each configuration is tried with the
versions that it is for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
from warm_cache import TREE, warmed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FILE = "drivers/irqchip/irq-snail.c"
PATIENCE = 120

TRIAL = """\
local out = io.open(os.getenv('TRIAL_OUT'), 'w')
vim.cmd('edit ' .. os.getenv('TRIAL_FILE'))
local buffer = vim.api.nvim_get_current_buf()
vim.wait(60000, function() return #vim.diagnostic.get(buffer) > 0 end, 50)
for _, d in ipairs(vim.diagnostic.get(buffer)) do
  local found = { line = d.lnum + 1, message = d.message, code = d.code }
  out:write(vim.fn.json_encode(found), '\\n')
end
local clients = vim.lsp.get_clients and vim.lsp.get_clients() or vim.lsp.get_active_clients()
for _, client in ipairs(clients) do
  vim.lsp.stop_client(client.id)
  vim.wait(20000, function() return vim.lsp.client_is_stopped(client.id) end, 50)
end
out:close()
vim.cmd('qall!')
"""


def test_diagnostics_appear(tmp_path: Path) -> None:
    """Those of the audit; the server then ends with exit code 0."""
    program = os.environ.get("CTXLINT_NVIM") or shutil.which("nvim")
    if program is None:
        pytest.skip("nvim is not installed")
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", said)
    number = tuple(map(int, version.groups())) if version is not None else (0, 0)
    if number < (0, 7):
        pytest.skip(f"too old a Neovim: {said.splitlines()[0] if said else 'no version'}")
    new = number >= (0, 11)
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    (tree / "MAINTAINERS").write_text("")
    warmed(tmp_path / "cache/ctxlint")
    # The real program behind a script that notes how it ended.
    (tmp_path / "bin").mkdir()
    real = Path(sysconfig.get_path("scripts")) / "ctxlint"
    script = tmp_path / "bin/ctxlint"
    script.write_text(f'#!/bin/sh\n"{real}" "$@"\necho $? >"{tmp_path}/code"\n')
    script.chmod(0o755)
    (tmp_path / "init.lua").write_text(configurations()[0 if new else 1])
    (tmp_path / "trial.lua").write_text(TRIAL)
    environment = os.environ | {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TRIAL_OUT": str(tmp_path / "out"),
        "TRIAL_FILE": str(tree / FILE),
    }
    words = [program, "--headless", "-i", "NONE", "-n", "-u", str(tmp_path / "init.lua")]
    done = subprocess.run(
        [*words, "-c", f"luafile {tmp_path / 'trial.lua'}"],
        env=environment, capture_output=True, text=True, timeout=PATIENCE, cwd=tree,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").exists(), done.stderr
    lines = (tmp_path / "out").read_text().splitlines()
    [found] = [json.loads(line) for line in lines]
    assert (found["line"], found["code"]) == (22, "sleep-in-atomic"), done.stderr
    assert "mutex_lock() sleeps" in found["message"]
    assert (tmp_path / "code").read_text() == "0\n"


def configurations() -> list[str]:
    """The blocks of the page: for new editors, for old ones."""
    text = (ROOT / "docs/editors.md").read_text(encoding="utf-8")
    found = re.findall(r"^```lua\n(.*?)^```", text, re.M | re.S)
    assert len(found) == 2
    return found
