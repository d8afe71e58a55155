# SPDX-License-Identifier: GPL-2.0-or-later
"""What both lowerings (``lowering`` from libclang, ``model_functions`` from pycparser) build
with: the :class:`Builder` of one function, blocks, tables of types, folding, initialisers,
and the table of functions that lower."""

from ctxlint.frontend.builder.builder import Builder
from ctxlint.frontend.builder.cfg import Node, branch, finish, jump
from ctxlint.frontend.builder.handlers import Handlers
from ctxlint.frontend.builder.table import Interner, Table

__all__ = ["Builder", "Handlers", "Interner", "Node", "Table", "branch", "finish", "jump"]
