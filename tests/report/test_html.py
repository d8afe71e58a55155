# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import msgspec
import pytest
import report_samples as samples
from golden_files import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from markup import Document, assert_harmless, read

from ctxlint.base.errors import UsageError
from ctxlint.findings.model import Finding, Origin, Result, TreeInfo
from ctxlint.report import html, html_view
from ctxlint.report.clean import clean
from ctxlint.report.source_link import SourceLink

URL = "https://example.org/linux/{file}?id={commit}#n{line}"

HOSTILE = (
    "<script>document.title = 'owned'</script>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "<!-- ", "--><svg onload=alert(1)>", "<![CDATA[",
    "&lt;b&gt;", "&#60;i>", "{{ 7 * 7 }}{% raw %}", "javascript:alert(1)",
    "\x1b[31m", "\u202e", "\u2028", "\x00", "\udc80", "\n\n",
)  # fmt: skip


def page(result: Result, **options: Any) -> Document:
    text = html.render(result, samples.DOCS, html.Options(**options))
    text.encode("utf-8")
    return read(text)


def one(**changes: Any) -> Document:
    return page(samples.result(msgspec.structs.replace(samples.sdei_lock(), **changes)))


def body(text: str) -> str:
    """The page without its style and script, and their hashes."""
    text = re.sub(r"(<(style|script)>).*?(</\2>)", r"\1\3", text, flags=re.DOTALL)
    return re.sub(r"sha256-[^']+", "sha256-…", text)


def test_golden() -> None:
    check_golden("full.html", body(html.render(samples.full(), samples.DOCS)))


def test_same_bytes_again() -> None:
    assert html.render(samples.full()) == html.render(samples.full())


def test_everything_of_a_finding_is_told() -> None:
    result = samples.full()
    text = " ".join(page(result).text.split())
    for finding in result.findings:
        for words in (
            finding.message, finding.fingerprint, finding.check, *finding.profiles,
            f"{finding.file}:{finding.line}", " ".join(finding.text.split()),
            finding.context.text, *finding.context.locks,
        ):  # fmt: skip
            assert words in text
        for assumption in finding.assumptions:
            assert assumption.replace("`", "") in text
        for step in finding.path:
            assert f"{step.file}:{step.line}" in text and step.note in text


def test_what_is_not_known_is_told() -> None:
    result = samples.full()
    document = page(result)
    for unit in result.incomplete:
        assert unit.file in document.text and unit.reason in document.text
        assert unit.detail in document.text
    for callee in result.unknown_callees:
        assert callee.callee in document.text and callee.reason in document.text
    for file in result.uncovered:
        assert file in document.text
    assert len(document.classed("banner")) == 1


def test_silence_of_an_incomplete_run_is_not_sold_as_none() -> None:
    clean_page = page(samples.result())
    assert "No findings." in clean_page.text and not clean_page.classed("banner")
    incomplete = page(samples.result(incomplete=samples.full().incomplete))
    assert "No findings in what was analysed." in incomplete.text
    assert len(incomplete.classed("banner")) == 1


def test_findings_of_one_origin_stand_together() -> None:
    one = samples.irq_mask_mutex()
    document = page(samples.result(samples.its_free(), one, samples.same_origin(one)))
    assert len(document.classed("group")) == 2 and len(document.classed("card")) == 3


def test_by_origin_and_by_file() -> None:
    result = samples.full()
    document = page(result)
    origins = {finding.origin.key for finding in result.findings if finding.origin}
    assert len(document.classed("group")) == len(origins)
    anchors = {element.attributes.get("id") for element in document.elements}
    links = [e.attributes["href"] for e in document.all("a")]
    cards = [e.attributes["id"] for e in document.classed("card")]
    assert len(set(cards)) == len(cards) == len(result.findings)
    assert all(f"#{card}-body" in links for card in cards)
    assert all(link[1:] in anchors for link in links if link.startswith("#"))


def test_each_step_has_an_anchor_and_a_picture() -> None:
    result = samples.full()
    document = page(result)
    steps = document.classed("step")
    assert len(steps) == sum(len(finding.path) for finding in result.findings)
    assert len({step.attributes["id"] for step in steps}) == len(steps)
    assert len(document.classed("picture")) == len(document.all("use")) == len(steps)
    # The lane is coloured, and the locks have their tracks.
    assert document.classed("s-irq") and document.classed("s-lock")
    assert document.classed("s-later")


def test_equal_pictures_are_drawn_once() -> None:
    """150 findings have 20 pictures or so; they were half of the page."""
    finding = samples.sdei_lock()
    many = [msgspec.structs.replace(finding, line=line) for line in range(700, 750)]
    one, all_of_them = (page(samples.result(*some)) for some in ([finding], many))
    assert len(all_of_them.all("use")) == 50 * len(one.all("use"))
    assert len(all_of_them.all("line")) == len(one.all("line")) > 5


def test_equal_fingerprints_have_anchors_of_their_own() -> None:
    finding = samples.sdei_lock()
    twice = msgspec.structs.replace(samples.result(finding), findings=(finding, finding))
    ids = [e.attributes["id"] for e in page(twice).elements if "id" in e.attributes]
    assert len(set(ids)) == len(ids)


def test_the_policy_allows_this_style_and_script_alone() -> None:
    text = html.render(samples.full())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    rules = dict(
        rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";")
    )
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag in ("style", "script"):
        inline = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inline is not None
        digest = base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "url(" not in text and "@import" not in text


def test_what_is_hidden_is_told() -> None:
    result = samples.selected()
    document = page(result)
    text = " ".join(document.text.split())
    assert len(result.hidden) == 2 and len(document.classed("card")) == len(result.findings)
    for finding in result.hidden:
        assert f"{finding.file}:{finding.line} {finding.message}" in text
        assert all(item.reason in text for item in finding.suppressed)
    assert "Hidden by the baseline: waits for [PATCH 1/2]" in text
    assert "its_gone" in text
    assert "Not shown: 2 hidden findings." in text
    states = {e.attributes["data-baseline"] for e in document.classed("card")}
    assert "new" in states
    assert [e for e in document.all("select") if e.attributes.get("data-filter") == "baseline"]


def test_what_is_not_selected_is_counted() -> None:
    document = page(samples.result(statistics={"units": 1, "not_selected": 3}))
    assert "3 findings left out by the selection" in document.text


def test_a_finding_about_a_comment_claims_nothing_of_kernels() -> None:
    (finding,) = [f for f in samples.selected().findings if not f.operation]
    document = page(samples.result(finding))
    assert "every kernel" not in document.text.partition("Kernels")[0]
    (card,) = document.classed("card")
    assert card.attributes["data-kernels"] == ""


def test_a_finding_about_a_comment_has_no_path() -> None:
    finding = samples.sdei_lock()
    bare = msgspec.structs.replace(
        finding, path=(), operation="", why="", function="", assumptions=(),
        entry=msgspec.structs.replace(finding.entry, function="", kind=""),
        context=msgspec.structs.replace(finding.context, text="", locks=()),
    )  # fmt: skip
    document = page(samples.result(bare))
    assert "No entry point" in document.text and finding.message in document.text
    assert "How the kernel gets here" not in body(html.render(samples.result(bare)))


@pytest.mark.parametrize("verdict", [None, "confirmed", "refuted", "not reproduced"])
def test_verdict(verdict: str | None) -> None:
    document = one(verdict=verdict)
    (card,) = document.classed("card")
    assert card.attributes["data-verdict"] == (verdict or "not run")
    assert len(document.classed("verdict")) == (verdict is not None)


def test_evidence_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = "<script>\x1b[31m"
    evidence = html_view.Evidence(
        verdict="confirmed",
        css="bad",
        summary=f"reached in 3 steps{bad}",
        values=(f"rdist->flags = 1{bad}", "old = 0x1"),
        splat=(f"BUG: sleeping function called{bad}", "  Call trace:"),
    )
    monkeypatch.setattr(html_view, "evidence_of", lambda finding: evidence)
    document = page(samples.result(samples.sdei_lock()))
    assert_harmless(document)
    for words in (evidence.summary, *evidence.values, *evidence.splat):
        assert clean(words) in document.text
    assert "\n  Call trace:" in document.text


# -- source lines -------------------------------------------------------------


FILE = [f"line {number}" for number in range(1, 684)] + [
    "\tspin_lock(&sdei_list_lock);",
    "",
    "",
]


def source(file: str, line: int) -> str:
    return FILE[line - 1] if file == samples.SDEI and 0 < line <= len(FILE) else ""


def test_lines_around_a_finding() -> None:
    result = samples.result(samples.sdei_lock())
    text = page(result, source=source).text
    assert "line 681" in text and "line 683" in text
    assert "line 680" not in text
    assert "line 681" not in page(result).text


def test_lines_of_another_version_are_not_shown() -> None:
    def shifted(file: str, line: int) -> str:
        return source(file, line + 1)

    assert "line 682" not in page(samples.result(samples.sdei_lock()), source=shifted).text


def test_the_callee_is_marked() -> None:
    text = html.render(samples.result(samples.sdei_lock()))
    assert "<mark>spin_lock</mark>" in text


# -- links --------------------------------------------------------------------


def test_links_to_the_source() -> None:
    result = samples.full()
    links = {e.attributes["href"] for e in page(result, source_url=URL).classed("place")
             if e.tag == "a"}  # fmt: skip
    commit = result.tree.commit
    for finding in result.findings:
        for step in finding.path:
            assert f"https://example.org/linux/{step.file}?id={commit}#n{step.line}" in links


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert('{file}')", "data:text/html,{file}", "file:///{file}",
        "//host/{file}",
        "https://example.org/", "https://{file}/", "https://example.org/{file}/{other}",
        "https://example.org/{file", "https://example.org/{file}{}", "{file}", "",
        "https://[bad/{file}", "https://example.org/{file.__class__}", "https://e.org/{file}{line!x}",
        "https://e.org/{file}{line:{line}}", "https://e.org/{file}{line:s}",
    ],
)  # fmt: skip
def test_bad_link_templates(template: str) -> None:
    with pytest.raises(UsageError) as caught:
        SourceLink(template, TreeInfo(version="6.12", commit="1"))
    assert caught.value.hint


def test_commit_must_be_known() -> None:
    with pytest.raises(UsageError):
        SourceLink(URL, TreeInfo(version="6.12"))


@pytest.mark.parametrize("file", ["a b#c?.c", "a&b\"'<.c", "\u202e.c", "\udc80.c"])
def test_file_names_are_quoted(file: str) -> None:
    link = SourceLink("https://e.org/{file}#n{line}", TreeInfo(version="6.12"))
    url = link.to(file, 3)
    assert re.fullmatch(r"https://e\.org/[\w%.-]+#n3", url), url


@pytest.mark.parametrize("file", ["/etc/passwd", "../../x", "a/../../b"])
def test_no_link_out_of_the_tree(file: str) -> None:
    assert SourceLink("https://e.org/{file}", TreeInfo(version="6.12")).to(file, 1) == ""


# -- strangers ----------------------------------------------------------------


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_strings_stay_text(bad: str) -> None:
    document = page(samples.poisoned(bad), source_url="https://e.org/{file}#n{line}")
    assert_harmless(document)
    assert len(document.classed("card")) == 3
    assert document.text.count(clean(bad)) > 50
    hidden = page(samples._poison(samples.selected(), bad))
    assert_harmless(hidden)
    assert hidden.text.count(clean(bad)) > 50


@pytest.mark.parametrize("bad", ["\x1b[31m", "\u202e", "\x00", "\udc80", "\u2028"])
def test_control_characters_are_shown_as_such(bad: str) -> None:
    text = html.render(samples.poisoned(bad))
    assert all(char == "\n" or char.isprintable() for char in body(text))


@settings(max_examples=25)
@given(st.text(max_size=40))
def test_any_string(bad: str) -> None:
    assert_harmless(page(samples.poisoned(bad)))


@settings(max_examples=25)
@given(st.text(max_size=60), st.integers(-5, 300), st.integers(-5, 10**20))
def test_any_line_and_column(text: str, column: int, line: int) -> None:
    finding: Finding = msgspec.structs.replace(
        samples.sdei_lock(), text=text, column=column, line=line
    )
    assert_harmless(page(samples.result(finding), source=lambda file, number: text))


def test_unknown_words_get_no_class_of_their_own() -> None:
    document = one(severity='x" onclick="y', certainty="?")
    assert_harmless(document)
    (card,) = document.classed("card")
    assert card.attributes["class"] == "card is-note"


def test_what_matters_first() -> None:
    """What could not be analysed, then origins with errors, then those without."""
    document = page(samples.full())
    assert document.text.index("does not parse") < document.text.index("Search")
    warning = msgspec.structs.replace(samples.irq_mask_mutex(), severity="warning")
    document = page(samples.result(warning, samples.sdei_lock(), samples.its_free()))
    order = [element.attributes["data-severity"] for element in document.classed("card")]
    assert order == sorted(order) and len(set(order)) == 2
    numbers = [element.attributes["data-order"] for element in document.classed("card")]
    assert numbers == ["1", "2", "3"]


def test_a_title_does_not_repeat_its_heading() -> None:
    """The entry point stands in the heading of the origin, unless several share that."""

    def called_as(function: str) -> Finding:
        one = samples.irq_mask_mutex()
        by = f"{function}() as irq_chip.irq_mask"
        origin = Origin(
            kind="callback",
            name="irq_chip.irq_mask",
            function="",
            file=one.file,
            line=1,
            text=by,
        )
        entry = msgspec.structs.replace(one.entry, function=function)
        message = f"mutex_lock() sleeps, called with interrupts off ({by})"
        return msgspec.structs.replace(one, message=message, entry=entry, origin=origin)

    alone = page(samples.result(called_as("a_mask")))
    assert [e.attributes["class"] for e in alone.classed("rest")] == ["rest shown"]
    both = page(samples.result(called_as("a_mask"), called_as("b_mask")))
    assert len(both.classed("group")) == 1
    assert [e.attributes["class"] for e in both.classed("rest")] == ["rest", "rest"]


def test_date_and_command() -> None:
    result = samples.full()
    assert result.run is not None
    assert f"{result.run.date} {result.run.command}" in " ".join(page(result).text.split())
    assert not page(samples.result()).classed("run")
