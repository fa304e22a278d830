// The builder of an automation: cards that open, forms that save themselves, steps that are added and moved.
// Each edit is one POST; they go out one after the other, each with the stamp of the draft that it was made from.
(() => {
  "use strict";

  const root = () => document.querySelector("[data-builder]");
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // --- Requests ----------------------------------------------------------------------------------

  let stamp = "";
  let queue = Promise.resolve();
  let waiting = 0; // requests that are not answered yet
  const dirty = new Map(); // form → timer of its save

  function enqueue(work) {
    waiting += 1;
    queue = queue.then(work).catch(() => notSaved()).finally(() => (waiting -= 1));
    return queue;
  }

  function notSaved() {
    const note = $("#au-saved");
    if (note) note.textContent = "Not saved: no connection. It is tried again with the next change.";
  }

  function edit(what, values) {
    if (!("editable" in root().dataset)) return queue;
    flush();
    return enqueue(() => {
      const data = values instanceof FormData ? values : new FormData();
      if (!(values instanceof FormData)) {
        for (const [name, value] of Object.entries(values)) data.set(name, value);
      }
      data.set("stamp", stamp);
      for (const card of openCards()) data.append("open", card);
      data.set("sample", $("[data-sample]")?.value || "");
      const url = root().dataset.editUrl.replace("WHAT", what);
      return htmx.ajax("POST", url, { values: data, source: root(), target: "#au-flow", swap: "innerHTML" });
    });
  }

  const openCards = () =>
    $$("[data-open][aria-expanded=true]").map((button) => button.closest("[data-card]").dataset.card);

  function save(form) {
    clearTimeout(dirty.get(form));
    dirty.delete(form);
    if (!form.isConnected) return;
    const what = form.dataset.autosave;
    // What is in the form now; by the time of the request it may have been drawn anew.
    edit(what, new FormData(form));
  }

  function soon(form, delay) {
    clearTimeout(dirty.get(form));
    dirty.set(form, setTimeout(() => save(form), delay));
    const note = $("#au-saved");
    if (note) note.textContent = "Saving…";
  }

  // Whatever else is done, what was written comes first.
  function flush() {
    for (const form of [...dirty.keys()]) {
      clearTimeout(dirty.get(form));
      dirty.delete(form);
      if (form.isConnected) edit(form.dataset.autosave, new FormData(form));
    }
  }

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const fresh = event.detail.xhr.getResponseHeader("Draft-Stamp");
    if (fresh) stamp = fresh;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // What was written since the request went out is not drawn over: it is saved, and the cards are drawn then.
    if (event.detail.xhr.status === 200 && event.detail.target?.id === "au-flow" && dirty.size && !event.detail.xhr.getResponseHeader("HX-Reswap")) {
      event.detail.shouldSwap = false;
      edit("redraw", {});
      return;
    }
    if (![409, 422].includes(event.detail.xhr.status)) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    event.detail.target = $("#au-notice");
    const note = $("#au-saved");
    if (note) note.textContent = "Not saved";
    setTimeout(() => $("#au-notice [role=alert]")?.focus(), 50);
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty.size || waiting) {
      flush();
      event.preventDefault();
    }
  });

  // --- What the answers say ------------------------------------------------------------------------

  let state = { mistakes: [], summaries: {} };

  function readState() {
    const source = $("#au-state");
    if (!source) return;
    state = JSON.parse(source.dataset.json);
    stamp = state.stamp;
    for (const part of $$("[data-summary]")) {
      const words = state.summaries[part.dataset.summary];
      if (words !== undefined) part.textContent = words;
    }
    const version = $("#au-version");
    if (version) {
      version.textContent = state.version;
      version.classList.toggle("au-version-changed", state.isChanged);
    }
    showMistakes();
  }

  function showMistakes() {
    for (const list of $$("[data-mistakes]")) {
      list.replaceChildren();
      list.hidden = true;
    }
    for (const old of $$(".au-field-mistake")) old.remove();
    for (const bad of $$(".wh-bad")) bad.classList.remove("wh-bad");
    for (const bad of $$(".wh-row-bad")) bad.classList.remove("wh-row-bad");
    for (const input of $$("[data-builder] [aria-invalid]")) input.removeAttribute("aria-invalid");
    state.mistakes.forEach(place);
    for (const card of $$("[data-card]")) showBadge(card);
    showProblems();
  }

  // Warnings are counted where nothing is wrong: nobody has to mend them.
  function showBadge(card) {
    const own = state.mistakes.filter((mistake) => mistake.card === card.dataset.card && mistake.path !== "/steps");
    const bad = own.filter((mistake) => !mistake.is_warning).length;
    const count = bad || own.length;
    const badge = $("[data-badge]", card);
    badge.hidden = !count;
    badge.textContent = `${count} ${bad ? "mistake" : "warning"}${count === 1 ? "" : "s"}`;
    badge.classList.toggle("au-badge-warning", !bad);
    card.classList.toggle("au-card-bad", bad > 0);
  }

  const cardOf = (name) => $(`[data-card="${CSS.escape(name)}"]`);

  // At its input where that is on the page, else at the head of its card.
  function place(mistake, number) {
    const card = cardOf(mistake.card);
    if (!card || mistake.path === "/steps") return; // told above the cards
    const spot = spotOf(card, mistake);
    const line = document.createElement(spot ? "p" : "li");
    line.className = spot ? "au-field-mistake" : "au-mistake";
    line.id = `au-mistake-${number}`;
    if (mistake.is_warning) {
      line.classList.add("au-warning");
      const sign = document.createElement("span");
      sign.className = "material-symbols-outlined";
      sign.setAttribute("aria-label", "Warning:");
      sign.setAttribute("role", "img");
      sign.textContent = "warning";
      line.append(sign);
    }
    const text = document.createElement("span");
    words(text, mistake.message);
    line.append(text);
    if (!spot) {
      const list = $("[data-mistakes]", card);
      list.append(line);
      list.hidden = false;
      return;
    }
    spot.append(line);
    if (mistake.is_warning) return;
    spot.classList.add("wh-bad");
    const input = $("input:not([type=hidden]), select, textarea", spot);
    if (input) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", line.id);
    }
  }

  function spotOf(card, mistake) {
    if (!mistake.field) return null;
    const fields = $$(`[data-field="${CSS.escape(mistake.field)}"]`, card).filter(
      (field) => field.closest("[data-card]") === card && (!field.dataset.row || Number(field.dataset.row) === mistake.row),
    );
    const field = fields[0];
    if (!field) return null;
    const body = field.closest("[data-body]");
    if (body && body.hidden) return null;
    const rules = $$("[data-pointer]", field).filter((rule) => `${mistake.path}/`.includes(`${rule.dataset.pointer}/`) && rule.dataset.pointer);
    if (rules.length) return rules.sort((a, b) => b.dataset.pointer.length - a.dataset.pointer.length)[0];
    const rows = $$("[data-row-item]", field);
    if (mistake.row !== null && rows[mistake.row]) {
      rows[mistake.row].classList.add("wh-row-bad");
      return rows[mistake.row];
    }
    return field;
  }

  // `name` in a message is shown as code.
  function words(element, text) {
    text.split("`").forEach((part, place) => {
      if (place % 2 === 0) element.append(part);
      else {
        const code = document.createElement("code");
        code.textContent = part;
        element.append(code);
      }
    });
  }

  function showProblems() {
    const box = $("#au-problems");
    const count = state.mistakes.filter((mistake) => !mistake.is_warning).length;
    if (!box) return;
    box.hidden = !count;
    if (!count) return;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.jump = String(state.mistakes.findIndex((mistake) => !mistake.is_warning));
    button.className = "au-problems-button";
    const first = state.mistakes.find((mistake) => !mistake.is_warning);
    button.textContent = count === 1 ? `Before it can be published: ${first.message.replaceAll("`", "")}` : `${count} things to finish before it can be published`;
    box.replaceChildren(button);
  }

  async function jump(number) {
    const mistake = state.mistakes[number];
    if (!mistake) {
      location.href = $(".au-tabs a").href; // on another tab: the builder shows them
      return;
    }
    if (mistake.path === "/steps") {
      $('[data-block=""] .au-add-end')?.click();
      return;
    }
    let card = cardOf(mistake.card);
    if (!card) {
      location.href = $(".au-tabs a[href$='/json/']")?.href || location.href;
      return;
    }
    await open(card, true);
    card = cardOf(mistake.card);
    const row = mistake.row;
    const toggle = row === null ? null : $(`[data-field="c-conditions"][data-row="${row}"] [data-open-case][aria-expanded=false]`, card);
    toggle?.click();
    showMistakes();
    const spot = spotOf(card, mistake) || card;
    spot.closest("details")?.setAttribute("open", "");
    spot.scrollIntoView({ block: "center", behavior: "smooth" });
    $("input:not([type=hidden]), select, textarea, button", spot)?.focus({ preventScroll: true });
  }

  // --- Cards ---------------------------------------------------------------------------------------

  async function open(card, wanted) {
    flush();
    await queue;
    card = cardOf(card.dataset.card); // it may have been drawn anew
    if (!card) return;
    const button = $("[data-open]", card);
    const body = $("[data-body]", card);
    const isOpen = button.getAttribute("aria-expanded") === "true";
    if (isOpen === wanted) return;
    if (wanted && !$("form", body)) {
      const url = `${root().dataset.cardUrl}?card=${encodeURIComponent(card.dataset.card)}`;
      await htmx.ajax("GET", url, { source: root(), target: body, swap: "innerHTML" });
    }
    button.setAttribute("aria-expanded", String(wanted));
    body.hidden = !wanted;
    if (wanted) {
      dress(body);
      showMistakes();
    }
  }

  document.addEventListener("au-focus", (event) => {
    const card = cardOf(event.detail.card);
    if (!card) return;
    const first = event.detail.opened && firstInput(card);
    (first || $("[data-open]", card)).focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", behavior: "smooth" });
    card.classList.add("au-new");
    setTimeout(() => card.classList.remove("au-new"), 1200);
  });

  const firstInput = (card) =>
    $$("[data-body] :is(input, select, textarea)", card).find(
      (input) => input.type !== "hidden" && input.offsetParent && !input.matches("[name='c-method']"),
    );

  // --- Forms that show what belongs to what is chosen ------------------------------------------------

  function dress(within) {
    for (const body of $$("[data-body]", within).filter((part) => part.matches("fieldset"))) showBody(body);
    for (const auth of $$("[data-auth]", within)) showAuth(auth);
    for (const part of $$("[data-when]", within)) showWhen(part);
    for (const part of $$("[data-only-if]", within)) {
      const box = $(`[name="${part.dataset.onlyIf}"]`, part.closest("form"));
      part.hidden = !box.checked;
    }
    for (const button of $$("[data-row-move]", within)) button.hidden = false;
    document.dispatchEvent(new CustomEvent("au-dressed", { detail: within }));
  }

  function showBody(body) {
    const kind = $("[data-body-kind]:checked", body)?.value || "default";
    for (const part of $$("[data-body-for]", body)) part.hidden = !part.dataset.bodyFor.split(" ").includes(kind);
  }

  function showAuth(auth) {
    const kind = $("[data-auth-kind]", auth).value;
    for (const part of $$("[data-auth-part]", auth)) part.hidden = !part.dataset.authPart.split(" ").includes(kind);
  }

  function showWhen(part) {
    const form = part.closest("form");
    part.hidden = !part.dataset.when.split(";").every((each) => {
      const [name, values] = each.split("=");
      const inputs = $$(`[name="${name}"]`, form);
      const chosen = inputs.find((input) => input.type !== "radio" && input.type !== "checkbox") || inputs.find((input) => input.checked);
      const value = chosen ? (chosen.type === "checkbox" ? "True" : chosen.value) : "False";
      return values.split(",").includes(value);
    });
  }

  // --- Rows ----------------------------------------------------------------------------------------

  function addRow(rows) {
    const template = $("[data-row-template]", rows);
    const row = template.content.firstElementChild.cloneNode(true);
    template.before(row);
    dress(row);
    $("input, select", row)?.focus();
  }

  function moveRow(row, direction) {
    const other = direction === "up" ? row.previousElementSibling : row.nextElementSibling;
    if (!other || !other.matches("[data-row-item]")) return;
    if (direction === "up") other.before(row);
    else other.after(row);
    soon(row.closest("form"), 0);
  }

  // --- Clicks ----------------------------------------------------------------------------------------

  let galleryTarget = { block: "", place: 0 };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, [data-jump]");
    for (const menu of $$("details[data-menu][open]")) {
      if (!menu.contains(event.target) || event.target.closest(".au-menu button")) menu.open = false;
    }
    if (!button || !root()) return;
    const card = button.closest("[data-card]");
    const data = button.dataset;
    if ("open" in data) open(card, button.getAttribute("aria-expanded") !== "true");
    else if ("openCase" in data) openCase(button);
    else if ("edit" in data) editBy(button, card);
    else if ("addStep" in data) openGallery(button);
    else if ("addType" in data) {
      $("#au-gallery").close();
      edit("add", { ...galleryTarget, type: data.addType });
    } else if ("closeGallery" in data) $("#au-gallery").close();
    else if ("closeDialog" in data) button.closest("dialog").close();
    else if ("publish" in data) {
      flush();
      enqueue(() => htmx.ajax("GET", data.url, { source: root(), target: "#au-dialog", swap: "innerHTML" })).then(() => $("#au-dialog dialog")?.showModal());
    } else if ("jump" in data || "jumpTo" in data) {
      button.closest("dialog")?.close();
      jump("jump" in data ? Number(data.jump) : state.mistakes.findIndex((mistake) => mistake.path === data.jumpTo));
    } else if ("rowAdd" in data) addRow(button.closest("[data-au-rows]"));
    else if ("rowMove" in data) {
      moveRow(button.closest("[data-row-item]"), data.rowMove);
      button.focus();
    } else if ("rowRemove" in data) {
      const row = button.closest("[data-row-item]");
      const form = row.closest("form");
      const next = row.nextElementSibling?.querySelector("input, select") || $("[data-row-add]", row.parentElement);
      row.remove();
      next.focus();
      soon(form, 0);
    } else if ("dismissToast" in data) button.closest("[data-toast]").remove();
  });

  function editBy(button, card) {
    const values = button.dataset.values ? JSON.parse(button.dataset.values) : { card: card.dataset.card };
    if (button.dataset.by) values.by = button.dataset.by;
    if (button.dataset.case) values.case = button.dataset.case;
    button.closest("[data-toast]")?.remove();
    edit(button.dataset.edit, values).then(() => {
      // Where it was, the focus goes on to what is there now.
      if (button.dataset.edit === "remove" && document.activeElement === document.body) $("[data-toast] button")?.focus();
    });
  }

  function openCase(button) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    const body = document.getElementById(button.getAttribute("aria-controls"));
    body.hidden = isOpen;
    if (!isOpen) dress(body);
  }

  function openGallery(button) {
    galleryTarget = { block: button.dataset.toBlock, place: button.dataset.toPlace };
    const gallery = $("#au-gallery");
    const search = $("[data-gallery-search]", gallery);
    search.value = "";
    filterGallery("");
    gallery.showModal();
    search.focus();
  }

  function filterGallery(text) {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const choice of $$("[data-add-type]")) {
      const group = choice.closest("[data-gallery-group]").querySelector("h3").textContent;
      const words = `${choice.textContent} ${group} ${choice.dataset.addType}`.toLowerCase();
      choice.hidden = !wanted.every((word) => words.includes(word));
      found += choice.hidden ? 0 : 1;
    }
    for (const group of $$("[data-gallery-group]")) group.hidden = !$("[data-add-type]:not([hidden])", group);
    $("[data-gallery-none]").hidden = found > 0;
  }

  // --- Changes and keys --------------------------------------------------------------------------------

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-gallery-search]")) filterGallery(event.target.value);
    const form = event.target.closest("form[data-autosave]");
    if (form && !event.target.matches("[data-trigger-type], [data-move-to], select")) soon(form, 900);
  });

  document.addEventListener("change", (event) => {
    const target = event.target;
    const form = target.closest("form[data-autosave]");
    if (!form) return;
    if (target.matches("[data-trigger-type]")) edit("trigger-type", { type: target.value });
    else if (target.matches("[data-move-to]")) {
      edit("move", { card: target.closest("[data-card]").dataset.card, block: target.value, place: "" });
    } else {
      dress(form);
      soon(form, 0);
    }
  });

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (target.matches("[data-gallery-search]") && event.key === "Enter") {
      event.preventDefault();
      $("[data-add-type]:not([hidden])")?.click();
    } else if (target.matches("[data-gallery-search]") && event.key === "ArrowDown") {
      event.preventDefault();
      $("[data-add-type]:not([hidden])")?.focus();
    } else if (event.key === "Escape") {
      const menu = target.closest("details[data-menu][open]");
      if (menu) {
        menu.open = false;
        $("summary", menu).focus();
      }
    } else if (event.key === "Enter" && target.matches("form[data-autosave] input, [data-no-enter], [data-one-line]")) {
      event.preventDefault(); // forms are never sent as a whole
      target.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key) && target.matches("[data-step] > header *")) {
      event.preventDefault();
      edit("move", { card: target.closest("[data-step]").dataset.card, by: event.key === "ArrowUp" ? "-1" : "1" });
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-autosave]")) event.preventDefault();
  });

  // --- All of it ---------------------------------------------------------------------------------------

  document.addEventListener("htmx:afterSettle", (event) => {
    if (!root()) return;
    if (event.detail.target?.id === "au-flow" || event.detail.target?.matches?.("[data-body]")) dress(event.detail.target);
    showMistakes();
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "au-state") readState();
  });
  document.addEventListener("DOMContentLoaded", () => {
    if (!root()) return;
    readState();
    dress(root());
    if (new URLSearchParams(location.search).has("new")) {
      history.replaceState(null, "", location.pathname);
      const trigger = cardOf("trigger");
      if (trigger) firstInput(trigger)?.focus();
    }
  });

  window.automationBuilder = { edit, save, soon, dress };
})();
