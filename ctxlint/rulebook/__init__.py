# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known about Linux: ``rules/`` read, checked and indexed."""

from ctxlint.base.places import rules_directory
from ctxlint.rulebook.book import ApiRule, RegistrationRule, Rulebook
from ctxlint.rulebook.loader import check, check_shipped, load, models_directory

__all__ = [
    "ApiRule", "RegistrationRule", "Rulebook", "check", "check_shipped", "load",
    "models_directory", "rules_directory",
]  # fmt: skip
