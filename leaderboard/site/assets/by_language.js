// Charts over languages: all models at once, one against the size of Wikipedias, and where right answers came from.
"use strict";

factroots.byLanguage = (() => {
  const { percent, count, drawing } = factroots;
  const { columns } = drawing;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const LIGHT = ["#deebf7", "#6baed6", "#08306b"];
  const DARK = ["#1b2a3d", "#3878bd", "#d6e8ff"];
  const NAMED = 60; // of more models than this the names would not be legible

  function heat(own) {
    const rows = [...own.rows].sort((a, b) => b.value - a.value);
    const many = rows.length > NAMED;
    const scale = (dark.matches ? DARK : LIGHT).map((colour, i) => [i / 2, colour]);
    const unnamed = { showticklabels: false, ticks: "", title: { text: `${rows.length} models, the best first` } };
    const trace = {
      type: "heatmap",
      x: own.langs,
      y: drawing.distinct(rows),
      z: rows.map((row) => row.langs.map((value) => (value === null ? null : 100 * value))),
      colorscale: scale,
      xgap: many ? 0 : 1,
      ygap: many ? 0 : 1,
      hoverongaps: false,
      hovertemplate: "%{y}<br>%{x}: %{z:.1f}<extra></extra>",
      colorbar: { title: { text: own.metric }, thickness: 12, outlinewidth: 0 },
    };
    return {
      traces: [trace],
      layout: {
        height: many ? Math.min(900, 130 + 3 * rows.length) : 180 + 24 * rows.length,
        xaxis: { type: "category", tickangle: 0, showgrid: false },
        yaxis: { type: "category", autorange: "reversed", automargin: true, showgrid: false, ...(many ? unnamed : {}) },
      },
      said: "The numbers are those of the table above; what is left empty was not asked.",
    };
  }

  /** The languages of a row that have a score and a Wikipedia of known size. */
  const sized = (own, board, row) =>
    own.langs
      .map((lang, i) => ({ lang, said: board.langs[lang], size: board.sizes[lang], value: row.langs[i] }))
      .filter((point) => point.size && point.value !== null);

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

  const two = (value) => (Number.isFinite(value) ? value.toFixed(2).replace("-", "−") : "–");

  function sizes(own, board, row) {
    const rows = sized(own, board, row);
    const [x, y] = [rows.map((point) => point.size), rows.map((point) => point.value)];
    const trace = drawing.dots({
      mode: "markers+text",
      x: x.map((kib) => kib / 1024),
      y: y.map((value) => 100 * value),
      text: rows.map((point) => point.lang),
      textfont: { size: rows.length > 25 ? 10 : 12 },
      hovertemplate: "%{text}: %{x:.1f} MiB, %{y:.1f}<extra></extra>",
    });
    const r = `Pearson's r ${two(pearson(x, y))}, Spearman's ρ ${two(pearson(ranks(x), ranks(y)))}`;
    return {
      traces: [trace],
      layout: {
        height: 440,
        xaxis: drawing.logarithmic("abstracts of its Wikipedia, MiB", trace.x),
        yaxis: { title: { text: `${own.metric}, %` }, rangemode: "tozero" },
      },
      said: `${r} over ${rows.length} languages; the sizes are those of autumn 2018.`,
      columns: [columns.language, columns.number("size", "KiB", (one) => one.size, count), columns.score(own.metric)],
      rows,
    };
  }

  function roots(own, board, row) {
    const names = [...new Set(Object.values(row.roots).flatMap(Object.keys))];
    const said = (lang) => ({ lang: lang || "all", said: board.langs[lang] ?? "languages", shares: row.roots[lang] });
    const rows = Object.keys(row.roots).map(said);
    const langs = rows.map((one) => one.lang);
    const share = (name) => rows.map((one) => 100 * (one.shares[name] ?? 0));
    return {
      traces: names.map((name, i) => drawing.bar(name, langs, share(name), i)),
      layout: {
        height: 420,
        barmode: "stack",
        xaxis: { type: "category" },
        yaxis: { title: { text: "% of right answers" }, range: [0, 100.5] },
      },
      columns: [
        columns.language,
        ...names.map((name) => columns.number(`root ${name}`, name, (one) => one.shares[name] ?? null, percent)),
      ],
      rows,
    };
  }

  return [
    { title: "Scores by language and model", draw: heat, of: (row, own) => own.langs.length > 1, least: 2 },
    {
      title: "Scores against the size of Wikipedia",
      draw: sizes,
      of: (row, own, board) => sized(own, board, row).length > 2,
      single: true,
    },
    { title: "Roots of right answers by language", draw: roots, of: (row) => row.roots, single: true },
  ];
})();
