# SPDX-License-Identifier: GPL-2.0-or-later
"""The readers, one a module; see :mod:`fuzzing.reader`."""
