// Fills the page. What comes from models or users is set as text, never as HTML.
"use strict";

const byId = (id) => document.getElementById(id);

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

async function ask(address, options) {
  const response = await fetch(address, options);
  const content = await response.json();
  if (!response.ok) throw new Error(content.error);
  return content;
}

function show(message, failed = false) {
  byId("status").textContent = message;
  byId("status").className = failed ? "error" : "";
}

function axisBox({ axis, instructions }) {
  const box = element("fieldset", null);
  box.append(element("legend", axis));
  for (const { name, phrase, argument, verified } of instructions) {
    const tick = element("input", null, { type: "checkbox", value: name });
    const label = element("label", null, { title: phrase });
    label.append(tick, ` ${name}${verified ? "" : " (no verifier)"}`);
    box.append(label);
    // two instructions of one axis exclude each other
    tick.addEventListener("change", () => {
      if (!tick.checked) return;
      for (const other of box.querySelectorAll("input[type=checkbox]")) {
        if (other !== tick) other.checked = false;
      }
    });
    if (argument !== null) {
      const field = element("input", null, {
        type: "text", placeholder: argument, "aria-label": `${name}: ${argument}`, maxlength: "200",
      });
      tick.argumentField = field;
      field.addEventListener("input", () => {
        tick.checked = field.value !== "";
        tick.dispatchEvent(new Event("change"));
      });
      box.append(field);
    }
  }
  return box;
}

function ticked() {
  return [...document.querySelectorAll("#axes input:checked")].map((tick) => {
    const field = tick.argumentField;
    return field ? { name: tick.value, argument: field.value } : { name: tick.value };
  });
}

function resultBox({ system, asked, text, score, marks }) {
  const box = element("article", null, { "data-system": system });
  box.append(element("h2", asked ? system : `${system} (not asked)`));
  box.append(element("p", text, { class: "text", dir: "auto" }));
  const list = element("ul", null);
  for (const { name, obeyed } of marks) {
    const mark = obeyed === null ? "?" : obeyed ? "✓" : "✗";
    const kind = obeyed === null ? "" : obeyed ? "obeyed" : "missed";
    list.append(element("li", `${mark} ${name}`, { class: kind }));
  }
  box.append(list, element("p", `score ${score.toFixed(3)}`, { class: "score" }));
  return box;
}

async function translate(event) {
  event.preventDefault();
  byId("translate").disabled = true;
  show("translating …");
  try {
    const { results } = await ask("/translate", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: byId("text").value, instructions: ticked() }),
    });
    byId("results").replaceChildren(...results.map(resultBox));
    show("");
  } catch (error) {
    show(error.message, true);
  }
  byId("translate").disabled = false;
}

function clear() {
  byId("results").replaceChildren();
  show("");
}

async function start() {
  try {
    const { axes, longest } = await ask("/instructions");
    byId("text").maxLength = longest;
    byId("axes").replaceChildren(...axes.map(axisBox));
    byId("request").addEventListener("submit", translate);
    byId("request").addEventListener("reset", clear);
    byId("translate").disabled = false;
  } catch (error) {
    show(error.message, true);
  }
}

start();
