// Beside the forms: the values that an expression can use, put in by a click; under an input, what it comes to.
(() => {
  "use strict";

  const root = () => document.querySelector("[data-builder]");
  let target = null; // the input that values go into
  let names = {}; // card → {groups, fields, operators}, as of the last edit

  // --- What is known at a card ---------------------------------------------------------------------

  function known(card) {
    names[card] ||= fetch(`${root().dataset.namesUrl}?${new URLSearchParams({ card, sample: sampleKey() })}`, {
      credentials: "same-origin",
    }).then((response) => {
      if (!response.ok) throw new Error(response.status);
      return response.json();
    });
    names[card].catch(() => delete names[card]);
    return names[card];
  }

  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "au-state") names = {};
  });

  const sampleKey = () => document.querySelector("[data-sample]")?.value || "";
  const cardOf = (element) => element.closest("[data-card]")?.dataset.card || "";
  const inputOf = (wrapper) => wrapper.querySelector("input, textarea");

  // --- The list ------------------------------------------------------------------------------------

  async function fill() {
    const list = document.querySelector("[data-values-list]");
    if (!list || !target) return;
    let groups = [];
    try {
      groups = (await known(cardOf(target))).groups;
    } catch {
      list.textContent = "The values could not be loaded.";
      return;
    }
    const words = document.querySelector("[data-values-search]").value.toLowerCase().split(/\s+/).filter(Boolean);
    const parts = [];
    for (const group of groups) {
      const found = group.names.filter((name) => words.every((word) => `${name.path} ${name.label} ${group.label}`.toLowerCase().includes(word)));
      if (!found.length) continue;
      const heading = document.createElement("h4");
      heading.textContent = group.label;
      parts.push(heading, ...found.map(item));
    }
    if (!parts.length) parts.push(Object.assign(document.createElement("p"), { className: "wh-quiet", textContent: "Nothing of that name." }));
    list.replaceChildren(...parts);
    document.querySelector("[data-values-hint]").hidden = true;
  }

  function item(name) {
    const button = document.createElement("button");
    button.type = "button";
    const label = document.createElement("strong");
    label.textContent = name.label;
    const path = document.createElement("code");
    path.textContent = name.path;
    const kind = document.createElement("span");
    kind.textContent = name.kind;
    button.append(label, kind, path);
    // The input keeps the focus, and its cursor.
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => insert(name.path));
    return button;
  }

  function insert(path) {
    if (!target?.isConnected) return;
    const mode = target.closest("[data-expression]").dataset.expression;
    const start = target.selectionStart ?? target.value.length;
    const end = target.selectionEnd ?? start;
    target.focus();
    target.setRangeText(written(mode, path, start), start, end, "end");
    target.dispatchEvent(new Event("input", { bubbles: true }));
    closePanel();
  }

  function written(mode, path, place) {
    const before = target.value.slice(0, place);
    if (mode === "bare" || before.lastIndexOf("{{") > before.lastIndexOf("}}")) return path;
    if (mode === "url" && /^\w+(\.\w+)*$/.test(path)) return `{${path}}`;
    const form = target.closest("form");
    const isJson = target.name !== "c-body" || form.querySelector("[data-body-kind]:checked")?.value === "json";
    if (mode === "body" && isJson && !withinText(before)) return `"{{ ${path} }}"`;
    return `{{ ${path} }}`;
  }

  const withinText = (before) => (before.replace(/\\./g, "").match(/"/g) || []).length % 2 === 1;

  // --- The panel: beside the cards, on a small screen over them ---------------------------------------

  const panel = () => document.getElementById("au-values");

  function openPanel(input) {
    target = input;
    panel().classList.add("au-values-open");
    fill();
    document.querySelector("[data-values-search]").focus({ preventScroll: true });
  }

  function closePanel() {
    if (!panel()?.classList.contains("au-values-open")) return;
    panel().classList.remove("au-values-open");
    target?.focus({ preventScroll: true });
  }

  // --- Inputs ----------------------------------------------------------------------------------------

  function dress(within) {
    for (const wrapper of within.querySelectorAll("[data-expression]")) {
      if (!wrapper.dataset.expression || wrapper.querySelector(".wh-names-button")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "wh-names-button";
      button.title = "Insert a value";
      button.setAttribute("aria-label", "Insert a value");
      const icon = document.createElement("span");
      icon.className = "material-symbols-outlined";
      icon.setAttribute("aria-hidden", "true");
      icon.textContent = "data_object";
      button.append(icon);
      button.addEventListener("click", () => openPanel(inputOf(wrapper)));
      wrapper.append(button);
      const line = document.createElement("p");
      line.className = "au-value";
      line.setAttribute("aria-live", "polite");
      line.hidden = true;
      wrapper.after(line);
      const input = inputOf(wrapper);
      if (isDynamic(wrapper, input)) look(wrapper, 0);
    }
  }

  const isDynamic = (wrapper, input) => {
    const text = input.value;
    if (wrapper.dataset.expression === "bare") return text.trim() !== "";
    return wrapper.dataset.expression === "url" ? text.includes("{") : text.includes("{{");
  };

  const timers = new WeakMap();
  const asked = new WeakMap();

  function look(wrapper, delay) {
    clearTimeout(timers.get(wrapper));
    timers.set(wrapper, setTimeout(() => show(wrapper), delay));
  }

  async function show(wrapper) {
    if (!wrapper.isConnected) return;
    const input = inputOf(wrapper);
    const line = wrapper.nextElementSibling;
    if (!line?.matches(".au-value")) return;
    if (!isDynamic(wrapper, input)) {
      line.hidden = true;
      return;
    }
    const question = {};
    asked.set(wrapper, question);
    const data = new FormData();
    data.set("source", input.value);
    data.set("mode", wrapper.dataset.expression);
    data.set("card", cardOf(input));
    data.set("sample", sampleKey());
    const headers = JSON.parse(root().getAttribute("hx-headers"));
    try {
      const response = await fetch(root().dataset.valueUrl, { method: "POST", body: data, headers, credentials: "same-origin" });
      if (!response.ok) throw new Error(response.status);
      const html = await response.text();
      if (asked.get(wrapper) !== question) return; // something newer is under way
      line.innerHTML = html;
      line.hidden = false;
    } catch {
      line.hidden = true;
    }
  }

  document.addEventListener("au-dressed", (event) => dress(event.detail));
  document.addEventListener("focusin", (event) => {
    const wrapper = event.target.closest?.("[data-builder] [data-expression]");
    if (!wrapper || !wrapper.dataset.expression || !event.target.matches("input, textarea")) return;
    if (target !== event.target) {
      target = event.target;
      fill();
    }
  });
  document.addEventListener("input", (event) => {
    const wrapper = event.target.closest?.("[data-builder] [data-expression]");
    if (wrapper?.dataset.expression && event.target.matches("input, textarea")) look(wrapper, 350);
    if (event.target.matches("[data-values-search]")) fill();
  });
  // With another sample names have other values; of a request there are other names, too.
  function chosen() {
    names = {};
    fill();
    for (const wrapper of document.querySelectorAll("[data-builder] [data-expression]")) if (wrapper.dataset.expression) look(wrapper, 0);
  }

  document.addEventListener("au-sample-chosen", chosen);
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-sample]")) chosen();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-values]")) closePanel();
  });
  document.addEventListener("keydown", (event) => {
    const list = event.target.closest?.("[data-values]");
    if (!list) return;
    const items = [...list.querySelectorAll("[data-values-list] button")];
    const place = items.indexOf(document.activeElement);
    if (event.key === "Escape") closePanel();
    else if (event.key === "ArrowDown" && (place >= 0 || event.target.matches("[data-values-search]"))) {
      event.preventDefault();
      (items[place + 1] || items[0])?.focus();
    } else if (event.key === "ArrowUp" && place >= 0) {
      event.preventDefault();
      (items[place - 1] || document.querySelector("[data-values-search]")).focus();
    } else if (event.key === "Enter" && event.target.matches("[data-values-search]")) {
      event.preventDefault();
      items[0]?.click();
    }
  });

  window.automationNames = known;
})();
