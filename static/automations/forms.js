// Forms: they show what belongs to what is chosen, their rows can be added, moved and removed, and they save themselves.
(() => {
  "use strict";

  const builder = (window.automationBuilder ||= {});
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

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
    builder.soon(row.closest("form"), 0);
  }

  function removeRow(row) {
    const form = row.closest("form");
    const next = row.nextElementSibling?.querySelector("input, select") || $("[data-row-add]", row.parentElement);
    row.remove();
    next.focus();
    builder.soon(form, 0);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-row-add], [data-row-move], [data-row-remove]");
    if (!button) return;
    if ("rowAdd" in button.dataset) addRow(button.closest("[data-au-rows]"));
    else if ("rowMove" in button.dataset) {
      moveRow(button.closest("[data-row-item]"), button.dataset.rowMove);
      button.focus();
    } else removeRow(button.closest("[data-row-item]"));
  });

  // --- Saving --------------------------------------------------------------------------------------

  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-autosave]");
    if (form && !event.target.matches("[data-trigger-type], [data-move-to], select")) builder.soon(form, 900);
  });

  document.addEventListener("change", (event) => {
    const target = event.target;
    const form = target.closest("form[data-autosave]");
    if (!form) return;
    if (target.matches("[data-trigger-type]")) builder.edit("trigger-type", { type: target.value });
    else if (target.matches("[data-move-to]")) {
      builder.edit("move", { card: target.closest("[data-card]").dataset.card, block: target.value, place: "" });
    } else {
      dress(form);
      builder.soon(form, 0);
    }
  });

  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.key === "Enter" && target.matches("form[data-autosave] input, [data-no-enter], [data-one-line]")) {
      event.preventDefault(); // forms are never sent as a whole
      target.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-autosave]")) event.preventDefault();
  });

  builder.dress = dress;
})();
