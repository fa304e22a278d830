// The builder of an automation: cards that open, steps that are added, moved and removed.
(() => {
  "use strict";

  const builder = (window.automationBuilder ||= {});
  const root = () => document.querySelector("[data-builder]");
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // --- Cards ---------------------------------------------------------------------------------------

  async function open(card, wanted) {
    builder.flush();
    await builder.settled();
    card = builder.cardOf(card.dataset.card); // it may have been drawn anew
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
      builder.dress(body);
      builder.showMistakes();
    }
  }

  document.addEventListener("au-focus", (event) => {
    const card = builder.cardOf(event.detail.card);
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
      builder.edit("add", { ...galleryTarget, type: data.addType });
    } else if ("closeGallery" in data) $("#au-gallery").close();
    else if ("closeDialog" in data) button.closest("dialog").close();
    else if ("publish" in data) {
      builder.flush();
      builder.enqueue(() => htmx.ajax("GET", data.url, { source: root(), target: "#au-dialog", swap: "innerHTML" })).then(() => $("#au-dialog dialog")?.showModal());
    } else if ("jump" in data || "jumpTo" in data) {
      button.closest("dialog")?.close();
      builder.jump("jump" in data ? Number(data.jump) : builder.indexOfPath(data.jumpTo));
    } else if ("dismissToast" in data) button.closest("[data-toast]").remove();
  });

  function editBy(button, card) {
    const values = button.dataset.values ? JSON.parse(button.dataset.values) : { card: card.dataset.card };
    if (button.dataset.by) values.by = button.dataset.by;
    if (button.dataset.case) values.case = button.dataset.case;
    button.closest("[data-toast]")?.remove();
    builder.edit(button.dataset.edit, values).then(() => {
      // Where it was, the focus goes on to what is there now.
      if (button.dataset.edit === "remove" && document.activeElement === document.body) $("[data-toast] button")?.focus();
    });
  }

  function openCase(button) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    const body = document.getElementById(button.getAttribute("aria-controls"));
    body.hidden = isOpen;
    if (!isOpen) builder.dress(body);
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

  // --- Keys ------------------------------------------------------------------------------------------

  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-gallery-search]")) filterGallery(event.target.value);
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
    } else if (event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key) && target.matches("[data-step] > header *")) {
      event.preventDefault();
      builder.edit("move", { card: target.closest("[data-step]").dataset.card, by: event.key === "ArrowUp" ? "-1" : "1" });
    }
  });

  // --- All of it ---------------------------------------------------------------------------------------

  document.addEventListener("htmx:afterSettle", (event) => {
    if (!root()) return;
    if (event.detail.target?.id === "au-flow" || event.detail.target?.matches?.("[data-body]")) builder.dress(event.detail.target);
    builder.showMistakes();
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id === "au-state") builder.readState();
  });
  document.addEventListener("DOMContentLoaded", () => {
    if (!root()) return;
    builder.readState();
    builder.dress(root());
    if (new URLSearchParams(location.search).has("new")) {
      history.replaceState(null, "", location.pathname);
      const trigger = builder.cardOf("trigger");
      if (trigger) firstInput(trigger)?.focus();
    }
  });

  builder.open = open;
})();
