// The cells of a submission's row: its rank, its interval drawn, its name with all that decided its number.
"use strict";

factroots.rows = (() => {
  const { element, foreign, copied, percent } = factroots;
  const SVG = "http://www.w3.org/2000/svg";

  function shape(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  /** The interval on the table's own scale, with the mark of chance; its numbers stand beside it. */
  function range(row, top, chance) {
    const at = (value) => (2 + (96 * value) / top).toFixed(2);
    const line = (x1, x2, y1, y2, more) => shape("line", { x1: at(x1), x2: at(x2), y1, y2, ...more });
    const whole = { class: "range", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": true };
    const made = shape("svg", whole);
    if (chance !== null) made.append(line(chance, chance, 3, 17, { class: "chance" }));
    if (row.low !== null) made.append(line(row.low, row.high, 10, 10, {}));
    made.append(shape("rect", { x: at(row.value) - 1, y: 6, width: 2, height: 8 }));
    return made;
  }

  /** A value in percent; of a mark the least and the greatest, which the models' tokenizers make differ. */
  function points(value) {
    if (!Array.isArray(value)) return percent(value);
    const [low, high] = value.map(percent);
    return low === high ? low : value.map((one) => Math.round(100 * one)).join("–");
  }

  const rank = (row) => row.rank && [...new Set(row.rank)].join("–");

  /** How a number was made; most rows are never asked. */
  function how(row) {
    const label = `How the number of ${row.model} was made`;
    const made = element("details", {}, element("summary", { "aria-label": label }, "how"));
    made.addEventListener("toggle", () => made.append(...told(row)), { once: true });
    return made;
  }

  function told(row) {
    const parts = [copied("Signature", row.signature)];
    if (row.command) parts.push(copied("Command", row.command));
    if (row.unverified.length) {
      const lines = row.unverified.map((text) => element("li", {}, foreign(text)));
      parts.push(element("p", {}, "Cannot be verified:"), element("ul", {}, ...lines));
    }
    if (row.note) parts.push(element("p", {}, "Note: ", foreign(row.note)));
    return parts;
  }

  /** The row's head: a box to choose it by, its model's page, how it was made, what it lacks. */
  function name(row, chosen, choose) {
    if (!row.id) return row.model; // a mark
    const label = `Choose ${row.model} to compare`;
    const pick = element("input", { type: "checkbox", class: "pick", value: row.id, "aria-label": label });
    pick.checked = chosen;
    pick.disabled = !row.answers;
    pick.addEventListener("change", () => choose(pick.checked));
    const link = element("a", { href: `models/${row.page}.html`, title: row.model }, foreign(row.model));
    const made = element("div", { class: "row" }, pick, element("span", { class: "short" }, link), how(row));
    if (row.lacks.length)
      made.append(element("div", { class: "note" }, "not ranked; lacks ", foreign(row.lacks.join("; "))));
    return made;
  }

  return { range, points, rank, name };
})();
