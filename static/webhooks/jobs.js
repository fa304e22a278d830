/* The pages of webhook jobs: live parts, choosing rows, copying, countdowns. They work without it too. */
(() => {
    "use strict";

    const EVERY_MS = 2000;
    const AWAY_MS = 10000;

    // --- the live part -------------------------------------------------------------------------

    let live;
    let timer;
    let chosen = new Set();
    let folded = new Map();

    function schedule(after = EVERY_MS) {
        clearTimeout(timer);
        if (live && live.dataset.open === "1") timer = setTimeout(refresh, after);
        showLive();
    }

    function refresh() {
        if (document.hidden) return; // visibilitychange calls again
        window.htmx.trigger(live, "live-refresh");
    }

    function showLive(away = false) {
        const sign = document.getElementById("live-sign");
        if (!sign) return;
        sign.hidden = live.dataset.open !== "1";
        sign.toggleAttribute("data-away", away);
        sign.querySelector("[data-words-live]").textContent = away ? "No connection, trying again" : "Live";
    }

    function watch() {
        live = document.querySelector("[data-live-part]");
        if (!live || !window.htmx) return;
        document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : schedule(0)));
        // What is fetched inside of it is none of its refreshes.
        const on = (name, act) => live.addEventListener(name, (event) => event.target === live && act(event));
        on("htmx:configRequest", (event) => {
            event.detail.headers["X-Live-Digest"] = live.dataset.digest;
        });
        on("htmx:beforeSwap", (event) => {
            const digest = event.detail.xhr.getResponseHeader("X-Live-Digest");
            // Another page altogether, such as the login: leave what is there.
            if (!digest) {
                event.detail.shouldSwap = false;
                live.dataset.open = "0";
                return;
            }
            live.dataset.open = event.detail.xhr.getResponseHeader("X-Live-Open");
            if (event.detail.xhr.status === 200) {
                live.dataset.digest = digest;
                remember();
            }
        });
        on("htmx:afterSwap", restore);
        on("htmx:afterRequest", (event) => {
            const lost = !event.detail.successful;
            schedule(lost ? AWAY_MS : EVERY_MS);
            if (lost) showLive(true);
        });
        schedule();
    }

    // What a person did to the page outlives its refresh.
    function remember() {
        folded = new Map([...live.querySelectorAll("details[id]")].map((each) => [each.id, each.open]));
        live.querySelectorAll("button[data-raw][aria-pressed=true]").forEach((each) => folded.set(each.id, true));
    }

    function restore() {
        for (const [id, state] of folded) {
            const element = document.getElementById(id);
            if (!element) continue;
            if (element.tagName === "DETAILS") element.open = state;
            else toggleRaw(element);
        }
        for (const box of boxes()) box.checked = chosen.has(box.value);
        showChosen();
        countDown();
    }

    // --- choosing rows -------------------------------------------------------------------------

    const boxes = () => [...document.querySelectorAll("input[name=ids][type=checkbox]")];

    function showChosen() {
        const bar = document.getElementById("bulk");
        if (!bar) return;
        const all = boxes();
        chosen = new Set(all.filter((box) => box.checked).map((box) => box.value));
        bar.hidden = chosen.size === 0;
        const noun = bar.dataset.noun || "job";
        bar.querySelector("[data-chosen]").textContent = chosen.size === 1 ? `1 ${noun} chosen` : `${chosen.size} ${noun}s chosen`;
        const whole = all.length > 0 && chosen.size === all.length;
        const toggle = document.getElementById("tick-all");
        if (toggle) {
            toggle.checked = whole;
            toggle.indeterminate = chosen.size > 0 && !whole;
        }
        const everything = bar.querySelector("[data-all]");
        everything.hidden = !(whole && document.querySelector(".jobs-pager"));
        if (everything.hidden) everything.querySelector("input").checked = false;
    }

    let lastBox = null;

    document.addEventListener("click", (event) => {
        const box = event.target.closest("input[name=ids][type=checkbox]");
        if (!box) return;
        const all = boxes();
        if (event.shiftKey && lastBox && all.includes(lastBox)) {
            const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
            all.slice(from, to + 1).forEach((each) => (each.checked = box.checked));
        }
        lastBox = box;
        showChosen();
    });

    // --- forms ---------------------------------------------------------------------------------

    function submitFilters(form) {
        for (const field of form.elements) field.disabled = field.name && !field.value;
        form.submit();
        for (const field of form.elements) field.disabled = false;
    }

    document.addEventListener("change", (event) => {
        const element = event.target;
        if (element.id === "tick-all") {
            boxes().forEach((box) => (box.checked = element.checked));
            showChosen();
        }
        const form = element.closest("form[data-submit-on-change]");
        if (!form) return;
        const span = form.querySelector(".jobs-span");
        if (element.matches("[data-periods]")) {
            const custom = "custom" in element.selectedOptions[0].dataset;
            span.toggleAttribute("data-closed", !custom);
            if (!custom) span.querySelectorAll("input").forEach((each) => (each.value = ""));
            if (custom) return;
        }
        if (element.tagName === "SELECT") submitFilters(form);
    });

    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (form.matches("form[data-submit-on-change]")) {
            event.preventDefault();
            submitFilters(form);
        }
        if (!form.matches("form[data-once]")) return;
        if (form.dataset.sent) {
            event.preventDefault();
            return;
        }
        form.dataset.sent = "1";
        // After the browser has read which button it was.
        setTimeout(() => {
            document.querySelectorAll(`button[type=submit]`).forEach((button) => {
                if (button.form === form) button.disabled = true;
            });
        });
    });

    window.addEventListener("pageshow", (event) => {
        if (!event.persisted) return; // back from the next page: everything works again
        document.querySelectorAll("form[data-once]").forEach((form) => {
            delete form.dataset.sent;
            [...form.elements].forEach((each) => (each.disabled = false));
        });
        if (live) schedule(0);
    });

    // --- copying, raw bodies -------------------------------------------------------------------

    async function copy(text) {
        try {
            await navigator.clipboard.writeText(text);
            return true;
        } catch {
            const area = document.createElement("textarea");
            area.value = text;
            area.style.position = "fixed";
            area.style.opacity = "0";
            document.body.append(area);
            area.select();
            const done = document.execCommand("copy");
            area.remove();
            return done;
        }
    }

    function toggleRaw(button) {
        const [pretty, raw] = button.closest(".jobs-body").querySelectorAll("pre");
        pretty.hidden = !pretty.hidden;
        raw.hidden = !pretty.hidden;
        button.setAttribute("aria-pressed", String(pretty.hidden));
    }

    document.addEventListener("click", async (event) => {
        const raw = event.target.closest("[data-raw]");
        if (raw) toggleRaw(raw);
        const button = event.target.closest("[data-copy]");
        if (!button) return;
        const done = await copy(document.getElementById(button.dataset.copy).textContent);
        const words = button.querySelector("[data-words]");
        const icon = button.querySelector(".material-symbols-outlined");
        const before = [words && words.textContent, icon.textContent];
        if (button.dataset.copied) return;
        button.dataset.copied = "1";
        icon.textContent = done ? "check" : "error";
        if (words) words.textContent = done ? "Copied" : "Could not copy";
        setTimeout(() => {
            icon.textContent = before[1];
            if (words) words.textContent = before[0];
            delete button.dataset.copied;
        }, 1500);
    });

    // --- countdowns, JSON ----------------------------------------------------------------------

    function countDown() {
        for (const element of document.querySelectorAll("time[data-due]")) {
            const seconds = Math.ceil((Date.parse(element.dateTime) - Date.now()) / 1000);
            let words = "now";
            if (seconds > 0 && seconds < 120) words = `in ${seconds} s`;
            else if (seconds >= 120 && seconds < 7200) words = `in ${Math.floor(seconds / 60)} min`;
            else if (seconds >= 7200) continue; // the server's words are fine enough
            if (element.textContent !== words) element.textContent = words;
        }
    }

    function checkJson() {
        const warning = document.querySelector("[data-json-warning]");
        const body = document.getElementById("id_body");
        const headers = document.getElementById("id_headers");
        if (!warning || !body || !headers) return;
        let words = "";
        if (/^content-type\s*:.*json/im.test(headers.value)) {
            try {
                JSON.parse(body.value);
            } catch (error) {
                words = `Not valid JSON: ${error.message}. It can be sent all the same.`;
            }
        }
        warning.hidden = !words;
        warning.lastElementChild.textContent = words;
    }

    document.addEventListener("input", (event) => {
        if (event.target.closest(".jobs-form")) checkJson();
    });

    document.querySelectorAll(".jobs-span").forEach((each) => each.classList.add("is-quiet"));
    watch();
    showChosen();
    countDown();
    checkJson();
    setInterval(countDown, 1000);
})();
