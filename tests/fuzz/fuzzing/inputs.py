# SPDX-License-Identifier: GPL-2.0-or-later
"""Inputs for a reader: its samples, changed."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

NUMBERS = (b"0", b"-1", b"1", b"255", b"4096", b"9" * 40)


@st.composite
def changed(draw: st.DrawFn, samples: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A sample with up to six changes: parts taken out, doubled, moved, replaced by words
    of the format, by parts of other samples or by any bytes."""
    data = draw(st.sampled_from([b"", *samples]))
    piece = st.one_of(
        st.sampled_from([*words, *NUMBERS, b"\0", b"\n", b"\r\n", b"\xff", b'"']),
        st.binary(max_size=8),
    )
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 200)))
        match draw(st.sampled_from(("put", "take", "double", "move", "splice"))):
            case "put":
                data = data[:start] + draw(piece) + data[start:]
            case "take":
                data = data[:start] + draw(st.sampled_from((b"", b" "))) + data[end:]
            case "double":
                times = draw(st.sampled_from((1, 2, 50)))
                data = data[:end] + data[start:end] * times + data[end:]
            case "move":
                rest = data[:start] + data[end:]
                at = draw(st.integers(0, len(rest)))
                data = rest[:at] + data[start:end] + rest[at:]
            case _:
                other = draw(st.sampled_from([b"", *samples]))
                data = data[:start] + other[draw(st.integers(0, len(other))) :]
    return data
