// The first page: a table for each class, filtered by what is chosen above, and two models to be compared.
"use strict";

factroots.load("board").then((board) => {
  const { element, foreign, copied, percent, between, count } = factroots;
  const get = (id) => document.getElementById(id);
  if (!get("tools")) return;
  const SVG = "http://www.w3.org/2000/svg";
  const chosen = [];

  function shape(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  /** The interval on the table's own scale, with the mark of chance; its numbers stand beside it. */
  function range(row, top, chance) {
    const at = (value) => (2 + (96 * value) / top).toFixed(2);
    const made = shape("svg", {
      class: "range",
      viewBox: "0 0 100 20",
      preserveAspectRatio: "none",
      "aria-hidden": true,
    });
    if (chance !== null)
      made.append(
        shape("line", { x1: at(chance), x2: at(chance), y1: 3, y2: 17, stroke: "currentColor", opacity: 0.4 }),
      );
    if (row.low !== null && row.low !== undefined)
      made.append(
        shape("line", {
          x1: at(row.low),
          x2: at(row.high),
          y1: 10,
          y2: 10,
          stroke: "currentColor",
          "stroke-width": 2,
          "vector-effect": "non-scaling-stroke",
        }),
      );
    made.append(shape("rect", { x: at(row.value) - 1, y: 6, width: 2, height: 8, fill: "currentColor" }));
    return made;
  }

  /** A value in percent; of a mark the least and the greatest, which the models' tokenizers make differ. */
  function points(value) {
    if (!Array.isArray(value)) return percent(value);
    const [low, high] = value.map(percent);
    return low === high ? low : `${low}–${high}`;
  }

  const rank = (row) =>
    row.rank ? (row.rank[0] === row.rank[1] ? `${row.rank[0]}` : `${row.rank[0]}–${row.rank[1]}`) : null;

  function details(row) {
    const parts = [
      element("summary", {}, "how", element("span", { class: "hidden" }, ` the number of ${row.model} was made`)),
      copied("Signature", row.signature),
    ];
    parts.push(
      row.command ? copied("Command", row.command) : element("p", { class: "soft" }, "The command is not known."),
    );
    if (row.unverified.length)
      parts.push(
        element("p", {}, "Cannot be verified:"),
        element("ul", {}, ...row.unverified.map((text) => element("li", {}, foreign(text)))),
      );
    if (row.note) parts.push(element("p", {}, "Note: ", foreign(row.note)));
    return element("details", {}, ...parts);
  }

  function lacks(row) {
    const some = row.lacks.slice(0, 3).join(", ") + (row.lacks.length > 3 ? ` and ${row.lacks.length - 3} more` : "");
    return element("div", { class: "note" }, "not ranked; lacks ", foreign(some));
  }

  function name(row, own) {
    if (!row.id) return row.model;
    const link = element("a", { href: `models/${row.page}.html` }, foreign(row.model));
    const pick = element("input", { type: "checkbox", class: "pick", "aria-label": `Choose ${row.model} to compare` });
    pick.checked = chosen.includes(row);
    pick.disabled = !row.answers;
    pick.addEventListener("change", () => choose(row, own, pick.checked));
    return element(
      "div",
      { class: "row" },
      pick,
      element("span", { class: "short", title: row.model }, link),
      details(row),
      row.lacks.length ? lacks(row) : null,
    );
  }

  function choose(row, own, picked) {
    const kept = chosen.filter((one) => one !== row && own.rows.includes(one)).slice(picked ? -1 : 0);
    chosen.splice(0, chosen.length, ...kept, ...(picked ? [row] : []));
    for (const table of tables) table.refresh();
    const bar = get("chosen");
    bar.hidden = !chosen.length;
    const [a, b] = chosen;
    if (b) {
      const link = element(
        "a",
        { href: `pair.html#a=${a.id}&b=${b.id}` },
        "Compare ",
        foreign(a.model),
        " with ",
        foreign(b.model),
      );
      bar.firstChild.replaceChildren(link);
    } else if (a)
      bar.firstChild.replaceChildren(foreign(a.model), " is chosen; choose one more of its table to compare");
  }

  /** The columns of a table; where a language is chosen it is the only one. */
  function columns(own, lang) {
    const top = Math.max(1e-9, ...own.rows.map((row) => row.high ?? row.value));
    const chance = own.marks.find((mark) => mark.model === "chance")?.value[0] ?? null;
    const langs = own.langs.map((code, place) => ({
      key: `lang ${code}`,
      head: code,
      said: board.langs[code],
      down: true,
      value: (row) => row.langs[place],
      cell: (row) => points(row.langs[place]),
    }));
    return [
      { key: "rank", head: "Rank", value: (row) => (row.rank ? row.rank[0] + row.rank[1] / 1e6 : null), cell: rank },
      { key: "model", head: "Model", type: "name", value: (row) => row.model, cell: (row) => name(row, own) },
      { key: "value", head: "P@1", down: true, value: (row) => row.value, cell: (row) => points(row.value) },
      {
        key: "low",
        head: "95 %",
        said: "interval of P@1",
        down: true,
        value: (row) => row.low ?? null,
        cell: (row) => (row.low === null || row.low === undefined ? null : between(row.low, row.high)),
      },
      { key: "range", head: "", type: "text", still: true, cell: (row) => (row.id ? range(row, top, chance) : "") },
      {
        key: "n",
        head: "n",
        said: "facts scored",
        down: true,
        value: (row) => row.n ?? null,
        cell: (row) => count(row.n),
      },
      ...(lang ? langs.filter((one) => one.head === lang) : langs),
    ];
  }

  const folded = (text) => text.toLocaleLowerCase("en");

  function filtered(own) {
    const [words, lang, family, origin] = ["text", "lang", "family", "origin"].map((id) =>
      folded(get(id).value).trim(),
    );
    const place = own.langs.findIndex((code) => folded(code) === lang);
    return own.rows.filter(
      (row) =>
        (!lang || (place >= 0 && row.langs[place] !== null)) &&
        (!family || folded(row.family ?? "") === family) &&
        (!origin || folded(row.origin) === origin) &&
        words.split(/\s+/).every((word) => folded(`${row.model} ${row.signature} ${row.note}`).includes(word)),
    );
  }

  const tables = board.tables.map((own, number) => {
    const table = factroots.grid({
      caption: "P@1, % of facts whose best answer is right",
      columns: columns(own, ""),
      rows: own.rows,
      marks: own.marks,
      sort: { key: "rank", down: false },
      empty: "No submission is left; clear the filters",
    });
    document.querySelector(`[data-table="${number}"]`).append(table.whole);
    if (!number) performance.mark("first table");
    factroots.charts(document.querySelector(`[data-charts="${number}"]`), own, board);
    return { refresh: table.refresh, filter: () => table.show(filtered(own), columns(own, get("lang").value)) };
  });

  const values = (pick) => [...new Set(board.tables.flatMap((own) => own.rows.map(pick)))].filter(Boolean).sort();
  const options = {
    lang: Object.entries(board.langs).map(([code, said]) => [code, `${code} (${said})`]),
    family: values((row) => row.family).map((value) => [value, value]),
    origin: values((row) => row.origin).map((value) => [value, value]),
  };
  for (const [id, all] of Object.entries(options))
    get(id).append(...all.map(([value, text]) => element("option", { value }, text)));

  const filter = () => tables.forEach((table) => table.filter());
  get("tools").addEventListener("input", filter);
  get("tools").addEventListener("submit", (event) => event.preventDefault());
  get("tools").addEventListener("reset", () => setTimeout(filter));
});
