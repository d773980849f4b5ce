"use strict";
(() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  for (const chart of Object.values(page.charts)) {
    for (const [name, packed] of Object.entries(chart.data)) {
      chart.data[name] = packed.rows.map((row) => Object.fromEntries(row.map((value, n) => [packed.columns[n], value])));
    }
  }
  const root = document.documentElement;
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const tip = document.getElementById("tip");
  const views = new Map();

  const theme = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");
  const shownFields = (row) => Object.keys(row).filter((name) => !name.startsWith("_"));

  function node(tag, text, className) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  // --------------------------------------------------------------------------------------------------- scrolling

  // What is wider than its box says so: phones show no scroll bar until it moves.
  function markOverflow(box) {
    const overflows = box.scrollWidth > box.clientWidth + 1;
    box.classList.toggle("overflows", overflows);
    if (box.matches(".canvas")) box.toggleAttribute("tabindex", overflows); // by keyboard, too
    if (box.matches(".canvas[tabindex]")) box.tabIndex = 0;
  }

  function markAllOverflows() {
    for (const box of document.querySelectorAll(".wide, .scroll, .canvas")) markOverflow(box);
  }

  window.addEventListener("resize", markAllOverflows);

  // ---------------------------------------------------------------------------------------------------- hovering

  function wordingText(run, row) {
    const texts = page.texts[run] || {};
    const wording = row._key ?? row.wording;
    const key = [`${row._task ?? row.task}: ${wording}`, wording].find((name) => name !== undefined && Object.hasOwn(texts, name));
    return key === undefined ? undefined : texts[key];
  }

  function hover(run) {
    return (_handler, event, item, value) => {
      if (value === null || value === undefined || value === "") {
        tip.classList.remove("shown");
        return;
      }
      tip.replaceChildren();
      for (const [name, shown] of Object.entries(value)) {
        if (shown === "" || shown === null || shown === "null") continue;
        const line = node("div");
        if (name) line.append(node("span", name));
        line.append(node("bdi", String(shown)));
        tip.append(line);
      }
      const text = item && item.datum ? wordingText(run, item.datum) : undefined;
      if (text) tip.append(node("p", text.length > 420 ? `${text.slice(0, 420)}…` : text));
      const point = event.touches && event.touches.length ? event.touches[0] : event;
      const left = Math.min(point.clientX + 14, window.innerWidth - tip.offsetWidth - 6);
      const below = point.clientY + 16;
      const top = below + tip.offsetHeight > window.innerHeight ? point.clientY - tip.offsetHeight - 12 : below;
      tip.style.left = `${Math.max(4, left)}px`;
      tip.style.top = `${Math.max(4, top)}px`;
      tip.classList.add("shown");
    };
  }

  // ----------------------------------------------------------------------------------------------------- drawing

  // The rows of a part of very many columns, at the places that they have there.
  function shownData(chart, figure) {
    const input = figure.querySelector("[data-page]");
    if (!input) return chart.data;
    const size = chart.columnsShown;
    const from = size * (input.value - 1);
    const to = Math.min(from + size, chart.columns);
    figure.querySelector(".pages output").textContent =
      `columns ${(from + 1).toLocaleString("en")} to ${to.toLocaleString("en")} of ${chart.columns.toLocaleString("en")}`;
    for (const button of figure.querySelectorAll("[data-step]")) {
      button.disabled = button.dataset.step < 0 ? from === 0 : to === chart.columns;
    }
    const place = (row) => {
      if (row._place >= from && row._place < to) return [{ ...row, _place: row._place - from }];
      if (row._first < to - 0.5 && row._last > from - 0.5) {
        return [{ ...row, _first: Math.max(row._first, from - 0.5) - from, _last: Math.min(row._last, to - 0.5) - from }];
      }
      return [];
    };
    return Object.fromEntries(Object.entries(chart.data).map(([name, rows]) => [name, rows.flatMap(place)]));
  }

  async function draw(figure) {
    const chart = page.charts[figure.dataset.chart];
    const canvas = figure.querySelector(".canvas");
    if (views.has(figure)) views.get(figure).finalize();
    const config = structuredClone(page.themes[theme()]);
    if (canvas.clientWidth < 560) {
      config.axis.labelLimit = 130;
      config.axis.labelFontSize = 11;
      // Titles and legends may use the room next to the picture.
      config.axisX = { ...config.axisX, titleAnchor: "end", labelFlush: true };
      config.legend.layout = { top: { anchor: "end" } };
    }
    const autosize = { type: "fit-x", contains: "padding" };
    const { description } = chart;
    const width = canvas.clientWidth < chart.minWidth ? chart.minWidth : "container";
    const spec = { autosize, description, ...chart.spec, datasets: shownData(chart, figure), width, config };
    const drawn = await window.vegaEmbed(canvas, spec, {
      actions: false,
      ast: true,
      defaultStyle: false,
      logLevel: 1,
      renderer: "svg",
      tooltip: hover(chart.run),
    });
    views.set(figure, drawn);
    figure.dataset.drawn = theme();
    markOverflow(canvas);
  }

  async function drawAll() {
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      try {
        await draw(figure);
      } catch (error) {
        figure.querySelector(".canvas").replaceChildren(node("p", `The chart could not be drawn: ${error.message}`, "bad"));
      }
      await new Promise((done) => setTimeout(done));
    }
    root.dataset.ready = theme();
  }

  // One drawing of a figure after the other, and the last one with the last choice of columns.
  const drawing = new WeakMap();
  const waiting = new WeakSet();
  function redraw(figure) {
    if (waiting.has(figure)) return;
    waiting.add(figure);
    const next = (drawing.get(figure) ?? Promise.resolve()).then(() => {
      waiting.delete(figure);
      return draw(figure);
    });
    drawing.set(figure, next);
  }

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-page]")) redraw(event.target.closest("figure"));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-step]");
    if (!button) return;
    const input = button.parentElement.querySelector("[data-page]");
    input.value = Number(input.value) + Number(button.dataset.step);
    redraw(button.closest("figure"));
  });

  // -------------------------------------------------------------------------------------------- data of the charts

  function csv(rows) {
    const names = shownFields(rows[0] || {});
    const field = (value) => {
      const text = value === null || value === undefined ? "" : String(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [names, ...rows.map((row) => names.map((name) => row[name]))]
      .map((line) => line.map(field).join(","))
      .join("\r\n") + "\r\n";
  }

  function download(name, text) {
    const link = node("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function table(rows, title) {
    const names = shownFields(rows[0] || {});
    const made = node("table");
    made.append(node("caption", title));
    const head = made.createTHead().insertRow();
    for (const name of names) {
      const cell = node("th", name.replaceAll("_", " "));
      cell.scope = "col";
      head.append(cell);
    }
    const body = made.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const name of names) {
        const value = row[name];
        const cell = line.insertCell();
        if (typeof value === "number") {
          cell.className = "number";
          cell.textContent = Number.isInteger(value) ? String(value) : value.toFixed(2);
        } else {
          cell.append(node("bdi", value === null || value === undefined ? "" : String(value)));
        }
      }
    }
    return made;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-csv]");
    if (!button) return;
    const id = button.closest("figure").dataset.chart;
    download(`${id}-${button.dataset.csv}.csv`, csv(page.charts[id].data[button.dataset.csv]));
  });

  document.addEventListener(
    "toggle",
    (event) => {
      const box = event.target.querySelector(":scope > .scroll[data-table]");
      if (!box || !event.target.open || box.childElementCount) return;
      const figure = event.target.closest("figure");
      const rows = Object.values(page.charts[figure.dataset.chart].data)[0];
      box.append(table(rows, figure.querySelector("figcaption").textContent));
      markOverflow(box);
    },
    true,
  );

  // A link to something folded away unfolds it.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details");
    if (folded) folded.open = true;
  });

  // ------------------------------------------------------------------------------------------------------- themes

  const toggle = document.getElementById("theme");
  const name = () => {
    toggle.textContent = theme() === "dark" ? "Light colours" : "Dark colours";
  };
  toggle.addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    name();
    drawAll();
  });
  prefersDark.addEventListener("change", () => {
    name();
    drawAll();
  });
  window.addEventListener("scroll", () => tip.classList.remove("shown"), { passive: true });
  toggle.hidden = false;
  name();
  markAllOverflows();
  drawAll();
})();
