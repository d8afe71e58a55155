# SPDX-License-Identifier: GPL-2.0-or-later
"""The translation units of a profile to facts: from the store where they are valid, parsed
in worker processes where not."""
