# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint explain``: prints a check's own documentation."""
