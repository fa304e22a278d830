/* The tab "Test": the request that can be written, what is chosen, and where to look when an answer has come. */
(() => {
    "use strict";

    const root = document.querySelector("[data-test]");
    if (!root) return;

    function showRequest() {
        const request = root.querySelector("[data-request]");
        if (!request) return;
        const chosen = root.querySelector("[name=sample]:checked");
        request.hidden = Boolean(chosen) && chosen.value !== "sample";
    }

    // Enter in the search looks, and tries nothing.
    root.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && event.target.matches("[data-search]")) event.preventDefault();
    });

    root.addEventListener("change", (event) => {
        if (event.target.name === "sample") showRequest();
    });

    root.addEventListener("click", (event) => {
        const days = event.target.closest("[data-days]");
        if (!days) return;
        for (const each of root.querySelectorAll("[data-days]")) each.setAttribute("aria-pressed", String(each === days));
    });

    document.addEventListener("htmx:afterSettle", (event) => {
        if (event.target.id === "te-samples") showRequest();
        if (event.target.id !== "te-result") return;
        const top = event.target.getBoundingClientRect().top;
        if (top < 0 || top > window.innerHeight * 0.7) event.target.scrollIntoView({ behavior: "smooth", block: "start" });
        const trial = event.target.querySelector("[data-trial]");
        if (trial) trial.focus({ preventScroll: true });
    });

    document.addEventListener("htmx:responseError", (event) => {
        const target = event.detail.target;
        if (!target || !["te-result", "te-back", "te-samples"].includes(target.id)) return;
        const words = document.createElement("p");
        words.className = "jobs-why jobs-why-bad";
        words.setAttribute("role", "alert");
        words.textContent = "That did not work. Load the page again, then try once more.";
        target.replaceChildren(words);
    });

    showRequest();
})();
