// The editor of conditions: groups of rules, or one expression. It works on the JSON in a hidden input of its form.
(() => {
  "use strict";

  const NEW_RULE = () => ({ field: "", operator: "", value: "" });
  const { icon, make, valueInput } = window.conditionInputs;

  async function start(box) {
    if (box.dataset.ready) return;
    box.dataset.ready = "1";
    const hidden = box.querySelector("input[type=hidden]");
    let known;
    try {
      known = await window.automationNames(box.dataset.owner);
    } catch {
      box.querySelector("p").textContent = "The fields could not be loaded. Load the page again.";
      delete box.dataset.ready;
      return;
    }
    const written = hidden.value ? JSON.parse(hidden.value) : null;
    const editor = new Editor(box, hidden, known, written || { match: "all", rules: [] });
    editor.draw();
  }

  class Editor {
    constructor(box, hidden, known, document_) {
      Object.assign(this, { box, hidden, known, document: document_ });
      this.isDisabled = box.closest("fieldset")?.disabled;
      this.fields = new Map();
      for (const group of known.fields) for (const field of group.fields) this.fields.set(field.path, field);
    }

    draw() {
      const isExpression = "expression" in this.document;
      const modes = make("div", { class: "wh-segments au-modes" });
      for (const [mode, words] of [["rules", "Rules"], ["expression", "One expression"]]) {
        const radio = make("input", { type: "radio", checked: (mode === "expression") === isExpression });
        radio.name = `mode-${Math.random()}`;
        radio.addEventListener("change", (event) => {
          event.stopPropagation();
          this.document = mode === "expression" ? { expression: "" } : { match: "all", rules: [] };
          this.changed();
          this.draw();
        });
        modes.append(make("label", { class: "wh-segment" }, radio, make("span", {}, words)));
      }
      const parts = [this.hidden];
      parts.push(isExpression ? this.expression() : this.group(this.document, null));
      if (!this.isDisabled) parts.push(modes);
      this.box.replaceChildren(...parts);
      this.point();
      document.dispatchEvent(new CustomEvent("au-dressed", { detail: this.box }));
    }

    expression() {
      const area = make("textarea", { class: "wh-text", rows: 2, placeholder: "record.value > 10000 and record.stage != 'lost'", spellcheck: false });
      area.setAttribute("aria-label", "Expression that has to be true");
      area.value = this.document.expression || "";
      area.addEventListener("input", () => {
        this.document.expression = area.value;
        this.write();
      });
      return make("div", {}, make("div", { class: "wh-input", "data-expression": "bare" }, area));
    }

    // --- Groups ---

    group(group, parent) {
      const list = make("div", { class: parent ? "au-group au-group-inner" : "au-group", "data-pointer": "" });
      group.element = list;
      if (group.rules.length > 1 || parent) {
        const match = make("select", { class: "wh-text au-match" });
        match.setAttribute("aria-label", "How the rules are joined");
        match.add(new Option("All of these are true", "all"));
        match.add(new Option("Any of these is true", "any"));
        match.value = group.match || "all";
        match.addEventListener("change", (event) => {
          event.stopPropagation();
          group.match = match.value;
          this.changed();
        });
        const head = make("div", { class: "au-group-head" }, match);
        if (parent) head.append(this.removeButton(parent, group, "Remove this group"));
        list.append(head);
      } else if (!group.rules.length) {
        list.append(make("p", { class: "wh-quiet" }, this.box.dataset.owner === "conditions" ? "No conditions: it goes on every time." : "Say when this case is taken."));
      }
      for (const member of group.rules) list.append("rules" in member ? this.group(member, group) : this.rule(member, group));
      if (!this.isDisabled) {
        const add = (words, member) => {
          const button = make("button", { type: "button", class: "wh-add" }, icon("add"), ` ${words}`);
          button.addEventListener("click", () => {
            group.rules.push(member());
            this.draw();
            const added = group.rules.at(-1);
            (added.element || this.box).querySelector("select, input:not([type=hidden])")?.focus();
          });
          return button;
        };
        const buttons = make("div", { class: "au-group-buttons" }, add("Add a rule", NEW_RULE));
        if (group.rules.length) buttons.append(add("Add a group", () => ({ match: "any", rules: [NEW_RULE()] })));
        list.append(buttons);
      }
      return list;
    }

    removeButton(parent, member, words) {
      const button = make("button", { type: "button", class: "wh-icon wh-icon-bad" }, icon("close"));
      button.setAttribute("aria-label", words);
      button.title = words;
      button.addEventListener("click", () => {
        parent.rules.splice(parent.rules.indexOf(member), 1);
        this.changed();
        this.draw();
        this.box.querySelector(".wh-add")?.focus();
      });
      return button;
    }

    // --- Rules ---

    rule(rule, parent) {
      const line = make("div", { class: "au-rule", "data-pointer": "" });
      rule.element = line;
      line.append(this.fieldInput(rule));
      if (rule.field) line.append(this.operatorInput(rule), valueInput(this, rule));
      if (!this.isDisabled) line.append(this.removeButton(parent, rule, "Remove this rule"));
      return line;
    }

    fieldInput(rule) {
      if (rule.isFree || (rule.field && !this.lookUp(rule.field))) {
        const input = make("input", { class: "wh-text", type: "text", value: rule.field, placeholder: "steps.lookup.response.id", spellcheck: false });
        input.setAttribute("aria-label", "Path to look at");
        input.addEventListener("change", (event) => {
          event.stopPropagation();
          rule.field = input.value.trim();
          rule.operator ||= "equals";
          this.changed();
          this.redraw(rule);
        });
        return input;
      }
      const select = make("select", { class: "wh-text au-rule-field" });
      select.setAttribute("aria-label", "Field");
      select.add(new Option("Choose a field…", ""));
      for (const group of this.known.fields) {
        const part = make("optgroup", { label: group.label });
        for (const field of group.fields) part.append(new Option(field.label, field.path));
        select.append(part);
      }
      select.append(new Option("Something else…", "\0"));
      select.value = this.lookUp(rule.field)?.path ?? "";
      select.addEventListener("change", (event) => {
        event.stopPropagation();
        if (select.value === "\0") {
          rule.isFree = true;
          rule.field = "";
        } else {
          rule.field = select.value;
          const fits = this.operators(rule);
          if (!fits.some((one) => one.name === rule.operator)) rule.operator = fits[0].name;
          rule.value = "";
        }
        this.changed();
        this.redraw(rule);
      });
      return select;
    }

    // Old forms of a path, record.amount, are the field's.
    lookUp(path) {
      return this.fields.get(path) || this.fields.get(path.replace(/^record\./, ""));
    }

    operators(rule) {
      const field = this.lookUp(rule.field);
      const isOfRecord = field && !/^(steps|vars|event|actor|object|run|automation|secrets|error|now|webhook)\b/.test(field.path) && !/^record\..*\./.test(field.path);
      return this.known.operators.filter(
        (one) => (!field?.type || one.suits.includes(field.type) || one.name === rule.operator) && (!one.changes || isOfRecord || !field),
      );
    }

    operatorInput(rule) {
      const select = make("select", { class: "wh-text au-rule-operator" });
      select.setAttribute("aria-label", "Comparison");
      for (const one of this.operators(rule)) {
        const option = new Option(one.label, one.name);
        option.title = one.hint;
        select.add(option);
      }
      select.value = rule.operator;
      select.addEventListener("change", (event) => {
        event.stopPropagation();
        const before = this.takes(rule);
        rule.operator = select.value;
        if (this.takes(rule) !== before) rule.value = { two: ["", ""], list: [] }[this.takes(rule)] ?? "";
        this.changed();
        this.redraw(rule, ".au-rule-operator");
      });
      return select;
    }

    takes(rule) {
      return this.known.operators.find((one) => one.name === rule.operator)?.takes || "one";
    }

    // --- Keeping it ---

    redraw(rule, focus) {
      const old = rule.element;
      const parent = this.parentOf(rule);
      const fresh = this.rule(rule, parent);
      old.replaceWith(fresh);
      this.point();
      document.dispatchEvent(new CustomEvent("au-dressed", { detail: fresh }));
      const next = focus || (rule.field ? ".au-rule-value :is(textarea, select)" : "input");
      (fresh.querySelector(next) || fresh.querySelector(".au-rule-operator, input, select"))?.focus();
    }

    parentOf(member, group = this.document) {
      if (group.rules.includes(member)) return group;
      for (const inner of group.rules) {
        const found = "rules" in inner && this.parentOf(member, inner);
        if (found) return found;
      }
      return null;
    }

    // Rules without a field are not begun yet: they are not kept.
    plain(group) {
      const rules = [];
      for (const member of group.rules) {
        if ("rules" in member) {
          const inner = this.plain(member);
          if (inner.rules.length) rules.push(inner);
        } else if (member.field) {
          const rule = { field: member.field, operator: member.operator };
          if (this.takes(member) !== "none") rule.value = member.value;
          rules.push(rule);
        }
      }
      return { match: group.match || "all", rules };
    }

    // Where each rule is in the JSON: for mistakes.
    point(group = this.document, pointer = "") {
      if ("expression" in group) return;
      if (group.element) group.element.dataset.pointer = pointer;
      let place = 0;
      for (const member of group.rules) {
        const isKept = "rules" in member ? this.plain(member).rules.length : member.field;
        const own = isKept ? `${pointer}/rules/${place++}` : "";
        if ("rules" in member) this.point(member, own);
        else if (member.element) member.element.dataset.pointer = own;
      }
    }

    write() {
      const kept = "expression" in this.document ? { expression: this.document.expression } : this.plain(this.document);
      this.hidden.value = JSON.stringify(kept);
      this.point();
    }

    changed() {
      this.write();
      this.hidden.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  // Of the request that was chosen there are other fields.
  document.addEventListener("au-sample-chosen", () => {
    for (const box of document.querySelectorAll("[data-conditions][data-ready]")) {
      delete box.dataset.ready;
      start(box);
    }
  });
  document.addEventListener("au-dressed", (event) => {
    const within = event.detail;
    for (const box of within.querySelectorAll("[data-conditions]")) {
      if (!box.closest("[hidden]")) start(box);
    }
  });
})();
