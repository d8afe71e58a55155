# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings into the simulator: run a path with values that are not known, try what they
can be, and say whether the path ends where the finding says (a *verdict*).
"""
