// Charts of a table, each with its numbers as a table too. Plotly is read when the first one comes into view.
"use strict";

factroots.charts = (() => {
  const { element, drawing } = factroots;
  const PLOTLY = "assets/plotly.min.js";
  const SHOWN = { displayModeBar: false, responsive: true };
  const dark = matchMedia("(prefers-color-scheme: dark)");

  /**
   * about: {title, draw(table, board, row), of(row, table, board), single}: for which rows there is something to draw,
   * whether that is one at a time, and how many (`least`) make a picture.
   */
  function figure(about, own, board) {
    const able = own.rows.filter((row) => about.of(row, own, board));
    if (able.length < (about.least ?? 1)) return null;
    const label = `${about.title}; its numbers stand in a table`;
    const plot = element("div", { class: "plot", role: "img", "aria-label": label });
    const said = element("figcaption");
    const numbers = element("details", { hidden: true }, element("summary", {}, "The numbers"));
    const options = able.map((row, i) => element("option", { value: i }, row.model));
    const choice = element("select", {}, ...options);
    const tools = element("form", { class: "tools" }, element("label", {}, "Model", choice));
    let table = null;

    function tabulate({ columns, rows }) {
      numbers.hidden = false;
      if (table) return table.show(rows, columns);
      table = factroots.grid({ caption: about.title, columns, rows });
      numbers.append(table.whole);
    }

    async function draw() {
      await factroots.script(PLOTLY);
      const made = about.draw(own, board, able[Number(choice.value)]);
      said.textContent = made.said ?? "";
      Plotly.react(plot, made.traces, drawing.themed(made.layout), SHOWN);
      if (made.columns) tabulate(made);
    }

    let seen = false;
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen = true;
        watch.disconnect();
        draw();
      },
      { rootMargin: "200px" },
    );
    watch.observe(plot);
    choice.addEventListener("input", draw);
    tools.addEventListener("submit", (event) => event.preventDefault());
    dark.addEventListener("change", () => seen && draw());
    const one = about.single && able.length > 1;
    return element(
      "section",
      {},
      element("h3", {}, about.title),
      one ? tools : null,
      element("figure", {}, plot, said, numbers),
    );
  }

  return (place, own, board) => {
    const all = [...factroots.byLanguage, ...factroots.byModel];
    place.append(...all.map((about) => figure(about, own, board)).filter(Boolean));
  };
})();
