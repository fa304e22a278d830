// What the pages do beyond HTML. Everything works without it.
(function () {
  "use strict";
  const one = (selector, within = document) => within.querySelector(selector);

  // --- Drawer (phones), menus, messages ----------------------------------------------------

  function setDrawer(open) {
    for (const part of document.querySelectorAll(".sidebar, .scrim")) part.classList.toggle("is-open", open);
    one("[data-drawer]")?.setAttribute("aria-expanded", String(open));
    if (open) one(".sidebar a")?.focus();
  }

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  }

  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    const drawer = event.target.closest("[data-drawer]");
    if (drawer) setDrawer(drawer.getAttribute("aria-expanded") !== "true");
    else if (event.target.closest(".scrim")) setDrawer(false);
    event.target.closest("[data-dismiss]")?.closest(".message")?.remove();
  });

  // --- Keyboard -----------------------------------------------------------------------------

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = one("details[data-menu][open]");
      if (menu) {
        menu.open = false;
        one("summary", menu).focus();
      } else if (one(".sidebar.is-open")) {
        setDrawer(false);
        one("[data-drawer]").focus();
      }
      return;
    }
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = one("input[type=search]");
      if (!search) return;
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  // --- Forms: each is sent once; what was typed is not lost by accident ----------------------

  let dirty = false;

  document.addEventListener("input", (event) => {
    if (event.target.closest("form[data-guard]")) dirty = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });

  // In the capture phase, so that htmx does not send twice either.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    if (form.method !== "post") return;
    if (form.matches("[data-guard]")) dirty = false;
    form.dataset.sent = "yes";
    // Not disabled: a disabled button would not be sent along.
    event.submitter?.classList.add("is-busy");
  }, true);

  function wakeForms() {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll(".is-busy")) button.classList.remove("is-busy");
  }
  window.addEventListener("pageshow", wakeForms);
  document.addEventListener("htmx:afterRequest", wakeForms);

  // A select that applies itself.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });

  // The first thing to look at: the summary of errors, or the field that asks for attention.
  document.addEventListener("DOMContentLoaded", () => one("[data-focus]")?.focus());

  // A table that is wider than its card shows that it goes on.
  function showMore() {
    for (const box of document.querySelectorAll(".table-scroll")) {
      box.classList.toggle("has-more", box.scrollWidth - box.clientWidth - box.scrollLeft > 4);
    }
  }
  document.addEventListener("DOMContentLoaded", showMore);
  document.addEventListener("htmx:afterSettle", showMore);
  document.addEventListener("scroll", showMore, { capture: true, passive: true });
  window.addEventListener("resize", showMore);

  // Addresses of lists stay short: what is empty says nothing.
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const { formData, verb } = event.detail;
    if (verb !== "get" || !formData) return;
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });

  // What is current stays in sight where a row of stages is wider than the page.
  function showCurrent() {
    for (const row of document.querySelectorAll(".stepper, .tabs")) {
      const current = one("[aria-current]", row);
      if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
    }
  }
  document.addEventListener("DOMContentLoaded", showCurrent);
  document.addEventListener("htmx:afterSettle", showCurrent);

  // --- After a part of the page was exchanged -------------------------------------------------

  document.addEventListener("htmx:responseError", (event) => {
    // A refusal has a page of its own: show it instead of doing nothing.
    const { requestConfig, xhr } = event.detail;
    if (requestConfig.verb === "get") window.location.assign(xhr.responseURL);
    else window.location.reload();
  });
  document.addEventListener("htmx:sendError", () => {
    const place = one("#messages");
    if (!place) return;
    place.insertAdjacentHTML("beforeend", one("#offline").innerHTML);
  });
})();
