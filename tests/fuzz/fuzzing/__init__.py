# SPDX-License-Identifier: GPL-2.0-or-later
"""One harness for everything that reads what a stranger can send.

A reader is a module of ``targets/`` with one ``READER``, found by being there; its
samples are the files of ``corpus/NAME/``. ``test_readers.py`` gives each reader its
samples, changes of them that hypothesis thinks of, and inputs that grow;
``test_long.py`` (slow tier) goes on for minutes, guided by coverage where atheris is
installed. An input that broke something becomes a sample: put the file that the failure
names into the corpus.
"""
