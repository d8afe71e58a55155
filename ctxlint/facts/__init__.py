# SPDX-License-Identifier: GPL-2.0-or-later
"""What one translation unit says: a summary of each function, and what it stores.

Computed next to the parser, from one unit alone, and kept in the store.
"""
