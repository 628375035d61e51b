"use strict";
const all = [...document.querySelectorAll("details")];
const search = document.querySelector("#search");
const rule = document.querySelector("#rule");
const toggles = [...document.querySelectorAll("[data-severity]")].filter((e) => e.tagName === "BUTTON");
const opener = document.querySelector("#open");

function apply() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const off = new Set(toggles.filter((t) => t.getAttribute("aria-pressed") === "false").map((t) => t.dataset.severity));
  let shown = 0;
  for (const item of all) {
    const text = item.textContent.toLowerCase();
    item.hidden = off.has(item.dataset.severity) || (rule.value !== "" && item.dataset.rule !== rule.value)
      || !words.every((word) => text.includes(word));
    shown += item.hidden ? 0 : 1;
  }
  for (const section of document.querySelectorAll("section")) {
    const left = section.querySelectorAll("details:not([hidden])").length;
    section.hidden = left === 0;
    section.querySelector("h2 span").textContent = left;
  }
  document.querySelector("#shown").textContent = shown === all.length ? "" : `${shown} of ${all.length} shown`;
  document.querySelector("#none").hidden = shown > 0 || all.length === 0;
}

function label() {
  opener.textContent = all.some((item) => !item.open) ? "Open all" : "Close all";
}

search.addEventListener("input", apply);
rule.addEventListener("change", apply);
for (const toggle of toggles) {
  toggle.addEventListener("click", () => {
    toggle.setAttribute("aria-pressed", toggle.getAttribute("aria-pressed") === "false");
    apply();
  });
}
opener.addEventListener("click", () => {
  const open = all.some((item) => !item.open);
  for (const item of all) item.open = open;
  label();
});
for (const item of all) item.addEventListener("toggle", label);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  } else if (event.key === "Escape" && document.activeElement === search) {
    search.value = "";
    apply();
  }
});
const linked = document.getElementById(location.hash.slice(1));
if (linked instanceof HTMLDetailsElement) linked.open = true;
label();
apply(); // a browser that goes back restores what was typed
