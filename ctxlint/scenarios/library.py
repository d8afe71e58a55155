# SPDX-License-Identifier: GPL-2.0-or-later
"""The modules that have verbs and platforms: importing this registers them."""

from __future__ import annotations

from ctxlint.scenarios import (
    gic,
    gic_verbs,
    mailbox,
    order,
    sdei,
    sdei_steps,
    verbs,
)

__all__ = ["gic", "gic_verbs", "mailbox", "order", "sdei", "sdei_steps", "verbs"]
