// The form of a webhook: dependent drop-downs, rows, the right editor for the body, and a menu of names.
// Without this script the form works too: rows come with one empty line, and every editor is shown.
(() => {
  "use strict";

  const icon = (name) => {
    const span = document.createElement("span");
    span.className = "material-symbols-outlined";
    span.setAttribute("aria-hidden", "true");
    span.textContent = name;
    return span;
  };

  const changed = (element) =>
    element.dispatchEvent(new CustomEvent("webhook-changed", { bubbles: true }));

  // --- Type, then event ------------------------------------------------------------------------

  function dependentDropDowns(root) {
    const events = root.querySelector('select[name="event"]');
    const field = events.closest(".wh-field");
    const groups = [...events.querySelectorAll("optgroup")];
    const typeField = document.createElement("div");
    typeField.className = "wh-field";
    const label = document.createElement("label");
    label.className = "wh-label";
    label.htmlFor = "id_event_type";
    label.textContent = "Type";
    const types = document.createElement("select");
    types.id = "id_event_type";
    types.className = "wh-text";
    for (const group of groups) types.add(new Option(group.label, group.label));
    typeField.append(label, types);
    field.before(typeField);

    const objects = root.querySelector('[data-field="object"]');
    const show = (typeChanged) => {
      const group = groups.find((one) => one.label === types.value);
      if (!group) return;
      if (typeChanged) group.querySelector("option").selected = true;
      const value = events.value;
      events.replaceChildren(...[...group.children].map((option) => option.cloneNode(true)));
      events.value = value;
      if (events.selectedIndex < 0) events.selectedIndex = 0;
      objects.hidden = !events.dataset.withObject.split(" ").includes(events.value.split(".")[0]);
    };
    const selected = events.selectedOptions[0];
    if (selected && selected.parentElement.label) {
      types.value = selected.parentElement.label;
    } else if (selected) {
      types.add(new Option("Other", "Other"));
      types.value = "Other"; // an event that is not known any more
    }
    show(false);
    types.addEventListener("change", () => {
      events.replaceChildren(...groups.map((group) => group.cloneNode(true)));
      const first = groups.find((one) => one.label === types.value);
      if (first) events.value = first.querySelector("option").value;
      show(false);
    });
  }

  // --- Rows ------------------------------------------------------------------------------------

  function rowEditors(root) {
    for (const rows of root.querySelectorAll("[data-rows]")) rowEditor(rows);
  }

  function rowEditor(rows) {
    const add = rows.querySelector("[data-add]");
    const blank = rows.querySelector("[data-blank]");
    const template = blank.cloneNode(true);
    delete template.dataset.blank;
    blank.remove();
    add.hidden = false;
    for (const buttons of rows.querySelectorAll("[data-row-buttons]")) buttons.hidden = false;
    template.querySelector("[data-row-buttons]").hidden = false;

    const all = () => [...rows.querySelectorAll(":scope > [data-row]")];
    const newRow = () => {
      const row = template.cloneNode(true);
      add.before(row);
      for (const input of row.querySelectorAll("[data-expression]")) expressionInput(input);
      return row;
    };
    const move = (row, direction) => {
      const place = all();
      const other = place[place.indexOf(row) + (direction === "up" ? -1 : 1)];
      if (!other) return false;
      if (direction === "up") other.before(row);
      else other.after(row);
      changed(rows);
      return true;
    };

    add.addEventListener("click", () => {
      newRow().querySelector("input").focus();
    });
    rows.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      const row = event.target.closest("[data-row]");
      if (!button || !row) return;
      if (button.dataset.move) {
        move(row, button.dataset.move);
        button.focus();
      } else if ("remove" in button.dataset) {
        const next = row.nextElementSibling?.querySelector("input") || add;
        row.remove();
        next.focus();
        changed(rows);
      }
    });
    rows.addEventListener("keydown", (event) => {
      const row = event.target.closest("[data-row]");
      if (!row) return;
      if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        const focused = document.activeElement;
        if (move(row, event.key === "ArrowUp" ? "up" : "down")) focused.focus();
      } else if (event.key === "Enter" && !event.shiftKey && event.target.matches("input, textarea")) {
        event.preventDefault(); // not the whole form
        const after = row.nextElementSibling;
        (after.matches("[data-row]") ? after : newRow()).querySelector("input").focus();
      }
    });
  }

  // --- Body ------------------------------------------------------------------------------------

  function bodyEditor(root) {
    const method = root.querySelector('select[name="method"]');
    const kinds = [...root.querySelectorAll('input[name="body_kind"]')];
    const show = () => {
      const kind = kinds.find((one) => one.checked)?.value || "default";
      for (const part of root.querySelectorAll("[data-body-for]")) {
        part.hidden = !part.dataset.bodyFor.split(" ").includes(kind);
      }
      const bodiless = ["GET", "DELETE"].includes(method.value);
      root.querySelector("[data-with-body]").hidden = bodiless;
      root.querySelector("[data-without-body]").hidden = !bodiless;
    };
    root.addEventListener("change", (event) => {
      if (event.target === method || kinds.includes(event.target)) show();
    });
    show();
  }

  function authFields(root) {
    const kind = root.querySelector('select[name="auth_kind"]');
    const show = () => {
      for (const part of root.querySelectorAll("[data-auth-for]")) {
        part.hidden = !part.dataset.authFor.split(" ").includes(kind.value);
      }
    };
    kind.addEventListener("change", show);
    show();
  }

  // --- Names -----------------------------------------------------------------------------------

  let menu = null; // one for the page: {element, search, list, target}

  function expressionInput(wrapper) {
    if (wrapper.querySelector(".wh-names-button")) return;
    const input = wrapper.querySelector("input, textarea");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "wh-names-button";
    button.title = "Insert a value";
    button.setAttribute("aria-label", "Insert a value");
    button.setAttribute("aria-haspopup", "dialog");
    button.append(icon("data_object"));
    button.addEventListener("click", () => openMenu(wrapper, input, button));
    wrapper.append(button);
  }

  function makeMenu() {
    const element = document.createElement("div");
    element.className = "wh-menu";
    element.setAttribute("role", "dialog");
    element.setAttribute("aria-label", "Values");
    element.hidden = true;
    const search = document.createElement("input");
    search.type = "search";
    search.className = "wh-text";
    search.placeholder = "Find a value…";
    search.setAttribute("aria-label", "Find a value");
    search.autocomplete = "off";
    const list = document.createElement("div");
    list.className = "wh-menu-list";
    element.append(search, list);
    document.body.append(element);
    menu = { element, search, list, input: null, button: null };

    search.addEventListener("input", fillMenu);
    element.addEventListener("keydown", (event) => {
      const items = [...list.querySelectorAll("button")];
      const place = items.indexOf(document.activeElement);
      if (event.key === "Escape") {
        event.preventDefault();
        closeMenu(true);
      } else if (event.key === "ArrowDown") {
        event.preventDefault();
        (items[place + 1] || items[0])?.focus();
      } else if (event.key === "ArrowUp") {
        event.preventDefault();
        (place > 0 ? items[place - 1] : search).focus();
      } else if (event.key === "Enter" && document.activeElement === search) {
        event.preventDefault();
        items[0]?.click();
      } else if (event.key === "Tab") {
        closeMenu(true);
      }
    });
    document.addEventListener("pointerdown", (event) => {
      if (!element.hidden && !element.contains(event.target) && !menu.button.contains(event.target)) {
        closeMenu(false);
      }
    });
    window.addEventListener("resize", () => closeMenu(false));
  }

  function openMenu(wrapper, input, button) {
    if (!menu) makeMenu();
    if (!menu.element.hidden && menu.button === button) {
      closeMenu(true);
      return;
    }
    Object.assign(menu, { input, button, kind: wrapper.dataset.expression });
    menu.search.value = "";
    fillMenu();
    menu.element.hidden = false;
    const place = wrapper.getBoundingClientRect();
    const width = Math.min(380, window.innerWidth - 16);
    const left = Math.max(8, Math.min(place.right - width, window.innerWidth - width - 8));
    const height = menu.element.offsetHeight;
    const below = place.bottom + height + 8 < window.innerHeight || place.top < height + 8;
    menu.element.style.width = `${width}px`;
    menu.element.style.left = `${left + window.scrollX}px`;
    menu.element.style.top = `${(below ? place.bottom + 4 : place.top - height - 4) + window.scrollY}px`;
    menu.search.focus({ preventScroll: true });
  }

  function closeMenu(giveBackFocus) {
    if (!menu || menu.element.hidden) return;
    menu.element.hidden = true;
    if (giveBackFocus) menu.input.focus();
  }

  function fillMenu() {
    const source = document.getElementById("webhook-names");
    const groups = source ? JSON.parse(source.textContent) : [];
    const words = menu.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const parts = [];
    for (const group of groups) {
      const names = group.names.filter((name) => {
        const text = `${name.path} ${name.label}`.toLowerCase();
        return words.every((word) => text.includes(word));
      });
      if (!names.length) continue;
      const heading = document.createElement("h4");
      heading.textContent = group.label;
      parts.push(heading, ...names.map(menuItem));
    }
    if (!parts.length) {
      const none = document.createElement("p");
      none.className = "wh-quiet";
      none.textContent = groups.length ? "Nothing of that name." : "The names are being loaded…";
      parts.push(none);
    }
    menu.list.replaceChildren(...parts);
  }

  function menuItem(name) {
    const button = document.createElement("button");
    button.type = "button";
    const path = document.createElement("code");
    path.textContent = name.path;
    const label = document.createElement("span");
    label.textContent = name.kind ? `${name.label} · ${name.kind}` : name.label;
    button.append(path, label);
    button.addEventListener("click", () => {
      insert(menu.input, menu.kind, name.path);
      closeMenu(true);
    });
    return button;
  }

  function insert(input, kind, path) {
    const start = input.selectionStart ?? input.value.length;
    const end = input.selectionEnd ?? start;
    const text = written(input, kind, path, start);
    input.setRangeText(text, start, end, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function written(input, kind, path, place) {
    const before = input.value.slice(0, place);
    if (kind === "bare" || before.lastIndexOf("{{") > before.lastIndexOf("}}")) return path;
    if (kind === "url" && /^\w+(\.\w+)*$/.test(path)) return `{${path}}`;
    const isJson = document.querySelector('input[name="body_kind"]:checked')?.value === "json";
    if (kind === "body" && isJson && !withinText(before)) return `"{{ ${path} }}"`;
    return `{{ ${path} }}`;
  }

  function withinText(before) {
    return (before.replace(/\\./g, "").match(/"/g) || []).length % 2 === 1;
  }

  // --- Copying ---------------------------------------------------------------------------------

  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "wh-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("the browser does not allow it");
  }

  function copyButtons(root) {
    for (const button of root.querySelectorAll("[data-copy]")) {
      const words = button.querySelector("[data-copy-words]");
      const usual = words.textContent;
      button.addEventListener("click", async () => {
        const text = document.getElementById(button.dataset.copy)?.value || "";
        try {
          if (text) await copy(text);
          words.textContent = text ? "Copied" : "Mend the request first";
        } catch {
          words.textContent = "Could not copy";
        }
        setTimeout(() => (words.textContent = usual), 2000);
      });
    }
  }

  // What was wrong when the form was saved is not said of what is written now: the preview tells that.
  function forgetMistakes(input) {
    const row = input.closest(".wh-row-bad");
    const field = input.closest(".wh-bad");
    for (const part of [row, field]) {
      if (!part || (part === field && row && field.querySelectorAll(".wh-row-bad").length > 0)) continue;
      part.classList.remove("wh-row-bad", "wh-bad");
      for (const list of part.querySelectorAll(".wh-errors")) list.remove();
    }
    input.removeAttribute("aria-invalid");
  }

  // --- All of it -------------------------------------------------------------------------------

  function start() {
    const root = document.querySelector("[data-webhook-form]");
    if (!root) return;
    dependentDropDowns(root);
    rowEditors(root);
    bodyEditor(root);
    authFields(root);
    copyButtons(root);
    for (const wrapper of root.querySelectorAll("[data-expression]")) expressionInput(wrapper);
    for (const name of ["input", "change"]) {
      root.addEventListener(name, (event) => {
        forgetMistakes(event.target);
        changed(event.target);
      });
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
