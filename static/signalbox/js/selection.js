// Selecting rows of a list: all at once by the box in the head, and how many they are.
(() => {
  "use strict";

  const boxes = () => [...document.querySelectorAll('input[name="record"]')];

  const show = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    const count = document.querySelector("[data-selection-count]");
    const all = document.querySelector("[data-select-all]");
    if (count) count.textContent = `${chosen} selected`;
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of boxes()) box.checked = event.target.checked;
      show();
    } else if (event.target.matches('input[name="record"]')) {
      show();
    }
  });
  document.addEventListener("htmx:afterSettle", show);
  // A page that is gone back to keeps its ticks.
  window.addEventListener("pageshow", show);
})();
