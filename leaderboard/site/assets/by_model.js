// Charts over models: what variants changed of their bases, and what scores cost.
"use strict";

factroots.byModel = (() => {
  const { percent, between, count, drawing } = factroots;
  const { columns } = drawing;
  const COSTS = { parameters: "parameters", seconds: "seconds of the run" };
  const KINDS = ["kept", "gained", "lost", "wrong"];
  const SHOWN = 60; // bars; the table has all

  function variants(own) {
    const rows = own.rows.filter((row) => row.change);
    const names = drawing.distinct(rows.slice(0, SHOWN));
    const total = (row) => KINDS.reduce((sum, kind) => sum + row.change[kind], 0);
    const share = (kind) => rows.slice(0, SHOWN).map((row) => (100 * row.change[kind]) / total(row));
    const traces = KINDS.map((kind, i) => ({ ...drawing.bar(kind, share(kind), names, i), orientation: "h" }));
    return {
      traces,
      layout: {
        height: 140 + 32 * names.length,
        barmode: "stack",
        xaxis: { title: { text: "% of facts" }, range: [0, 100.5] },
        yaxis: { type: "category", autorange: "reversed", automargin: true },
      },
      said:
        "Facts that the base and the variant know (kept), the variant only (gained), the base only (lost), neither " +
        "(wrong).",
      columns: [
        columns.model,
        ...KINDS.map((kind) => columns.number(kind, kind, (row) => row.change[kind], count)),
        columns.number("value", "variant − base", (row) => row.change.value, percent),
        {
          ...columns.number("low", "95 %", (row) => row.change.low),
          cell: ({ change }) => between(change.low, change.high),
        },
      ],
      rows,
    };
  }

  /** Dots of the rows that have `key`, with their intervals, on the axes of this number. */
  function points(rows, key, axis) {
    const own = rows.filter((row) => row[key]);
    const away = (bound, sign) => own.map((row) => 100 * sign * ((row[bound] ?? row.value) - row.value));
    return drawing.dots({
      mode: own.length > 12 ? "markers" : "markers+text",
      x: own.map((row) => row[key]),
      y: own.map((row) => 100 * row.value),
      text: own.map((row) => drawing.plain(row.model, 20)),
      xaxis: `x${axis}`,
      yaxis: `y${axis}`,
      hovertemplate: "%{text}: %{x:,}, %{y:.1f}<extra></extra>",
      error_y: { symmetric: false, array: away("high", 1), arrayminus: away("low", -1), thickness: 1, width: 3 },
    });
  }

  function costs(own) {
    const rows = own.rows.filter((row) => row.parameters || row.seconds);
    const narrow = drawing.narrow();
    const known = Object.keys(COSTS).filter((key) => rows.some((row) => row[key]));
    const axes = (key, i) => [
      [`xaxis${i ? 2 : ""}`, drawing.logarithmic(COSTS[key], rows.map((row) => row[key]).filter(Boolean))],
      [`yaxis${i ? 2 : ""}`, { title: { text: i ? "" : `${own.metric}, %` }, rangemode: "tozero" }],
    ];
    return {
      traces: known.map((key, i) => points(rows, key, i ? "2" : "")),
      layout: {
        height: narrow ? 350 * known.length : 440,
        showlegend: false,
        grid: { rows: narrow ? known.length : 1, columns: narrow ? 1 : known.length, pattern: "independent" },
        ...Object.fromEntries(known.flatMap(axes)),
      },
      columns: [
        columns.model,
        columns.score(own.metric),
        columns.number("parameters", "Parameters", (row) => row.parameters, count),
        columns.number("seconds", "Seconds", (row) => row.seconds, count),
      ],
      rows,
    };
  }

  return [
    { title: "Variants: facts kept, gained and lost", draw: variants, of: (row) => row.change },
    { title: "Scores against size and time", draw: costs, of: (row) => row.parameters || row.seconds, least: 2 },
  ];
})();
