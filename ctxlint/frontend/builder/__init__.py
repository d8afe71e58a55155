# SPDX-License-Identifier: GPL-2.0-or-later
"""What both lowerings (``lowering`` from libclang, ``model_functions`` from pycparser) build
with: blocks, tables of types, folding, and the :class:`Builder` of one function."""

from ctxlint.frontend.builder.builder import Builder
from ctxlint.frontend.builder.cfg import Node, branch, finish, jump
from ctxlint.frontend.builder.table import Interner, Table

__all__ = ["Builder", "Interner", "Node", "Table", "branch", "finish", "jump"]
