# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports on a series, made from a saved result."""

from __future__ import annotations

import email
import json
from email import policy
from typing import Any

import msgspec
import pytest

from ctxlint.base.errors import UsageError
from ctxlint.findings.compare import Pair
from ctxlint.findings.model import Incomplete
from ctxlint.findings.series import PatchReport, Quote, SeriesResult
from ctxlint.report import b4, mail, series_json, series_text

from report_samples import full  # isort: skip

FULL = full()
FINDING = FULL.findings[0]
HOSTILE = "x\x1b[2J\nBcc: evil@example.org\r\n\r\n</pre>\u202e"


def patch(**changes: Any) -> PatchReport:
    plain = PatchReport(
        number=2, total=3, subject="irqchip: Free it late", author="A B <a@example.org>",
        commit=None, mail_subject="[PATCH 2/3] irqchip: Free it late",
        message_id="<2@example.org>", references="<0@example.org>", to="list@example.org",
        cc="c@example.org", date="Fri, 2 Jan 2026 03:04:05 +0000", files=(FINDING.file,),
        introduced=(FINDING,), fixed=(), partly_fixed=(), moved=(), kept=("f1",),
        fixed_later={}, partly_fixed_later={}, quotes={}, incomplete=(), unbuilt=(),
        flags_from={}, notes=(),
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def series(*patches: PatchReport, **changes: Any) -> SeriesResult:
    result = msgspec.structs.replace(FULL, findings=(FINDING,), incomplete=(), uncovered=())
    plain = SeriesResult(
        tool=FULL.tool, tree=FULL.tree, base="0123456789abcdef", base_from="HEAD",
        profiles=FULL.profiles, prepared=True, paths=("drivers/irqchip",), patches=patches,
        introduced=(FINDING,), fixed=(), partly_fixed=(), kept=(), incomplete=(), notes=(),
        result=result,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def test_saved_and_loaded() -> None:
    one = series(patch(quotes={"a": Quote(file="f", header="@@", lines=("+x",), line=0)}))
    assert series_json.load(series_json.render(one)) == one
    with pytest.raises(UsageError):
        series_json.load("{}")


def test_text_names_the_patch_and_its_later_fix() -> None:
    report = series(patch(fixed_later={FINDING.fingerprint: 3}))
    text = series_text.render(report)
    assert text.startswith("patch 2/3: irqchip: Free it late\n  1 introduced; 1 still there")
    words = " ".join(text.split())
    assert "fixed by 3/3: kernels with only patch 2 have this bug" in words
    assert "introduced by 2/3, fixed by 3/3" in words
    coloured = series_text.render(report, colour=True)
    assert "\x1b[" in coloured and "\x1b[" not in text


def test_text_of_nothing() -> None:
    text = series_text.render(series(patch(introduced=()), introduced=()))
    assert "no change; 1 still there" in text
    assert "no finding introduced or fixed" in text


def test_b4_statuses() -> None:
    half = patch(introduced=(), partly_fixed=(Pair(before=FINDING, after=FINDING),))
    left_out = Incomplete(file="drivers/x.c", profile="", reason="CONFIG_X is off", kind="path")
    for report, statuses in (
        (series(patch()), ["fail"]),
        (series(half), ["warn"]),
        (series(patch(introduced=()), incomplete=(left_out,)), ["warn"]),
        (series(patch(introduced=())), ["pass"]),
        (series(patch(introduced=()), incomplete=FULL.incomplete[:1]), ["warn"]),
    ):
        entries = json.loads(b4.render(report))
        assert [entry["status"] for entry in entries] == statuses
        lines = b4.render_lines(report).splitlines()
        words = {"fail": "ERROR", "warn": "WARNING"}
        assert [line.split(":")[0] for line in lines] == [
            words[s] for s in statuses if s in words
        ]


def test_mail_with_hostile_words() -> None:
    quote = Quote(file=HOSTILE, header=HOSTILE, lines=("+" + HOSTILE, "+\tx"), line=1)
    text = mail.render(
        series(
            patch(
                subject=HOSTILE, mail_subject=HOSTILE, author=f"{HOSTILE} <a@example.org>",
                cc=f"{HOSTILE} <b@example.org>, <evil\n@x>", date=HOSTILE,
                message_id=f"<{HOSTILE}@x>", references=f"{HOSTILE} <r@example.org>",
                quotes={FINDING.fingerprint: quote},
            ),
            base_from=HOSTILE,
        )
    )  # fmt: skip
    assert not set(text) & {"\x1b", "\r", "\u202e"}
    message = email.message_from_string(text, policy=policy.default)
    assert "Bcc" not in message and "In-Reply-To" not in message
    assert len(message["To"].addresses) == 1
    assert "> +\tx" in message.get_content()


def test_mail_of_many_findings_is_short() -> None:
    many = tuple(msgspec.structs.replace(FINDING, line=n) for n in range(10))
    text = mail.render(series(patch(introduced=many)))
    assert text.count("The call path, with") == 3
    assert text.count("The same question for:") == 1


def test_mail_on_a_commit_gives_the_tag() -> None:
    text = mail.render(series(patch(commit="89abcdef0123456789", message_id="")))
    assert '\n  Fixes: 89abcdef0123 ("irqchip: Free it late")\n' in text
    assert "ctxlint patch 89abcdef0123~..89abcdef0123" in text
    assert "In-Reply-To" not in text


def test_no_mail_without_a_reason() -> None:
    assert mail.render(series(patch(introduced=()))) == ""
