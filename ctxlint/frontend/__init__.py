# SPDX-License-Identifier: GPL-2.0-or-later
"""libclang to IR. The only package that knows clang."""

from ctxlint.frontend.lower import lower_unit

__all__ = ["lower_unit"]
