// SPDX-License-Identifier: GPL-2.0-or-later
// Search, filters and grouping. The page is whole without this; text is only
// ever moved or set as text, never as markup.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const main = document.getElementById("findings");
  const tools = document.getElementById("tools");
  const cards = [...document.querySelectorAll(".card")];
  const details = (card) => card.querySelector("details");

  function reveal() {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id ? document.getElementById(id) : null;
    const card = target ? target.closest(".card") : null;
    if (!card) return;
    card.hidden = false;
    if (card.parentElement) card.parentElement.hidden = false;
    details(card).open = true;
    target.scrollIntoView();
  }

  async function copy(button) {
    const pre = button.parentElement.querySelector("pre");
    const said = "Copy as text";
    let done = false;
    try {
      await navigator.clipboard.writeText(pre.textContent);
      done = true;
    } catch {
      // No clipboard in this browser or for this kind of page: select it, and
      // try the old way.
      const range = document.createRange();
      range.selectNodeContents(pre);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      try { done = document.execCommand("copy"); } catch { done = false; }
    }
    button.textContent = done ? "Copied" : "Selected: copy it with the keyboard";
    setTimeout(() => { button.textContent = said; }, 2000);
  }
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", () => copy(button));
  }

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = cards.filter((card) => !details(card).open);
    for (const card of opened) details(card).open = true;
  });
  addEventListener("afterprint", () => {
    for (const card of opened) details(card).open = false;
  });
  addEventListener("hashchange", reveal);
  if (!tools) return;

  const search = document.getElementById("search");
  const grouping = document.getElementById("grouping");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const filters = [...tools.querySelectorAll("[data-filter]")];
  const words = new Map(cards.map((card) => [card, card.textContent.toLowerCase()]));
  const byOrigin = [...main.querySelectorAll(".group")];
  const home = new Map(cards.map((card) => [card, card.parentElement]));

  function fits(card) {
    for (const filter of filters) {
      const wanted = filter.value;
      if (!wanted) continue;
      if (filter.dataset.filter === "profile") {
        if (!card.dataset.profiles.split(" ").includes(wanted)) return false;
      } else if (card.dataset[filter.dataset.filter] !== wanted) {
        return false;
      }
    }
    const text = words.get(card);
    const id = card.dataset.fingerprint;
    return search.value.toLowerCase().split(/\s+/).every((w) => text.includes(w) || id.startsWith(w));
  }

  function update() {
    let count = 0;
    for (const card of cards) {
      card.hidden = !fits(card);
      if (!card.hidden) count += 1;
    }
    for (const group of main.querySelectorAll(".group")) {
      group.hidden = ![...group.querySelectorAll(".card")].some((card) => !card.hidden);
    }
    nothing.hidden = count > 0;
    shown.textContent = count === cards.length ? `${count} shown` : `${count} of ${cards.length} shown`;
  }

  function group() {
    if (grouping.value === "origin") {
      const sorted = [...cards].sort((a, b) => a.dataset.order - b.dataset.order);
      for (const card of sorted) home.get(card).append(card);
      for (const old of main.querySelectorAll(".group.by-file")) old.remove();
      for (const section of byOrigin) main.insertBefore(section, nothing);
    } else {
      const sections = new Map();
      for (const card of [...cards].sort((a, b) => a.dataset.order - b.dataset.order)) {
        const file = card.dataset.file;
        if (!sections.has(file)) {
          const section = document.createElement("section");
          section.className = "group by-file";
          const title = document.createElement("h2");
          const code = document.createElement("code");
          code.textContent = file;
          title.append(code);
          section.append(title);
          sections.set(file, section);
        }
        sections.get(file).append(card);
      }
      for (const section of byOrigin) section.remove();
      for (const file of [...sections.keys()].sort()) main.insertBefore(sections.get(file), nothing);
    }
    update();
  }

  function setAll(open) {
    for (const card of cards) if (!card.hidden) details(card).open = open;
  }

  tools.addEventListener("submit", (event) => event.preventDefault());
  tools.addEventListener("input", (event) => (event.target === grouping ? group() : update()));
  tools.addEventListener("reset", () => setTimeout(group));
  document.getElementById("open-all").addEventListener("click", () => setAll(true));
  document.getElementById("close-all").addEventListener("click", () => setAll(false));
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
  });
  document.getElementById("filters").open = matchMedia("(min-width: 40rem)").matches;
  // A browser may restore what was chosen before the page was left.
  group();
  reveal();
})();
