# SPDX-License-Identifier: GPL-2.0-or-later
"""The page in a real Chromium: it works, it is quiet, and it fetches nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import report_samples as samples

from ctxlint.findings.model import Result
from ctxlint.report import html

selenium = pytest.importorskip(
    "selenium", reason="selenium is not installed: pip install .[browser]"
)
from selenium import webdriver  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.browser]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip

Show = Callable[..., Any]


def _program(variable: str, *names: str) -> str:
    found = os.environ.get(variable) or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no {names[0]}: install it, or name it in {variable}")
    return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = _program("CTXLINT_CHROMIUM", "chromium", "chromium-browser")
    service = Service(_program("CTXLINT_CHROMEDRIVER", "chromedriver"))
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()


@pytest.fixture
def show(driver: Any, tmp_path: Path) -> Iterator[Show]:
    """Opens a result as a page; afterwards nothing may have been complained
    about and nothing but the file may have been asked for."""
    file = tmp_path / "report.html"

    def opened(result: Result, *, width: int = 1200, scheme: str = "light",
               script: bool = True, touch: bool = False) -> Any:  # fmt: skip
        options = html.Options(source_url="https://example.org/{file}#n{line}")
        file.write_text(html.render(result, samples.DOCS, options), encoding="utf-8")
        driver.get_log("performance"), driver.get_log("browser")
        cdp = driver.execute_cdp_cmd
        cdp("Emulation.setScriptExecutionDisabled", {"value": not script})
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": touch}
        cdp("Emulation.setDeviceMetricsOverride", metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        cdp("Emulation.setEmulatedMedia", {"features": [feature]})
        driver.get(file.as_uri())
        return driver

    yield opened
    events = [
        json.loads(entry["message"])["message"] for entry in driver.get_log("performance")
    ]
    requests = [e["params"] for e in events if e["method"] == "Network.requestWillBeSent"]
    # The browser's own first page may still load its parts from within the browser.
    asked = {
        r["request"]["url"].partition("#")[0]
        for r in requests
        if r["documentURL"].partition("#")[0] == file.as_uri()
        or not r["request"]["url"].startswith(("chrome", "data:"))
    }
    assert asked == {file.as_uri()}
    assert driver.get_log("browser") == []


def run(driver: Any, script: str) -> Any:
    return driver.execute_script(script)


def visible(driver: Any) -> list[str]:
    return sorted(
        run(
            driver,
            "return [...document.querySelectorAll('.card')].filter(c => c.checkVisibility())"
            ".map(c => c.dataset.file)",
        )
    )


def choose(driver: Any, name: str, value: str) -> None:
    selector = "#grouping" if name == "grouping" else f"[data-filter={name}]"
    run(
        driver,
        f"const s = document.querySelector('{selector}'); s.value = {json.dumps(value)};"
        "if (s.selectedIndex < 0) throw new Error('no such choice');"
        "s.dispatchEvent(new Event('input', {bubbles: true}));",
    )


ALL = sorted([samples.ITS, samples.SDEI, samples.EXPANDER])


def verdicts() -> Result:
    result = samples.full()
    first, *rest = result.findings
    first = msgspec.structs.replace(first, verdict="confirmed")
    return msgspec.structs.replace(result, findings=(first, *rest))


def test_opens(show: Show) -> None:
    driver = show(samples.full())
    assert driver.title == "ctxlint: 3 findings in Linux 6.12.117"
    assert visible(driver) == ALL
    assert run(driver, "return document.documentElement.classList.contains('js')")
    # Style was accepted by the policy, pictures have a size.
    assert (
        run(driver, "return getComputedStyle(document.querySelector('.card')).display")
        == "block"
    )
    sizes = run(
        driver,
        "const tall = e => e.getBoundingClientRect().height;"
        "return [...document.querySelectorAll('.step')]"
        ".map(s => [tall(s), tall(s.querySelector('.picture'))])",
    )
    assert len(sizes) == sum(len(f.path) for f in samples.full().findings)
    assert all(abs(step - picture) <= 2 and step > 20 for step, picture in sizes)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("severity", "warning", [samples.ITS]),
        ("severity", "error", sorted([samples.SDEI, samples.EXPANDER])),
        ("check", "sleep-in-atomic", [samples.EXPANDER]),
        ("profile", samples.NORT.name, [samples.EXPANDER]),
        ("profile", samples.RT.name, ALL),
        ("kernels", "rt", sorted([samples.ITS, samples.SDEI])),
        ("kernels", "every", [samples.EXPANDER]),
        ("verdict", "confirmed", [samples.SDEI]),
        ("verdict", "not run", sorted([samples.ITS, samples.EXPANDER])),
    ],
)
def test_filters(show: Show, name: str, value: str, expected: list[str]) -> None:
    driver = show(verdicts())
    choose(driver, name, value)
    assert visible(driver) == expected
    shown = driver.find_element("id", "shown").text
    assert shown == ("3 shown" if expected == ALL else f"{len(expected)} of 3 shown")
    # No heading without a finding below it.
    assert run(
        driver,
        "return [...document.querySelectorAll('.group')].every(g =>"
        " g.hidden === ![...g.querySelectorAll('.card')].some(c => !c.hidden))",
    )
    driver.find_element("id", "reset").click()
    driver.implicitly_wait(0)
    run(driver, "return new Promise(done => setTimeout(done, 20))")
    assert visible(driver) == ALL


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("CPUHP_AP_ARM_SDEI", [samples.SDEI]),
        ("chip->BANK_lock", [samples.EXPANDER]),
        ("gic_starting_cpu free_pages", [samples.ITS]),
        ("gic_starting_cpu mutex_lock", []),
        ("   ", ALL),
    ],
)
def test_search(show: Show, words: str, expected: list[str]) -> None:
    driver = show(samples.full())
    driver.find_element("id", "search").send_keys(words)
    assert visible(driver) == expected
    assert driver.find_element("id", "nothing").is_displayed() is (expected == [])


def test_grouping_by_file_and_back(show: Show) -> None:
    driver = show(samples.full())
    titles = "return [...document.querySelectorAll('.group h2 code')].map(c => c.textContent)"
    before = run(driver, titles)
    choose(driver, "grouping", "file")
    assert run(driver, titles) == ALL
    assert visible(driver) == ALL
    choose(driver, "severity", "warning")
    assert visible(driver) == [samples.ITS]
    choose(driver, "severity", "")
    choose(driver, "grouping", "origin")
    assert run(driver, titles) == before
    assert visible(driver) == ALL


def test_links_lead_to_an_open_finding(show: Show) -> None:
    driver = show(samples.full())
    driver.find_element("id", "close-all").click()
    driver.find_element("css selector", ".index summary").click()
    driver.find_element("css selector", ".index a").click()
    run(driver, "return new Promise(done => setTimeout(done, 50))")
    opened = run(
        driver,
        "return [...document.querySelectorAll('.card')]"
        ".filter(c => c.querySelector('details').open).map(c => c.dataset.file)",
    )
    assert opened == [samples.SDEI]


def test_copy_as_text(show: Show) -> None:
    driver = show(samples.full())
    for kind in ("clipboard-read", "clipboard-write"):
        permission = {"permission": {"name": kind}, "setting": "granted"}
        driver.execute_cdp_cmd("Browser.setPermission", permission)
    driver.find_element("css selector", ".copy").click()
    copied = driver.execute_async_script(
        "const done = arguments[0];"
        "setTimeout(() => navigator.clipboard.readText().then(done, e => done('' + e)), 50)"
    )
    first = run(driver, "return document.querySelector('.card .astext pre').textContent")
    assert copied.strip() == first.strip()
    assert "How the kernel gets here:" in copied


def test_readable_without_javascript(show: Show) -> None:
    driver = show(samples.full(), script=False)
    assert not run(driver, "return document.documentElement.classList.contains('js')")
    assert not driver.find_element("id", "tools").is_displayed()
    assert not any(b.is_displayed() for b in driver.find_elements("css selector", ".copy"))
    assert visible(driver) == ALL
    card = driver.find_element("css selector", ".card")
    body = card.find_element("css selector", ".body")
    assert body.is_displayed()  # few findings: opened
    card.find_element("css selector", "summary").click()
    assert not body.is_displayed()
    card.find_element("css selector", "summary").click()
    assert body.is_displayed()


def test_index_opens_a_finding_without_javascript(show: Show) -> None:
    many = [msgspec.structs.replace(samples.sdei_lock(), line=line) for line in range(700, 710)]
    driver = show(samples.result(*many), script=False)
    assert not driver.find_element("css selector", ".card .body").is_displayed()
    driver.find_element("css selector", ".index summary").click()
    driver.find_element("css selector", ".index a").click()
    assert driver.find_element("css selector", ".card .body").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_fits_a_phone(show: Show, width: int, scheme: str) -> None:
    long = msgspec.structs.replace(
        samples.its_free(), message="m" * 300, text="\t" + "t" * 300, file="f" * 200 + ".c",
        function="g" * 200,
    )  # fmt: skip
    full = samples.full()
    result = msgspec.structs.replace(full, findings=(long, *full.findings))
    driver = show(result, width=width, scheme=scheme, touch=width < 1000)
    run(driver, "for (const d of document.querySelectorAll('details')) d.open = true")
    inner, wide = run(driver, "return [innerWidth, document.documentElement.scrollWidth]")
    assert wide <= inner == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(show: Show, scheme: str) -> None:
    driver = show(verdicts(), scheme=scheme)
    weak = run(driver, CONTRAST)
    assert weak == []


CONTRAST = """
const rgb = c => c.match(/[\\d.]+/g).map(Number);
const lum = c => { const [r, g, b] = rgb(c).map(v => v / 255)
  .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const behind = e => { for (; e; e = e.parentElement) {
  const c = getComputedStyle(e).backgroundColor;
  if (rgb(c).length < 4 || rgb(c)[3] === 1) return c; } return 'rgb(255,255,255)'; };
const weak = new Set();
for (const e of document.querySelectorAll('body *')) {
  if (!e.checkVisibility() || e.closest('svg')) continue;
  if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
  const a = lum(getComputedStyle(e).color), b = lum(behind(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) weak.add(`${e.tagName} ${e.className} ${ratio.toFixed(2)}`);
}
return [...weak].sort();
"""


HOSTILE = (
    "<script>document.title = 'owned'</script>",
    "</script><script>document.title = 'owned'</script>",
    "</title></style><style>*{display:none}</style>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "' autofocus onfocus='document.title=1' x='",
    "--><svg onload=\"document.title='owned'\">",
    "\u202e\x1b[31m\x00",
)


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_strings_stay_text(show: Show, bad: str) -> None:
    driver = show(samples.poisoned(bad))
    for button in ("open-all", "close-all", "open-all"):
        driver.find_element("id", button).click()
    choose(driver, "grouping", "file")
    choose(driver, "grouping", "origin")
    assert "owned" not in driver.title.replace(bad, "")
    assert len(visible(driver)) == 3
    assert run(driver, "return document.querySelectorAll('script').length") == 1
    active = "return document.querySelectorAll('img, iframe, object, link, base').length"
    assert run(driver, active) == 0
    names = run(
        driver,
        "return [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())",
    )
    assert not [name for name in names if name.startswith("on") or name == "style"]
