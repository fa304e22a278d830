// A select with too many choices to offer all: a search box takes its place and fills it from the server.
// The select stays in the form and keeps the value (WAI-ARIA combobox pattern with a listbox).
(function () {
  "use strict";

  function enhance(select, number) {
    const listId = `lookup-${number}`;
    const box = document.createElement("div");
    const input = document.createElement("input");
    const list = document.createElement("div");
    box.className = "lookup";
    input.className = select.className;
    list.className = "lookup-list";
    list.id = listId;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    Object.assign(input, { type: "text", autocomplete: "off", placeholder: "Type to search…" });
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": listId,
    })) input.setAttribute(name, value);
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
    }
    const label = document.querySelector(`label[for="${select.id}"]`);
    input.id = select.id;
    select.id = `${select.id}-value`;
    if (label) list.setAttribute("aria-label", label.textContent.trim());
    select.hidden = true;
    select.before(box);
    box.append(input, list);

    let active = -1;
    let asked = 0;
    let timer;

    const options = () => [...list.querySelectorAll("[role=option]")];
    const shown = () => (select.value ? select.selectedOptions[0].textContent : "");

    function close() {
      list.hidden = true;
      active = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function mark(index) {
      const all = options();
      if (!all.length) return;
      active = (index + all.length) % all.length;
      all.forEach((option, position) => option.setAttribute("aria-selected", String(position === active)));
      all[active].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", all[active].id);
    }

    function choose(value, text) {
      if (![...select.options].some((option) => option.value === value)) select.add(new Option(text, value));
      select.value = value;
      input.value = value ? text : "";
      select.dispatchEvent(new Event("input", { bubbles: true }));
      close();
    }

    function show(choices) {
      list.replaceChildren();
      choices.forEach(([value, text], position) => {
        const option = document.createElement("div");
        option.id = `${listId}-${position}`;
        option.textContent = text;
        option.dataset.value = value;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        list.append(option);
      });
      if (!choices.length) {
        const nothing = document.createElement("p");
        nothing.textContent = "Nothing found";
        list.append(nothing);
      }
      const { top, bottom } = input.getBoundingClientRect();
      // Where there is no room below, it opens above: what is fixed at the foot of a page would cover it.
      box.classList.toggle("lookup-up", window.innerHeight - bottom < 360 && top > 360);
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }

    async function search() {
      const mine = ++asked;
      const query = input.value === shown() ? "" : input.value;
      try {
        const place = select.dataset.searchAddress || `/fields/${select.dataset.searchField}/choices/`;
        const answer = await fetch(`${place}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const { choices } = await answer.json();
        if (mine === asked && document.activeElement === input) show(choices);
      } catch {
        close();
      }
    }

    input.value = shown();
    input.addEventListener("focus", () => { input.select(); search(); });
    input.addEventListener("input", () => {
      clearTimeout(timer);
      if (!input.value) choose("", "");
      timer = setTimeout(search, 200);
    });
    input.addEventListener("blur", () => setTimeout(() => { close(); input.value = shown(); }, 150));
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (list.hidden) search();
        else mark(active + (event.key === "ArrowDown" ? 1 : -1));
      } else if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        const option = options()[active];
        if (option) choose(option.dataset.value, option.textContent);
      } else if (event.key === "Escape" && !list.hidden) {
        event.stopPropagation();
        close();
      }
    });
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) choose(option.dataset.value, option.textContent);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("select[data-search-field], select[data-search-address]").forEach(enhance);
  });
})();
