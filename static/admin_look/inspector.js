// The page of an inspector: it asks for what is newer than what it shows, and opens what the address names.
(function () {
  "use strict";

  document.addEventListener("htmx:configRequest", (event) => {
    const newest = event.detail.elt.dataset.after;
    if (!newest) return;
    const arrival = document.querySelector(newest);
    if (arrival) event.detail.parameters.after = arrival.id;
  });

  document.addEventListener("DOMContentLoaded", () => {
    const arrivals = document.getElementById("sb-arrivals");
    if (!arrivals) return;
    const named = location.hash && document.getElementById(location.hash.slice(1));
    const open = named && named.matches("[data-arrival]") ? named : arrivals.querySelector("[data-arrival]");
    if (open) open.open = true;
    if (open && open === named) open.scrollIntoView({ block: "center" });
  });
})();
