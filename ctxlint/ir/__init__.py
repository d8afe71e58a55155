# SPDX-License-Identifier: GPL-2.0-or-later
"""What C is lowered to: types, operations, functions, units; printed, verified, stored."""
