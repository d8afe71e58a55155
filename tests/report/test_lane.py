# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import msgspec
import pytest
import report_samples as samples

from ctxlint.findings.model import Finding
from ctxlint.report.lane import Lane, lane_of, level, level_of_words


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("interrupts off, preemption off", "irq"),
        ("CPU hotplug STARTING callback: preemption off", "preempt"),
        ("in NMI, interrupts off", "nmi"),
        ("in hard interrupt, interrupts off", "hard"),
        ("RCU read side", "rcu"),
        ("timer: in softirq", "soft"),
        ("preemptible", "task"),
        ("not known; taken as preemptible", "unknown"),
        ("", "unknown"),
    ],
)
def test_colour_of_the_strictest_part(context: str, expected: str) -> None:
    assert level(samples.state_in(context)) == expected
    assert level_of_words(context) == expected


def tracks(lane: Lane) -> dict[str, tuple[bool, ...]]:
    return {track.name: track.on for track in lane.tracks}


def test_tracks_run_from_where_the_state_begins() -> None:
    finding = samples.its_free()
    kinds = [step.kind for step in finding.path]
    entry = kinds.index("entry")
    lane = lane_of(finding)
    on = tracks(lane)["interrupts off"]
    assert on == tuple(index >= entry for index in range(len(kinds)))
    assert [t.name for t in lane.rows[entry].begins] == ["interrupts off", "preemption off"]
    assert not any(row.begins for row in lane.rows[entry + 1 :])
    # Before the entry point it is another time, at the operation the lane ends.
    assert lane.rows[entry].above == "later"
    assert lane.rows[-1].below == "" and lane.rows[-1].above == "irq"
    assert all(not segment.below for segment in lane.rows[-1].segments)


def test_locks_begin_at_the_step_that_takes_them() -> None:
    finding = samples.irq_mask_mutex()
    kinds = [step.kind for step in finding.path]
    found = tracks(lane_of(finding))
    assert found["chip->bank_lock"].index(True) == kinds.index("state")
    # The caller's lock: no step takes it, so it is held from the entry point on.
    assert found["irq_desc.lock"].index(True) == kinds.index("entry")


def test_what_ends_is_told() -> None:
    finding: Finding = samples.sdei_lock()
    off = samples.state_in("preemption off")
    path = (
        *finding.path[:-1],
        msgspec.structs.replace(finding.path[-1], kind="state", state=off),
        msgspec.structs.replace(finding.path[-1], state=off),
    )
    lane = lane_of(msgspec.structs.replace(finding, path=path))
    assert [track.name for track in lane.rows[-2].ends] == ["interrupts off"]
    assert lane.rows[-1].above == "preempt"


def test_an_empty_path_is_an_empty_lane() -> None:
    lane = lane_of(msgspec.structs.replace(samples.irq_mask_mutex(), path=()))
    assert lane.rows == () and lane.tracks == ()
