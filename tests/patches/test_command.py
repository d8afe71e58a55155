# SPDX-License-Identifier: GPL-2.0-or-later
"""``ctxlint patch`` on the miniature tree under git."""

from __future__ import annotations

import email
import json
import os
import signal
import subprocess
import sys
import time
from email import policy
from pathlib import Path

import pytest
from sarif_validator import complaints, installed

from ctxlint.cli.main import main
from ctxlint.cli.patch import FORMATS
from ctxlint.report import series_json

from .repository import READL, ROSE, Repo

SLEEPS = ("rose_starting_cpu", "kzalloc")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.make(tmp_path / "tree")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run(
    cache: Path, repo: Repo, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):  # type: ignore[no-untyped-def]
    """Runs the command in the repository: exit code, standard output, errors."""
    monkeypatch.chdir(repo.path)

    def go(*words: str, code: int | None = None) -> tuple[str, str]:
        found = main(["patch", *words, "-q", "-j", "1", "--cache", str(cache)])
        out, err = capfd.readouterr()
        assert code is None or found == code, out + err
        return out, err

    return go


def test_series_by_mail(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    repo.mails(tmp_path / "mails", "--base=HEAD~3")
    before = repo.state()
    out, _ = run(str(tmp_path / "mails"), "--format", "json", code=1)
    assert repo.state() == before
    result = series_json.load(out)
    first, second, third = result.patches
    assert not (first.introduced or first.fixed or first.partly_fixed or first.moved)
    assert [(f.function, f.callee, f.rt_only) for f in second.introduced] == [(*SLEEPS, False)]
    assert second.partly_fixed_later == {second.introduced[0].fingerprint: 3}
    assert [
        (p.after.function, p.after.callee, p.after.rt_only) for p in third.partly_fixed
    ] == [(*SLEEPS, True)]
    assert not third.introduced and not third.fixed
    assert [f.rt_only for f in result.introduced] == [True]
    out, _ = run(str(tmp_path / "mails"), code=1)
    assert "patch 1/3: irqchip/rose: Reword a comment\n  no change; 4 still there" in out
    assert "patch 2/3: irqchip/rose: Allocate the table late\n  1 introduced" in out
    assert "partly fixed" in out
    wide = (": error: ", " | ")  # what is grepped for, and lines of the source
    assert all(len(line) <= 80 or any(w in line for w in wide) for line in out.splitlines())


def test_range_that_is_checked_out(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    before = repo.state()
    out, _ = run("HEAD~3..", "--format", "json", code=1)
    assert repo.state() == before
    patches = series_json.load(out).patches
    assert [len(p.introduced) for p in patches] == [0, 1, 0]
    assert run("HEAD~3..HEAD~2", code=0)
    assert run("HEAD~1..", code=0)  # half a fix introduces nothing


def test_introduced_and_fixed_within_the_series(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    repo.edit(ROSE, ("kzalloc(64, GFP_ATOMIC)", "1"))
    repo.commit("irqchip/rose: Do without")
    out, _ = run("HEAD~4..", code=1)
    assert "introduced by 2/4, fixed by 4/4" in out
    assert "git bisect" in " ".join(out.split())
    out, _ = run("HEAD~4..", "--format", "json")
    result = series_json.load(out)
    assert not result.introduced and list(result.patches[1].fixed_later.values()) == [4]


def test_a_new_caller_makes_an_old_function_atomic(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.edit(ROSE, ("static int rose_online_cpu", "int rose_online_cpu"))
    repo.commit("make it global")
    repo.edit(
        "drivers/irqchip/irq-lily.c",
        ("static void lily_cpu_init(void)\n{", "int rose_online_cpu(unsigned int cpu);\n"
         "static void lily_cpu_init(void)\n{\n\trose_online_cpu(0);"),
    )  # fmt: skip
    repo.commit("call it")
    out, _ = run("HEAD~1..", "--format", "json", code=1)
    (patch,) = series_json.load(out).patches
    assert patch.files == ("drivers/irqchip/irq-lily.c",)
    assert {f.file for f in patch.introduced} == {ROSE}
    quote = patch.quotes[patch.introduced[0].fingerprint]
    assert quote.lines[quote.line] == "+	rose_online_cpu(0);"


def test_a_new_driver(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    source = (repo.path / ROSE).read_text().replace(READL, "\tmsleep(1);\n" + READL)
    source = source.replace(
        "#include <linux/io.h>", "#include <linux/io.h>\n#include <linux/delay.h>"
    )
    (repo.path / "drivers/irqchip/irq-tulip.c").write_text(source.replace("rose", "tulip"))
    (repo.path / "drivers/irqchip/Makefile").write_text("obj-y += irq-tulip.o\n")
    (repo.path / "drivers/net").mkdir()
    (repo.path / "drivers/net/lone.c").write_text("int x;\n")
    repo.commit("irqchip: Add tulip")
    repo.git("checkout", "-q", "-b", "topic")
    repo.git("checkout", "-q", "main")
    repo.git("reset", "-q", "--hard", "HEAD~1")
    for spec in ("topic", "main..topic"):
        out, _ = run(spec, code=3)
        assert "msleep() sleeps" in out
        assert "read with the compile flags of\n        drivers/irqchip/irq-" in out
        assert "changes drivers/irqchip/Makefile: flags and configuration stay" in out
        assert "1 path was not analysed:\n  drivers/net/lone.c: " in out
    repo.git("checkout", "-q", "topic")
    again, _ = run("HEAD~1..", code=3)
    assert again.partition("was not analysed")[0] == out.partition("was not analysed")[0]


def test_hiding_is_not_fixing(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    """A comment that suppresses hides a finding in the open, with its reason."""
    repo.series()
    call = "rdist->pending = (unsigned long)kzalloc(64, GFP_ATOMIC);"
    comment = "/* ctxlint: allow(rt-sleep-in-atomic) trust me */"
    repo.edit(ROSE, (call, f"{call} {comment}"))
    repo.commit("irqchip/rose: Calm down")
    out, _ = run("HEAD~1..", code=0)
    words = " ".join(out.split())
    assert "fixed" not in words.replace("introduced or fixed", "")
    assert "hidden from here on: drivers/irqchip/irq-rose.c:32: kzalloc()" in words
    assert "by a comment (trust me)" in words
    hidden = "hidden from here on: drivers/irqchip/irq-rose.c:32: kzalloc()"
    for style in FORMATS:
        assert hidden in " ".join("".join(run("HEAD~1..", "--format", style, code=0)).split())
    out, _ = run("HEAD~4..", "--format", "json", code=1)
    result = series_json.load(out)
    assert not result.introduced and not result.fixed
    assert result.patches[1].introduced


def test_selection(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    assert run("HEAD~3..", "--ignore", "sleep-in-atomic,rt-sleep-in-atomic", code=0)
    assert run("HEAD~3..", "--fail-on", "never", code=0)
    out, _ = run("HEAD~3..", "--rt-only", "--format", "json", code=1)
    assert [len(p.introduced) for p in series_json.load(out).patches] == [0, 0, 1]
    (repo.path / ".ctxlint-baseline").write_text("")
    repo.commit("a baseline that came with the series")
    assert "not trusted" in run("HEAD~1..", code=2)[1]


def test_html_shows_the_patched_source(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    repo.mails(tmp_path / "mails")
    out, _ = run(str(tmp_path / "mails"), "--format", "html", code=1)
    assert out.lower().startswith("<!doctype html>")
    assert "kzalloc(64, GFP_ATOMIC)" in out and "GFP_KERNEL)" not in out
    assert "static int rose_starting_cpu(unsigned int cpu)" in out


def test_annotations(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    out, _ = run("HEAD~3..", "--format", "github", code=1)
    assert out.startswith("::error file=drivers/irqchip/irq-rose.c,line=32")
    out, _ = run("HEAD~3..", "--format", "gitlab", code=1)
    assert len(json.loads(out)) == 1


def test_sarif(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    out, _ = run("HEAD~3..", "--format", "sarif", code=1)
    (result,) = json.loads(out)["runs"][0]["results"]
    assert result["ruleId"] == "rt-sleep-in-atomic"


def test_sarif_of_hostile_words_is_valid(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    installed("Sarif.Multitool")
    repo.series()
    repo.edit(ROSE, ("GFP_ATOMIC);", 'GFP_ATOMIC); // "}],<script>\x1b[31m\u202e'))
    repo.commit("\x1b[2J \u202e evil")
    log = tmp_path / "log.sarif"
    for spec in ("HEAD~4..", "HEAD~4..HEAD~3"):
        run(spec, "--format", "sarif", "--output", str(log))
        assert complaints(log) == []


def test_b4(run, repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    mails = repo.mails(tmp_path / "mails")
    everything = tmp_path / "all.mbox"
    everything.write_bytes(b"".join(m.read_bytes() for m in mails))
    out, _ = run(str(everything), "--format", "b4", code=1)
    entries = json.loads(out)
    assert [set(e) for e in entries] == [{"tool", "status", "summary", "url", "details"}] * 2
    assert [(e["tool"], e["status"]) for e in entries] == [
        ("ctxlint", "fail"),
        ("ctxlint", "warn"),
    ]
    assert "irq-rose.c:63: in rose_of_init()" in entries[0]["details"]
    out, _ = run(str(mails[0]), "--format", "b4", code=0)
    assert [e["status"] for e in json.loads(out)] == ["pass"]
    out, _ = run(str(mails[2]), "--format", "b4", code=2)
    assert [e["status"] for e in json.loads(out)] == ["warn"]
    out, _ = run(str(everything), "--format", "b4-lines", code=1)
    assert [line.partition(":")[0] for line in out.splitlines()] == ["ERROR", "WARNING"]
    assert run(str(mails[0]), "--format", "b4-lines", code=0) == ("", "")


def test_b4_hands_over_by_standard_input(repo: Repo, cache: Path, tmp_path: Path) -> None:
    """As b4 calls it: the message on standard input, in the top directory."""
    repo.series()
    third = repo.git("format-patch", "-q", "--stdout", "HEAD~1")
    done = subprocess.run(
        [sys.executable, "-m", "ctxlint", "patch", "-", "--format", "b4", "-q",
         "--cache", str(cache)],
        input=third.encode(), cwd=repo.path, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == b""
    (entry,) = json.loads(done.stdout)
    assert entry["status"] == "warn" and "partly fixed" in entry["summary"]


def test_mail(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    mails = repo.mails(
        tmp_path / "mails", "--base=HEAD~3", "--thread", "--to=list@example.org",
        "--cc=J\u00f6rg <joerg@example.org>",
    )  # fmt: skip
    out, _ = run(str(tmp_path / "mails"), "--format", "mail", code=1)
    parts = out.split("From ctxlint Mon Sep 17 00:00:00 2001\n")[1:]
    assert len(parts) == 2
    message = email.message_from_string(parts[0], policy=policy.default)
    original = email.message_from_bytes(mails[1].read_bytes(), policy=policy.default)
    assert message["Subject"] == "Re: [PATCH 2/3] irqchip/rose: Allocate the table late"
    assert message["In-Reply-To"] == original["Message-ID"]
    assert message["References"].split()[-1] == original["Message-ID"]
    assert message["To"] == "A. Author <author@example.org>".replace("A. Author", '"A. Author"')
    assert "list@example.org" in message["Cc"] and "Jörg <joerg@example.org>" in message["Cc"]
    body = message.get_content()
    long = [x for x in body.splitlines() if len(x) > 78 and not x.startswith(">")]
    # The message's own name, which a command needs whole.
    assert [x.split() for x in long] == [[original["Message-ID"].strip("<>"), "\\"]]
    assert "> +	rdist->pending = (unsigned long)kzalloc(64, GFP_KERNEL);\n\nCan this" in body
    for fact in (
        "drivers/irqchip/irq-rose.c:63 in rose_of_init()",
        "every kernel",
        "(the series' base-commit)",
        repo.git("rev-parse", "HEAD").strip()[:12],
        "arm64 as built in rt, PREEMPT_RT",
        "arm64 as built in nort, not PREEMPT_RT",
        "ctxlint patch",
        "static analysis",
        "patch 3/3 only helps kernels without PREEMPT_RT",
    ):
        assert fact in " ".join(body.split()), fact
    assert "whole fix?" in parts[1]
    text = mails[0].read_text().replace("[PATCH 1/3]", "[PATCH]")
    mails[0].write_text(text)
    assert run(str(mails[0]), "--format", "mail", code=0) == ("", "")


def test_usage_errors(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert "neither a file" in run("no-such-branch", code=2)[1]
    bad = tmp_path / "bad.patch"
    bad.write_text("--- a/../../x\n+++ b/../../x\n@@ -1 +1 @@\n-a\n+b\n")
    before = repo.state()
    out, err = run(str(bad), code=2)
    assert out == "" and "not a name below the tree" in err
    bad.write_text(f"--- a/{ROSE}\n+++ b/{ROSE}\n@@ -7 +7 @@ int f()\n-a\n+b\n")
    _, err = run(str(bad), code=2)
    assert f"patch 1/1: {ROSE}, hunk 1 (@@ -7 +7 @@ int f()) does not fit" in err
    assert repo.state() == before


def test_a_repository_without_a_commit(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """--base could name none either."""
    repo.series()
    mails = repo.mails(tmp_path / "mails")
    repo.git("update-ref", "-d", "HEAD")
    _, err = run(str(mails[0]), code=2)
    assert "no commit that patches could apply to" in err and "git commit" in err


def test_incomplete(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    repo.edit(ROSE, ("#include <linux/io.h>", '#include "/etc/passwd"'))
    repo.commit("reads a file of the machine")
    out, _ = run("HEAD~1..", code=3)
    assert "Incomplete" in out and "root:" not in out


def test_settings_of_the_patched_checkout_are_not_obeyed(run, repo: Repo) -> None:  # type: ignore[no-untyped-def]
    with (repo.path / ".ctxlint.toml").open("a") as file:
        file.write('ignore = ["sleep-in-atomic"]\n')
    repo.commit("hide what it brings")
    _, err = run("HEAD~1..", code=2)
    assert "not trusted" in err


@pytest.mark.parametrize("name", ["known", "builds/rt/compile_commands.json"])
def test_what_settings_name_is_that_of_the_base(run, repo: Repo, name: str) -> None:  # type: ignore[no-untyped-def]
    """A baseline or a build directory in the tree, changed by a series that is checked out."""
    with (repo.path / ".ctxlint.toml").open("a") as file:
        file.write('baseline = "known"\n')
    (repo.path / "known").write_text("")
    repo.commit("settings")
    with (repo.path / name).open("a") as file:
        file.write("\n")
    repo.commit("hide what it brings")
    assert f"{name} in the tree is not the one of the base" in run("HEAD~1..", code=2)[1]
    own = ["--baseline", "known", "--build", "builds/rt", "--build", "builds/nort"]
    assert run("HEAD~1..", *own, code=0)


def test_the_makefiles_of_a_base_that_a_mail_names(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A repository can hold commits of strangers (pull requests), and a mail name one."""
    repo.git("checkout", "-q", "-b", "strange")
    with (repo.path / "Makefile").open("a") as file:
        file.write(f"$(shell touch {tmp_path}/MARKER)\n")
    repo.commit("a makefile")
    repo.series()
    mails = repo.mails(tmp_path / "mails", "--base=HEAD~3")
    repo.git("checkout", "-q", "main")
    out, err = run(str(mails[0]), code=2)
    assert out == "" and "HEAD does not come from" in err
    assert not (tmp_path / "MARKER").exists()
    assert run(str(mails[0]), "--base", "HEAD", "--format", "b4", code=0)


def test_a_strangers_words_stay_text(run, repo: Repo, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Subject, author and source with escapes, in every format."""
    repo.series()
    mails = repo.mails(tmp_path / "mails")
    evil = '\x1b]0;x\x07\x1b[2J\u202e"}],<script>`$(id)'
    coded = email.header.Header(evil, "utf-8").encode()
    text = mails[1].read_text()
    text = text.replace("Subject: [PATCH 2/3]", f"Subject: [PATCH 2/3] {coded}")
    text = text.replace("From: A. Author <author@example.org>", f"From: {coded} <a@b>")
    text = text.replace("kzalloc(64, GFP_KERNEL);", "kzalloc(64, GFP_KERNEL); // \x1b[31m")
    mails[1].write_text(text)
    one_lacks = b"".join(path.read_bytes() for path in mails[:2])
    answer = mails[1].read_bytes().replace(b"Subject: ", b"Subject: Re: ")
    answer = answer.replace(b"GFP_KERNEL", b"GFP_NOFS")
    (tmp_path / "two.mbox").write_bytes(one_lacks + answer)
    for style in FORMATS:
        out, _ = run(str(tmp_path / "two.mbox"), "--format", style, code=3)
        assert not set(out) & {"\x1b", "\x07", "\u202e"}, style
        for words in ("not in the input: patch 3/3", "left out: a diff in an answer"):
            assert words in " ".join(out.split()), style
        if style in ("json", "sarif", "b4"):
            json.loads(out)
        if style == "mail":
            message = email.message_from_string(out)
            assert set(message.keys()) == {
                "To", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
            }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.3, 0.8, 1.5])
def test_nothing_is_left_after_kill_9(repo: Repo, tmp_path: Path, after: float) -> None:
    repo.series()
    before = repo.state()
    cache = tmp_path / "cache"
    process = subprocess.Popen(
        [sys.executable, "-m", "ctxlint", "patch", "HEAD~3..", "--cache", str(cache)],
        cwd=repo.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert repo.state() == before


def test_what_a_killed_run_left_in_the_cache_goes(run, repo: Repo, cache: Path) -> None:  # type: ignore[no-untyped-def]
    repo.series()
    old = cache / "changed-old"
    old.mkdir()
    (old / "0").write_text("int x;")
    os.utime(old, (1, 1))
    run("HEAD~3..", code=1)
    assert not [p for p in cache.iterdir() if p.name.startswith("changed-")]
