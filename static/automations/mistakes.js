// What is wrong with the draft, and what is probably not meant: at the inputs, on the cards, and above all of them.
(() => {
  "use strict";

  const builder = (window.automationBuilder ||= {});
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  const cardOf = (name) => $(`[data-card="${CSS.escape(name)}"]`);

  let state = { mistakes: [], summaries: {} };

  function readState() {
    const source = $("#au-state");
    if (!source) return;
    state = JSON.parse(source.dataset.json);
    builder.setStamp(state.stamp);
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
    await builder.open(card, true);
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

  const indexOfPath = (path) => state.mistakes.findIndex((mistake) => mistake.path === path);

  Object.assign(builder, { cardOf, indexOfPath, jump, readState, showMistakes });
})();
