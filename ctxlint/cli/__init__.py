# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: options in, text and an exit code out. Nothing else prints or exits."""
