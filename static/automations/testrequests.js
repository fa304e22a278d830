// What arrives at the test address, in the card of the trigger: only what is newer than what is shown is asked for.
(() => {
  "use strict";

  document.addEventListener("htmx:configRequest", (event) => {
    const list = event.detail.elt;
    if (list.id !== "au-arrivals") return;
    if (list.closest("[hidden]")) event.preventDefault(); // the card is closed
    const newest = list.querySelector("[data-arrival]");
    if (newest) event.detail.parameters.after = newest.id;
  });
})();
