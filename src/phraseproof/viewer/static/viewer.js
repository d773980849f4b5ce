// Keys, colours and forms of the viewer. Every page works without it: all state is in the address.

const root = document.documentElement;
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

// ------------------------------------------------------------------------------------------------------------ colours

const button = document.getElementById("theme");
const theme = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");
const other = () => (theme() === "dark" ? "light" : "dark");

function nameButton() {
  button.textContent = other() === "dark" ? "Dark colours" : "Light colours";
}

button.hidden = false;
button.addEventListener("click", () => {
  root.dataset.theme = other();
  window.localStorage.setItem("phraseproof-theme", root.dataset.theme);
  nameButton();
});
prefersDark.addEventListener("change", nameButton);
nameButton();

// -------------------------------------------------------------------------------------------------------------- forms

for (const form of document.querySelectorAll("form.filters")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  // Fields at their defaults do not appear in the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData.entries()]) if (value === "") event.formData.delete(name);
  });
}

// ---------------------------------------------------------------------------------------------------------- scrolling

// What scrolls is reached by keyboard, and what is wider than the screen says so.
function markOverflow() {
  for (const box of document.querySelectorAll(".wide, pre.text")) {
    const isWide = box.scrollWidth > box.clientWidth + 1;
    if (box.matches(".wide")) box.classList.toggle("overflows", isWide);
    if (isWide || box.scrollHeight > box.clientHeight + 1) {
      box.tabIndex = 0;
      if (box.matches(".wide")) {
        box.setAttribute("role", "region");
        box.setAttribute("aria-label", "Table");
      }
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
}

window.addEventListener("resize", markOverflow);
document.addEventListener("toggle", markOverflow, true);
markOverflow();

// --------------------------------------------------------------------------------------------------------------- keys

// In a table, one link is reached by Tab, and arrows move to its neighbours.
const tables = [...document.querySelectorAll("table[data-keys]")].map((table) =>
  [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll("a[data-cell]")]).filter((links) => links.length),
);
for (const rows of tables) {
  for (const link of rows.flat()) link.tabIndex = -1;
  if (rows.length) rows[0][0].tabIndex = 0;
}

function moveTo(rows, link) {
  for (const each of rows.flat()) each.tabIndex = each === link ? 0 : -1;
  link.focus();
  link.scrollIntoView({ block: "nearest", inline: "nearest" });
}

const STEPS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };

function moveInTable(key, link) {
  const rows = tables.find((each) => each.some((links) => links.includes(link)));
  if (!rows) return false;
  const down = rows.findIndex((links) => links.includes(link));
  const [dy, dx] = STEPS[key];
  const row = rows[Math.min(Math.max(down + dy, 0), rows.length - 1)];
  const across = rows[down].indexOf(link) + dx;
  moveTo(rows, row[Math.min(Math.max(across, 0), row.length - 1)]);
  return true;
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
  return Boolean(link);
}

function handled(event) {
  const target = event.target;
  if (target.matches("input, select, textarea")) {
    if (event.key === "Escape" && !target.matches("select")) {
      target.blur();
      return true;
    }
    return false;
  }
  if (event.key === "/") {
    const box = document.querySelector("[data-search]");
    if (box) box.select();
    if (box) box.focus();
    return Boolean(box);
  }
  if (event.key === "Escape") return follow("[data-up]");
  if (!(event.key in STEPS)) return false;
  if (target.matches("a[data-cell]")) return moveInTable(event.key, target);
  if (target.matches("pre, .wide")) return false; // these scroll
  if (event.key === "ArrowLeft") return follow("[data-earlier]");
  if (event.key === "ArrowRight") return follow("[data-later]");
  const first = tables.find((rows) => rows.length);
  if (first && event.key === "ArrowDown" && target === document.body && window.scrollY === 0) {
    moveTo(first, first[0][0]);
    return true;
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (handled(event)) event.preventDefault();
});

// ---------------------------------------------------------------------------------------------------- a long search

const rest = document.querySelector("[data-continue]");
if (rest) window.setTimeout(() => window.location.replace(rest.href), 300);

root.dataset.ready = "";
