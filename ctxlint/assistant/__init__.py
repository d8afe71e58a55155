# SPDX-License-Identifier: GPL-2.0-or-later
"""Small answers for a program that reviews patches and asks one question after the other
(``ctxlint mcp``)."""
