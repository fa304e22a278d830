// Small things that several pages of the admin share: polling that can be paused, copying, and what a person
// has put out of the way. Elements say by data attributes what they want.
(function () {
  "use strict";

  // --- out of the way: data-dismiss="name" hides what is marked so, for this browser ------------------------

  const hidden = (name) => `signalbox-hidden-${name}`;

  function remember(name, isHidden) {
    document.documentElement.classList.toggle(`sb-hide-${name}`, isHidden);
    try {
      if (isHidden) localStorage.setItem(hidden(name), "1");
      else localStorage.removeItem(hidden(name));
    } catch {
      // Without storage it holds for this page.
    }
  }

  // Before anything is painted, so that nothing flashes.
  try {
    if (localStorage.getItem(hidden("first-steps"))) {
      document.documentElement.classList.add("sb-hide-first-steps");
    }
  } catch {
    // Without storage it is shown.
  }

  // --- copying: data-copy-text has the text, or data-copy-from the id of the element that has it -----------------

  async function copy(button) {
    const source = document.getElementById(button.dataset.copyFrom);
    const words = button.querySelector("[data-copy-words]") || button;
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(source ? source.textContent : button.dataset.copyText);
      words.textContent = "Copied";
    } catch {
      words.textContent = "Select and copy it";
    }
    setTimeout(() => (words.textContent = before), 1500);
  }

  // --- polling: data-poll-s on an element with hx-trigger="sb-poll" -----------------------------------------

  let isPaused = false;
  let isAway = false;

  function showLive() {
    for (const button of document.querySelectorAll("[data-live]")) {
      button.setAttribute("aria-pressed", String(!isPaused));
      button.classList.toggle("sb-away", isAway && !isPaused);
      const words = isPaused ? "Paused" : isAway ? "No connection" : "Live";
      button.querySelector("[data-live-words]").textContent = words;
    }
  }

  function away(value) {
    if (isAway !== value) {
      isAway = value;
      showLive();
    }
  }

  const polled = new WeakSet();

  function startPolling() {
    for (const element of document.querySelectorAll("[data-poll-s]")) {
      if (polled.has(element)) continue;
      polled.add(element);
      const timer = setInterval(() => {
        if (!element.isConnected) clearInterval(timer); // something else was drawn in its place
        else if (!isPaused && document.visibilityState === "visible") htmx.trigger(element, "sb-poll");
      }, Number(element.dataset.pollS) * 1000);
    }
    showLive();
  }

  // What is the same as before is not put in again: nothing flickers, and a selection stays.
  const lastText = new WeakMap();

  function beforeSwap(event) {
    const element = event.detail.elt;
    const request = event.detail.xhr;
    if (!element.matches || !element.matches("[data-poll-s]")) return;
    const asked = new URL(event.detail.pathInfo.requestPath, location.href).pathname;
    if (request.responseURL && new URL(request.responseURL).pathname !== asked) {
      location.reload(); // led elsewhere: logged out
      event.detail.shouldSwap = false;
      return;
    }
    if (lastText.get(element) === request.responseText) event.detail.shouldSwap = false;
    lastText.set(element, request.responseText);
  }

  // --- keyboard: what the admin's templates make clickable without making it a button ------------------------

  function reachable() {
    for (const element of document.querySelectorAll("[x-on\\:click]:not(a, button, input, label, [tabindex])")) {
      if (!element.matches("#nav-sidebar *, #header-inner *")) continue;
      element.tabIndex = 0;
      element.setAttribute("role", "button");
      if (element.matches(".material-symbols-outlined")) {
        element.setAttribute("aria-label", element.textContent.trim() === "close" ? "Close the sidebar" : "Show or hide the sidebar");
      }
    }
  }

  document.addEventListener("keydown", (event) => {
    const element = event.target;
    if ((event.key === "Enter" || event.key === " ") && element.matches("[role=button]:not(a, button)")) {
      event.preventDefault();
      element.click();
    }
  });
  document.addEventListener("DOMContentLoaded", reachable);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy-text], [data-copy-from], [data-live], [data-dismiss], [data-dismiss-undo]");
    if (!button) return;
    if ("copyText" in button.dataset || "copyFrom" in button.dataset) copy(button);
    else if ("live" in button.dataset) {
      isPaused = !isPaused;
      showLive();
    } else if ("dismiss" in button.dataset) remember(button.dataset.dismiss, true);
    else remember(button.dataset.dismissUndo, false);
  });
  document.addEventListener("htmx:beforeSwap", beforeSwap);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.matches("[data-poll-s]")) away(!event.detail.successful);
  });
  document.addEventListener("DOMContentLoaded", startPolling);
  document.addEventListener("htmx:load", startPolling);
})();
