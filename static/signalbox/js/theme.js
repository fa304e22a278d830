// Runs before the page is painted, so that the chosen theme does not flash. The admin keeps its choice under the
// same key, as JSON; so both follow one choice.
(function () {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  function stored() {
    try {
      return JSON.parse(localStorage.getItem("adminTheme")) || "auto";
    } catch {
      return "auto";
    }
  }

  function show(theme) {
    root.classList.remove("light", "dark");
    if (theme !== "auto") root.classList.add(theme === "dark" ? "dark" : "light");
    for (const button of document.querySelectorAll("[data-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
    }
  }

  show(stored());
  document.addEventListener("DOMContentLoaded", () => show(stored()));
  window.addEventListener("storage", () => show(stored()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme]");
    if (!button) return;
    try {
      localStorage.setItem("adminTheme", JSON.stringify(button.dataset.theme));
    } catch {
      // Without storage the choice holds for this page.
    }
    show(button.dataset.theme);
  });
})();
