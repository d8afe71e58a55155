# SPDX-License-Identifier: GPL-2.0-or-later
"""Exploration: run a path with values that are not known, and try what they can be."""
