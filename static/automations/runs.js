/* A run's page: the step that failed, or that an address names, is opened and brought into view. */
(() => {
    "use strict";

    function show(node, block) {
        for (let each = node.parentElement; each; each = each.parentElement) {
            if (each.tagName === "DETAILS") each.open = true;
        }
        const latest = [...node.querySelectorAll(":scope > .runs-card > .runs-attempt")].pop();
        if (latest) latest.open = true;
        node.scrollIntoView({ block });
    }

    function named() {
        const node = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
        if (node && node.matches(".runs-node")) show(node, "start");
        return Boolean(node);
    }

    window.addEventListener("hashchange", named);
    if (!named()) {
        const failing = document.querySelector("[data-failing]");
        if (failing && failing.getBoundingClientRect().bottom > window.innerHeight) show(failing, "center");
    }
})();
