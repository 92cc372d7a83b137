// What the charts draw, each from a table's rows: traces and axes for Plotly, and the same numbers as columns and rows.
"use strict";

factroots.figures = (() => {
  const { foreign, percent, count, styled } = factroots;
  // Okabe and Ito's colours, which most colour-blind readers tell apart; hatching says the same again.
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999"];
  const HATCHES = ["", "/", ".", "\\", "x", "-", "+"];
  const KINDS = ["kept", "gained", "lost", "wrong"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = () => innerWidth < 640;

  /** A name as Plotly may draw it: it reads tags and entities in its texts. */
  function plain(text, longest = narrow() ? 14 : 32) {
    const letters = [...text];
    const cut = letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : text;
    return `\u2068${cut.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")}\u2069`;
  }

  /** Names that are told apart after they were cut short. */
  function distinct(rows) {
    const seen = new Map();
    return rows.map((row) => {
      const name = plain(row.model);
      const turn = (seen.get(name) ?? 0) + 1;
      seen.set(name, turn);
      return turn > 1 ? `${name} (${turn})` : name;
    });
  }

  const ranked = (own) => [...own.rows].sort((a, b) => b.value - a.value);
  const model = {
    key: "model",
    head: "Model",
    type: "name",
    value: (row) => row.model,
    cell: (row) => foreign(row.model),
  };
  const column = (key, head, value, shown, said) => ({
    key,
    head,
    said,
    down: true,
    value,
    cell: shown && ((row) => shown(value(row))),
  });
  const language = {
    key: "lang",
    head: "Language",
    type: "name",
    value: (row) => row.lang,
    cell: (row) => `${row.lang} (${row.said})`,
  };
  const p1 = (one) => column("value", "P@1", (row) => row.value, percent, one);

  function ranks(values) {
    const sorted = [...values].sort((a, b) => a - b);
    return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
  }

  function pearson(x, y) {
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [a, b] = [mean(x), mean(y)];
    const sum = (f) => x.reduce((all, _, i) => all + f(x[i] - a, y[i] - b), 0);
    return sum((u, v) => u * v) / Math.sqrt(sum((u) => u * u) * sum((_, v) => v * v));
  }

  const two = (value) => (Number.isFinite(value) ? value.toFixed(2) : "–");

  function heat(own) {
    const rows = ranked(own);
    const short = rows.length > 60;
    const ticks = short ? { showticklabels: false, title: { text: `${rows.length} models, the best first` } } : {};
    return {
      traces: [
        {
          type: "heatmap",
          x: own.langs,
          y: distinct(rows),
          z: rows.map((row) => row.langs.map((value) => (value === null ? null : 100 * value))),
          colorscale: dark.matches
            ? [
                [0, "#1b2a3d"],
                [0.5, "#3878bd"],
                [1, "#d6e8ff"],
              ]
            : [
                [0, "#deebf7"],
                [0.5, "#6baed6"],
                [1, "#08306b"],
              ],
          xgap: short ? 0 : 1,
          ygap: short ? 0 : 1,
          hoverongaps: false,
          hovertemplate: "%{y}<br>%{x}: %{z:.1f}<extra></extra>",
          colorbar: { title: { text: "P@1" }, thickness: 12, outlinewidth: 0 },
        },
      ],
      layout: {
        height: Math.min(1400, 130 + Math.max(20, short ? 3 : 24) * Math.min(rows.length, 400)),
        xaxis: { type: "category", tickangle: 0 },
        yaxis: { type: "category", autorange: "reversed", automargin: true, ...ticks },
      },
      said: "The numbers are those of the table above; what is left empty was not asked.",
    };
  }

  function sizes(own, board, row) {
    const points = own.langs
      .map((lang, i) => ({ lang, said: board.langs[lang], size: board.sizes[lang], value: row.langs[i] }))
      .filter((point) => point.size && point.value !== null);
    if (points.length < 3) return null;
    const [x, y] = [points.map((point) => point.size), points.map((point) => point.value)];
    return {
      traces: [
        {
          type: "scatter",
          mode: "markers+text",
          x: x.map((kib) => kib / 1024),
          y: y.map((value) => 100 * value),
          text: points.map((point) => point.lang),
          textposition: "top center",
          cliponaxis: false,
          marker: { color: styled("--accent"), size: 8 },
          hovertemplate: "%{text}: %{x:.1f} MiB, %{y:.1f}<extra></extra>",
        },
      ],
      layout: {
        height: 440,
        xaxis: { type: "log", dtick: 1, title: { text: "abstracts of its Wikipedia, MiB" } },
        yaxis: { title: { text: "P@1, %" }, rangemode: "tozero" },
      },
      said: `Pearson's r ${two(pearson(x, y))}, Spearman's ρ ${two(pearson(ranks(x), ranks(y)))} over ${points.length} languages. Sizes of autumn 2018.`,
      columns: [language, column("size", "KiB", (one) => one.size, count), p1()],
      rows: points,
    };
  }

  function roots(own, board, row) {
    const names = [...new Set(Object.values(row.roots).flatMap(Object.keys))];
    const rows = Object.keys(row.roots).map((lang) => ({
      lang: lang || "all",
      said: board.langs[lang] ?? "languages",
      shares: row.roots[lang],
    }));
    return {
      traces: names.map((name, i) =>
        bar(
          name,
          rows.map((one) => one.lang),
          rows.map((one) => 100 * (one.shares[name] ?? 0)),
          i,
        ),
      ),
      layout: {
        height: 420,
        barmode: "stack",
        xaxis: { type: "category" },
        yaxis: { title: { text: "% of right answers" }, range: [0, 100.5] },
      },
      columns: [
        language,
        ...names.map((name) => column(`root ${name}`, name, (one) => one.shares[name] ?? null, percent)),
      ],
      rows,
    };
  }

  const bar = (name, x, y, i, more = {}) => ({
    type: "bar",
    name: plain(name),
    x,
    y,
    marker: { color: COLOURS[i % 7], pattern: { shape: HATCHES[i % 7], solidity: 0.25 } },
    hovertemplate: `${plain(name)}, %{x}: %{y:.1f}<extra></extra>`,
    ...more,
  });

  function variants(own) {
    const rows = own.rows.filter((row) => row.change).slice(0, 60);
    const share = (row, kind) => (100 * row.change[kind]) / KINDS.reduce((all, one) => all + row.change[one], 0);
    const names = distinct(rows);
    return {
      traces: KINDS.map((kind, i) => ({
        ...bar(
          kind,
          rows.map((row) => share(row, kind)),
          names,
          i,
        ),
        orientation: "h",
        hovertemplate: `${kind}: %{x:.1f} %<extra></extra>`,
      })),
      layout: {
        height: 140 + 32 * rows.length,
        barmode: "stack",
        xaxis: { title: { text: "% of facts" }, range: [0, 100.5] },
        yaxis: { type: "category", autorange: "reversed", automargin: true },
      },
      said: "Against the base: right both times (kept), only the variant (gained), only the base (lost), neither (wrong).",
      columns: [
        model,
        ...KINDS.map((kind) => column(kind, kind, (row) => row.change[kind], count)),
        column("difference", "P@1 − base's", (row) => row.change.value, percent),
        {
          key: "low",
          head: "95 %",
          value: (row) => row.change.low,
          cell: (row) => factroots.between(row.change.low, row.change.high),
        },
      ],
      rows: own.rows.filter((row) => row.change),
    };
  }

  function costs(own) {
    const rows = ranked(own).filter((row) => row.parameters || row.seconds);
    const points = (key, axis) => {
      const with_ = rows.filter((row) => row[key]);
      return {
        type: "scatter",
        mode: with_.length > 12 ? "markers" : "markers+text",
        x: with_.map((row) => row[key]),
        y: with_.map((row) => 100 * row.value),
        text: with_.map((row) => plain(row.model, 20)),
        textposition: "top center",
        cliponaxis: false,
        xaxis: `x${axis}`,
        yaxis: `y${axis}`,
        marker: { color: styled("--accent"), size: 8 },
        hovertemplate: "%{text}: %{x:,}, %{y:.1f}<extra></extra>",
        error_y: {
          type: "data",
          symmetric: false,
          array: with_.map((row) => 100 * ((row.high ?? row.value) - row.value)),
          arrayminus: with_.map((row) => 100 * (row.value - (row.low ?? row.value))),
          thickness: 1,
          width: 3,
        },
      };
    };
    return {
      traces: [points("parameters", ""), points("seconds", "2")],
      layout: {
        height: narrow() ? 700 : 440,
        showlegend: false,
        grid: { ...(narrow() ? { rows: 2, columns: 1 } : { rows: 1, columns: 2 }), pattern: "independent" },
        xaxis: { type: "log", dtick: 1, title: { text: "parameters" } },
        xaxis2: { type: "log", dtick: 1, title: { text: "seconds" } },
        yaxis: { title: { text: "P@1, %" }, rangemode: "tozero" },
        yaxis2: { rangemode: "tozero" },
      },
      columns: [
        model,
        p1(),
        column("parameters", "Parameters", (row) => row.parameters, count),
        column("seconds", "Seconds", (row) => row.seconds, count),
      ],
      rows,
    };
  }

  /** What there is to draw: for which rows it is there, and whether it is of one of them at a time. */
  const FIGURES = [
    { title: "P@1 by language and model", draw: heat, of: (row, own) => own.langs.length > 1 },
    {
      title: "P@1 against the size of Wikipedia",
      draw: sizes,
      of: (row, own, board) => own.langs.filter((lang, i) => board.sizes[lang] && row.langs[i] !== null).length > 2,
      single: true,
    },
    { title: "Roots of right answers by language", draw: roots, of: (row) => row.roots, single: true },
    { title: "Variants: facts kept, gained and lost", draw: variants, of: (row) => row.change },
    { title: "Size and time against P@1", draw: costs, of: (row) => row.parameters || row.seconds },
  ];

  return FIGURES;
})();
