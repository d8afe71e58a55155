# SPDX-License-Identifier: GPL-2.0-or-later
"""ctxlint: execution-context rules of the Linux kernel, checked statically."""

__version__ = "0.2.0"
