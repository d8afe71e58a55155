# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's runtime: what a function finds below it and around it."""
