// Autosave with a live preview, and buttons that insert fields. Every page also works without this script.
"use strict";

const PAUSE = 600; // milliseconds without a key before a row is saved
const RETRY = 3000;

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = button.dataset.copied;
  });
}
for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());

const form = document.getElementById("rows");
if (form) for (const row of form.querySelectorAll("[data-row]")) if (!row.querySelector("textarea").readOnly) follow(row);

function follow(row) {
  const text = row.querySelector("textarea");
  const base = row.querySelector("input[type=hidden]");
  const whole = row.querySelector("input[type=checkbox]");
  const answer = row.querySelector("select");
  const said = row.querySelector(".said");
  const key = `phraseproof:${form.dataset.person}:${row.dataset.save}`;
  let timer = 0, sending = false, dirty = false;

  const insert = row.querySelector(".insert");
  // Shown once and kept: what moves while a pointer is pressed makes it miss.
  text.addEventListener("focus", () => { insert.hidden = false; });
  for (const button of row.querySelectorAll("[data-insert]")) {
    button.addEventListener("click", () => {
      text.setRangeText(button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
      text.focus();
      changed();
    });
  }
  row.querySelector("[data-show]").hidden = true; // previews come by themselves
  text.addEventListener("input", changed);
  whole.addEventListener("change", changed);
  if (answer) answer.addEventListener("change", changed);
  addEventListener("pagehide", () => { if (dirty) send(true).catch(() => {}); });
  addEventListener("beforeunload", (event) => { if (dirty && said.classList.contains("failed")) event.preventDefault(); });
  form.addEventListener("submit", () => { clearTimeout(timer); dirty = false; });
  restore();

  function changed() {
    dirty = true;
    keep();
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE);
  }

  // What the server does not have yet outlives this page and this browser.
  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify({ text: text.value, whole: whole.checked, answer: answer ? answer.value : "", base: base.value }));
    } catch { /* a browser without storage: autosave alone */ }
  }

  function restore() {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(key)); } catch { return; }
    if (!kept) return;
    if (kept.text === text.value) { forget(); return; }
    text.value = kept.text;
    whole.checked = kept.whole;
    if (answer) answer.value = kept.answer;
    changed();
    say(form.dataset.restored);
  }

  function forget() {
    try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
  }

  function say(message, failed = false) {
    said.textContent = message;
    said.classList.toggle("failed", failed);
  }

  function send(closing = false) {
    const fields = new URLSearchParams({ csrf: form.elements.csrf.value, "row.text": text.value, "row.base": base.value });
    if (whole.checked) fields.set("row.whole", "yes");
    if (answer) fields.set("row.answer", answer.value);
    return fetch(row.dataset.save, { method: "POST", body: fields, keepalive: closing, credentials: "same-origin" });
  }

  async function save() {
    clearTimeout(timer);
    timer = 0;
    if (sending || !dirty) return;
    sending = true;
    dirty = false;
    say(form.dataset.saving);
    try {
      const answered = await send();
      const page = new DOMParser().parseFromString(await answered.text(), "text/html");
      if (answered.ok) show(page);
      else if (answered.status === 403) say(form.dataset.ended, true);
      else if (answered.status === 429 || answered.status >= 500) again(form.dataset.limited);
      else say(page.querySelector("main section")?.textContent.trim() ?? answered.statusText, true);
    } catch {
      again(form.dataset.failed);
    } finally {
      sending = false;
    }
    if (dirty && !timer) timer = setTimeout(save, PAUSE);
  }

  function again(message) {
    dirty = true;
    say(message, true);
    timer = setTimeout(save, RETRY);
  }

  function show(page) {
    const fresh = page.querySelector("[data-state]");
    const shown = row.querySelector("[data-state]");
    const before = shown.querySelector("details.preview");
    const preview = fresh.querySelector("details.preview");
    if (before && preview && before.open) preview.open = true;
    base.value = fresh.dataset.base;
    if (!dirty) forget();
    // Screen readers read this line aloud, not the whole preview.
    say(fresh.querySelector("[data-said]").textContent.trim().replace(/\s+/g, " "));
    shown.replaceWith(fresh);
  }
}
