// The form of an endpoint: of all schemes' settings it shows those of the chosen one.
(function () {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    const scheme = document.getElementById("id_scheme");
    if (!scheme) return;
    const fields = [...document.querySelectorAll("[data-scheme]")];

    function show() {
      for (const field of fields) {
        const row = field.closest("[class*='field-scheme_']") || field.parentElement;
        row.hidden = field.dataset.scheme !== scheme.value;
        row.classList.toggle("hidden", row.hidden);
      }
    }

    scheme.addEventListener("change", show);
    show();
  });
})();
