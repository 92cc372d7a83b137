// What charts have in common: names that Plotly may draw, colours, bars, and the columns of their numbers.
"use strict";

factroots.drawing = (() => {
  const { foreign, percent } = factroots;
  // Okabe and Ito's colours, which most colour-blind readers tell apart; hatching says the same again.
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999"];
  const HATCHES = ["", "/", ".", "\\", "x", "-", "+"];
  const HATCH = { fillmode: "overlay", fgcolor: "rgba(255, 255, 255, 0.6)", solidity: 0.15, size: 7 };
  const narrow = () => innerWidth < 640;

  /** What the style sheet says, which knows whether it is dark. */
  const styled = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /** A name as Plotly may draw it: it reads tags and entities in its texts. */
  function plain(text, longest = narrow() ? 14 : 32) {
    const letters = [...text];
    const cut = letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : text;
    return `\u2068${cut.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")}\u2069`;
  }

  /** Names of rows that are told apart after they were cut short. */
  function distinct(rows) {
    const seen = new Map();
    return rows.map((row) => {
      const name = plain(row.model);
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return seen.get(name) > 1 ? `${name} (${seen.get(name)})` : name;
    });
  }

  /** Stacked bars of one name; `place` chooses colour and hatching. */
  const bar = (name, x, y, place) => ({
    type: "bar",
    name: plain(name),
    x,
    y,
    marker: { color: COLOURS[place % 7], pattern: { ...HATCH, shape: HATCHES[place % 7] } },
  });

  const dots = (more) => ({
    type: "scatter",
    textposition: "top center",
    cliponaxis: false,
    marker: { color: styled("--accent"), size: 8 },
    ...more,
  });

  const short = new Intl.NumberFormat("en", { notation: "compact" });

  /** A logarithmic axis with a mark at each power of ten, or at 1, 2 and 5 of each where there are few. */
  function logarithmic(text, values) {
    const [low, high] = [Math.min(...values), Math.max(...values)].map(Math.log10);
    const marks = high - low > 2 ? [1] : [1, 2, 5];
    const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 2 }, (_, i) => 10 ** (Math.floor(low) + i));
    const tickvals = powers.flatMap((power) => marks.map((mark) => mark * power));
    const ticktext = tickvals.map((value) => short.format(value));
    return { type: "log", range: [low - 0.15, high + 0.15], tickvals, ticktext, title: { text } };
  }

  /** Columns of tables: a number, and what the rows are. */
  const number = (key, head, value, shown) => ({ key, head, down: true, value, cell: (row) => shown(value(row)) });
  const name = (key, head, said) => ({ key, head, type: "name", value: (row) => row[key], cell: said });
  const columns = {
    number,
    model: name("model", "Model", (row) => foreign(row.model)),
    language: name("lang", "Language", (row) => `${row.lang} (${row.said})`),
    score: (metric) => number("value", metric, (row) => row.value, percent),
  };

  /** Axes, texts and margins as the page has them. */
  function themed(layout) {
    const [text, line] = [styled("--text"), styled("--line")];
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, fixedrange: true };
    const axes = Object.keys({ xaxis: 0, yaxis: 0, ...layout }).filter((key) => /^[xy]axis/.test(key));
    return {
      ...layout,
      ...Object.fromEntries(axes.map((key) => [key, { ...axis, ...layout[key] }])),
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      font: { color: text, family: "system-ui, sans-serif", size: 13 },
      margin: { t: 16, r: 16, b: 56, l: 56 },
      dragmode: false,
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
    };
  }

  return { narrow, styled, plain, distinct, bar, dots, logarithmic, columns, themed };
})();
