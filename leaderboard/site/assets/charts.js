// Charts of a table, each with its numbers as a table too. Plotly is read when the first one comes into view.
"use strict";

factroots.charts = (() => {
  const { element, styled } = factroots;
  const PLOTLY = "assets/plotly.min.js";
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function themed(layout) {
    const [text, line] = [styled("--text"), styled("--line")];
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, fixedrange: true };
    const axes = Object.entries({ xaxis: {}, yaxis: {}, ...layout }).filter(([key]) => /^[xy]axis/.test(key));
    return {
      ...layout,
      ...Object.fromEntries(axes.map(([key, own]) => [key, { ...axis, ...own }])),
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      font: { color: text, family: "system-ui, sans-serif", size: 13 },
      margin: { t: 16, r: 16, b: 56, l: 56 },
      dragmode: false,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    };
  }

  function figure(about, own, board) {
    const able = own.rows.filter((row) => about.of(row, own, board));
    if (!able.length) return null;
    const plot = element("div", {
      class: "plot",
      role: "img",
      "aria-label": `${about.title}; its numbers stand in a table`,
    });
    const said = element("figcaption");
    const numbers = element("details", {}, element("summary", {}, "The numbers"));
    const choice = element("select", {}, ...able.map((row, i) => element("option", { value: i }, row.model)));
    const pick = element("form", { class: "tools" }, element("label", {}, "Model", choice));
    let table = null;

    async function draw() {
      await factroots.script(PLOTLY);
      const made = about.draw(own, board, able[Number(choice.value) || 0]);
      said.textContent = made.said ?? "";
      Plotly.react(plot, made.traces, themed(made.layout), { displayModeBar: false, responsive: true });
      numbers.hidden = !made.columns;
      if (!made.columns) return;
      if (table) table.show(made.rows, made.columns);
      else
        numbers.append(
          (table = factroots.grid({ caption: about.title, columns: made.columns, rows: made.rows })).whole,
        );
    }

    let seen = false;
    const watch = new IntersectionObserver(
      (entries) => {
        if (seen || !entries.some((entry) => entry.isIntersecting)) return;
        seen = true;
        watch.disconnect();
        draw();
      },
      { rootMargin: "200px" },
    );
    watch.observe(plot);
    choice.addEventListener("input", draw);
    pick.addEventListener("submit", (event) => event.preventDefault());
    dark.addEventListener("change", () => seen && draw());
    return element(
      "section",
      {},
      element("h3", {}, about.title),
      about.single && able.length > 1 ? pick : null,
      element("figure", {}, plot, said, numbers),
    );
  }

  return (place, own, board) =>
    place.append(...factroots.figures.map((about) => figure(about, own, board)).filter(Boolean));
})();
