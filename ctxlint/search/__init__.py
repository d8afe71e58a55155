# SPDX-License-Identifier: GPL-2.0-or-later
"""Where in the tree a function is named or defined, and which further files that makes
worth reading."""
