// What a rule of a condition compares with: an input that fits the field and the comparison.
(() => {
  "use strict";

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name in element && name !== "list") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const icon = (name) => {
    const span = make("span", { class: "material-symbols-outlined" }, name);
    span.setAttribute("aria-hidden", "true");
    return span;
  };

  // `editor` is that of conditions.js.
  function valueInput(editor, rule) {
    const takes = editor.takes(rule);
    const field = editor.lookUp(rule.field) || { type: "", choices: [] };
    const box = make("div", { class: "au-rule-value" });
    const isText = typeof rule.value === "string" && rule.value.includes("{{");
    if (takes === "none") return box;
    if (takes === "two") {
      const values = Array.isArray(rule.value) ? rule.value : ["", ""];
      [0, 1].forEach((place) => {
        box.append(text(editor, field, values[place], place ? "And" : "Between", (value) => {
          values[place] = value;
          rule.value = values;
        }));
      });
    } else if (takes === "list" && field.choices.length && !isText) {
      box.append(ticks(editor, field, rule));
    } else if (takes === "list") {
      const shown = Array.isArray(rule.value) ? rule.value.join(", ") : rule.value;
      box.append(text(editor, { type: "" }, shown, "Values, with commas between", (text) => {
        rule.value = String(text).includes("{{") ? text : String(text).split(",").map((one) => read(one.trim(), field.type)).filter((one) => one !== "");
      }, "one, two"));
    } else if (takes === "days" || takes === "count") {
      box.append(text(editor, { type: "number" }, rule.value, takes === "days" ? "Days" : "Length", (value) => (rule.value = value)));
    } else if (takes === "one" && !isText && (field.choices.length || field.type === "boolean")) {
      box.append(choice(editor, field, rule));
    } else {
      box.append(text(editor, takes === "one" ? field : { type: "text" }, rule.value, "Value", (value) => (rule.value = value)));
    }
    return box;
  }

  function choice(editor, field, rule) {
    const select = make("select", { class: "wh-text" });
    select.setAttribute("aria-label", "Value");
    const choices = field.type === "boolean" ? [["true", "Yes"], ["false", "No"]] : field.choices;
    select.add(new Option("Choose…", ""));
    for (const [value, words] of choices) select.add(new Option(words, value));
    select.add(new Option("An expression…", "\0"));
    select.value = rule.value === true ? "true" : rule.value === false ? "false" : String(rule.value ?? "");
    select.addEventListener("change", (event) => {
      event.stopPropagation();
      if (select.value === "\0") {
        rule.value = "{{  }}";
        editor.redraw(rule, "textarea");
        return;
      }
      rule.value = field.type === "boolean" && select.value ? select.value === "true" : select.value;
      editor.changed();
    });
    return select;
  }

  function ticks(editor, field, rule) {
    const chosen = new Set(Array.isArray(rule.value) ? rule.value : []);
    const box = make("div", { class: "au-ticks" });
    for (const [value, words] of field.choices) {
      const tick = make("input", { type: "checkbox", checked: chosen.has(value) });
      tick.addEventListener("change", (event) => {
        event.stopPropagation();
        if (tick.checked) chosen.add(value);
        else chosen.delete(value);
        rule.value = field.choices.map(([one]) => one).filter((one) => chosen.has(one));
        editor.changed();
      });
      box.append(make("label", { class: "au-tick" }, tick, make("span", {}, words)));
    }
    return box;
  }

  function text(editor, field, value, label, set, hint) {
    const hints = { number: "10000", date: "2026-01-31", datetime: "2026-01-31T09:00" };
    const area = make("textarea", { class: "wh-text", rows: 1, placeholder: hint || hints[field.type] || "", spellcheck: false });
    area.setAttribute("aria-label", label);
    area.setAttribute("data-one-line", "");
    if (field.type === "number") area.inputMode = "decimal";
    area.value = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    area.addEventListener("input", () => {
      set(read(area.value, field.type));
      editor.write();
    });
    return make("div", { class: "au-rule-text" }, make("div", { class: "wh-input", "data-expression": "text" }, area));
  }

  // 10,000 is a number where one is meant.
  function read(text, type) {
    if (type !== "number" || text.includes("{{")) return text;
    const plain = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text.trim()) ? text.replaceAll(",", "") : text.trim();
    return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
  }

  window.conditionInputs = { icon, make, valueInput };
})();
