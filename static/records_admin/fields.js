// In the form of an object: of each field only the inputs that its kind knows are shown.
(() => {
  const inputs = ["choices_text", "linked_object", "minimum", "maximum", "places", "currency"];

  function showKnown(select) {
    const row = select.closest(".inline-related") || select.closest("fieldset");
    const options = Object.fromEntries(
      (select.dataset.options || "").split(";").map((pair) => {
        const [kind, names] = pair.split(":");
        return [kind, (names || "").split(",")];
      }),
    );
    const known = options[select.value] || [];
    for (const name of inputs) {
      const input = row.querySelector(`[name$="-${name}"]`);
      const line = input && (input.closest(`.field-${name}`) || input.parentElement.parentElement);
      if (line) line.hidden = !known.includes(name);
    }
  }

  function showAll() {
    document.querySelectorAll('select[name$="-kind"][data-options]').forEach(showKnown);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches('select[name$="-kind"][data-options]')) showKnown(event.target);
  });
  document.addEventListener("formset:added", (event) => {
    showAll();
    // A new row is open: there is nothing in it yet that could be read off its title.
    setTimeout(() => {
      const row = window.Alpine && window.Alpine.$data(event.target);
      if (row && "openRow" in row) row.openRow = true;
    });
  });
  document.addEventListener("DOMContentLoaded", showAll);
})();
