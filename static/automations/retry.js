// The page before a retry: the form of the failed step behaves as in the builder, but is sent as a whole.
(() => {
    "use strict";

    const form = () => document.getElementById("retry-form");
    const dress = () => form()?.querySelector("[data-builder]") && window.automationBuilder.dress(form());

    document.addEventListener("change", (event) => {
        if (event.target.closest("#retry-form [data-builder]")) dress();
    });
    document.addEventListener("htmx:afterSettle", dress);
    document.addEventListener("keydown", (event) => {
        // Somebody who finishes a field means no retry yet.
        if (event.key === "Enter" && event.target.matches("#retry-form input")) event.preventDefault();
    });
})();
