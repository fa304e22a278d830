// Keeping the draft. Each edit is one POST; they go out one after the other, each with the stamp of the draft that it
// was made from. What is written into a form saves itself.
(() => {
  "use strict";

  const builder = (window.automationBuilder ||= {});
  const root = () => document.querySelector("[data-builder]");
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  let stamp = "";
  let queue = Promise.resolve();
  let waiting = 0; // requests that are not answered yet
  const dirty = new Map(); // form → timer of its save

  function enqueue(work) {
    waiting += 1;
    queue = queue.then(work).catch(() => notSaved()).finally(() => (waiting -= 1));
    return queue;
  }

  function notSaved() {
    const note = $("#au-saved");
    if (note) note.textContent = "Not saved: no connection. It is tried again with the next change.";
  }

  function edit(what, values) {
    if (!("editable" in root().dataset)) return queue;
    flush();
    return enqueue(() => {
      const data = values instanceof FormData ? values : new FormData();
      if (!(values instanceof FormData)) {
        for (const [name, value] of Object.entries(values)) data.set(name, value);
      }
      data.set("stamp", stamp);
      for (const card of openCards()) data.append("open", card);
      data.set("sample", $("[data-sample]")?.value || "");
      const url = root().dataset.editUrl.replace("WHAT", what);
      return htmx.ajax("POST", url, { values: data, source: root(), target: "#au-flow", swap: "innerHTML" });
    });
  }

  const openCards = () =>
    $$("[data-open][aria-expanded=true]").map((button) => button.closest("[data-card]").dataset.card);

  function save(form) {
    clearTimeout(dirty.get(form));
    dirty.delete(form);
    if (!form.isConnected) return;
    const what = form.dataset.autosave;
    // What is in the form now; by the time of the request it may have been drawn anew.
    edit(what, new FormData(form));
  }

  function soon(form, delay) {
    clearTimeout(dirty.get(form));
    dirty.set(form, setTimeout(() => save(form), delay));
    const note = $("#au-saved");
    if (note) note.textContent = "Saving…";
  }

  // Whatever else is done, what was written comes first.
  function flush() {
    for (const form of [...dirty.keys()]) {
      clearTimeout(dirty.get(form));
      dirty.delete(form);
      if (form.isConnected) edit(form.dataset.autosave, new FormData(form));
    }
  }

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const fresh = event.detail.xhr.getResponseHeader("Draft-Stamp");
    if (fresh) stamp = fresh;
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    // What was written since the request went out is not drawn over: it is saved, and the cards are drawn then.
    if (event.detail.xhr.status === 200 && event.detail.target?.id === "au-flow" && dirty.size && !event.detail.xhr.getResponseHeader("HX-Reswap")) {
      event.detail.shouldSwap = false;
      edit("redraw", {});
      return;
    }
    if (![409, 422].includes(event.detail.xhr.status)) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    event.detail.target = $("#au-notice");
    const note = $("#au-saved");
    if (note) note.textContent = "Not saved";
    setTimeout(() => $("#au-notice [role=alert]")?.focus(), 50);
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty.size || waiting) {
      flush();
      event.preventDefault();
    }
  });

  // What was asked for so far is answered.
  const settled = () => queue;
  const setStamp = (fresh) => (stamp = fresh);

  Object.assign(builder, { edit, enqueue, flush, save, setStamp, settled, soon });
})();
