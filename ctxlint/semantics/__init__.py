# SPDX-License-Identifier: GPL-2.0-or-later
"""What rules and execution contexts mean, for the static analysis and the model alike."""
