// Steps are dragged by their grips to any “+”. The menu and the keyboard do the same without a mouse.
(() => {
  "use strict";

  let dragged = null;

  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (grip) grip.closest("[data-step]").draggable = true;
  });
  document.addEventListener("pointerup", () => {
    for (const card of document.querySelectorAll("[data-step][draggable=true]")) card.draggable = false;
  });
  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest?.("[data-step][draggable=true]");
    if (!card) return;
    dragged = card;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", card.dataset.card);
    setTimeout(() => {
      card.classList.add("au-dragged");
      document.querySelector("[data-builder]").classList.add("au-dragging");
    });
  });
  document.addEventListener("dragover", (event) => {
    const line = target(event);
    for (const other of document.querySelectorAll(".au-drop")) if (other !== line) other.classList.remove("au-drop");
    if (!line) return;
    event.preventDefault();
    line.classList.add("au-drop");
  });
  document.addEventListener("drop", (event) => {
    const line = target(event);
    if (!line) return;
    event.preventDefault();
    const button = line.querySelector("[data-add-step]");
    const block = button.dataset.toBlock;
    let place = Number(button.dataset.toPlace);
    const item = dragged.closest("[data-item]");
    const own = item.parentElement;
    // Places are counted without the step itself.
    if (own.dataset.block === block && [...own.children].indexOf(item) < place) place -= 1;
    window.automationBuilder.edit("move", { card: dragged.dataset.card, block, place });
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("au-dragged");
    dragged.draggable = false;
    dragged = null;
    document.querySelector("[data-builder]").classList.remove("au-dragging");
    for (const line of document.querySelectorAll(".au-drop")) line.classList.remove("au-drop");
  });

  function target(event) {
    const line = dragged && event.target.closest?.(".au-add-line");
    return line && !dragged.contains(line) ? line : null;
  }
})();
