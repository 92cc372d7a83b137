// The first page: a table for each class, filtered by what is chosen above, and two models to be compared.
"use strict";

factroots.load("board").then((board) => {
  const { element, foreign, between, count, rows: cells } = factroots;
  const get = (id) => document.getElementById(id);
  if (!get("tools")) return; // nothing has been submitted
  let chosen = [];

  /** One row is chosen or no more; with two there is something to compare. Only rows of one table may be. */
  function choose(row, own, picked) {
    chosen = chosen.filter((one) => one !== row && own.rows.includes(one));
    if (picked) chosen = [...chosen.slice(-1), row];
    for (const box of document.querySelectorAll(".pick")) box.checked = chosen.some((one) => one.id === box.value);
    const [a, b] = chosen;
    get("chosen").hidden = !a;
    if (!a) return;
    const link = () =>
      element("a", { href: `pair.html#a=${a.id}&b=${b.id}` }, "Compare ", foreign(a.model), " with ", foreign(b.model));
    get("chosen").firstChild.replaceChildren(
      ...(b ? [link()] : [foreign(a.model), " is chosen; choose one more of its table"]),
    );
  }

  /** The columns of a table; where a language is chosen it is the only one. */
  function columns(own, lang) {
    const top = Math.max(1e-9, ...own.rows.map((row) => row.high ?? row.value));
    const chance = own.marks.find((mark) => mark.model === "chance")?.value[0] ?? null;
    const number = (key, head, value, cell, said) => ({ key, head, said, down: true, value, cell });
    const name = (row) => cells.name(row, chosen.includes(row), (picked) => choose(row, own, picked));
    const langs = own.langs.map((code, i) =>
      number(
        `lang ${code}`,
        code,
        (row) => row.langs[i],
        (row) => cells.points(row.langs[i]),
        board.langs[code],
      ),
    );
    return [
      { key: "rank", head: "Rank", value: (row) => row.rank && row.rank[0] + row.rank[1] / 1e6, cell: cells.rank },
      { key: "model", head: "Model", type: "name", value: (row) => row.model, cell: name },
      number(
        "value",
        own.metric,
        (row) => row.value,
        (row) => cells.points(row.value),
      ),
      number(
        "low",
        "95 %",
        (row) => row.low,
        (row) => ((row.low ?? null) === null ? null : between(row.low, row.high)),
        `interval of ${own.metric}`,
      ),
      {
        key: "range",
        head: "",
        type: "text",
        still: true,
        cell: (row) => (row.id ? cells.range(row, top, chance) : ""),
      },
      number(
        "n",
        "n",
        (row) => row.n,
        (row) => count(row.n),
        "facts scored",
      ),
      ...(lang ? langs.filter((one) => one.head === lang) : langs),
    ];
  }

  const folded = (text) => text.toLocaleLowerCase("en");

  /** The rows of a table that are left by what is chosen above it. */
  function filtered(own) {
    const [family, origin, lang] = ["family", "origin", "lang"].map((id) => get(id).value);
    const words = folded(get("text").value).split(/\s+/);
    const place = own.langs.indexOf(lang);
    const said = (row) => folded(`${row.model} ${row.signature} ${row.note}`);
    return own.rows.filter(
      (row) =>
        (!lang || (place >= 0 && row.langs[place] !== null)) &&
        (!family || row.family === family) &&
        (!origin || row.origin === origin) &&
        words.every((word) => said(row).includes(word)),
    );
  }

  const tables = board.tables.map((own, place) => {
    const table = factroots.grid({
      caption: own.caption,
      columns: columns(own, ""),
      rows: own.rows,
      marks: own.marks,
      sort: { key: "rank", down: false },
      empty: "No submission is left; clear the filters",
    });
    document.querySelector(`[data-table="${place}"]`).append(table.whole);
    if (!place) performance.mark("first table");
    factroots.charts(document.querySelector(`[data-charts="${place}"]`), own, board);
    let lang = "";
    return () => {
      const same = lang === get("lang").value;
      lang = get("lang").value;
      table.show(filtered(own), same ? undefined : columns(own, lang));
    };
  });

  function offer(id, pairs) {
    get(id).append(...pairs.map(([value, text]) => element("option", { value }, text)));
  }
  const rows = board.tables.flatMap((own) => own.rows);
  for (const key of ["family", "origin"]) {
    const values = [...new Set(rows.map((row) => row[key]))].filter(Boolean).sort();
    offer(
      key,
      values.map((value) => [value, value]),
    );
  }
  offer(
    "lang",
    Object.entries(board.langs).map(([code, said]) => [code, `${code} (${said})`]),
  );

  const filter = () => tables.forEach((show) => show());
  get("tools").addEventListener("input", filter);
  get("tools").addEventListener("submit", (event) => event.preventDefault());
  get("tools").addEventListener("reset", () => setTimeout(filter)); // after the fields are empty
});
