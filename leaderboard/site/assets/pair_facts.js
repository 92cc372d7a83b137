// The facts of a language with what two models answered: those that differ, or others, searched and paged.
"use strict";

factroots.pairFacts = (() => {
  const { element, foreign, count, load } = factroots;
  const get = (id) => document.getElementById(id);
  const ANSWERS = { 1: "right", 0: "wrong", "-": "not answered" };
  const KINDS = ["both", "a", "b", "neither", "missing"];
  let shown = null; // {rows, grid}
  let asked = 0; // counts what was asked for, so that a late answer to an older question is dropped

  /** What two answers are together. */
  const kind = (a, b) =>
    a === "-" || b === "-" ? "missing" : a === b ? (a === "1" ? "both" : "neither") : a === "1" ? "a" : "b";

  const rank = (answer) => (answer.rank === "-" ? null : parseInt(answer.rank, 36));
  function said(answer) {
    const place = rank(answer) === null ? "" : `, rank ${rank(answer)}${answer.rank === "z" ? "+" : ""}`;
    return ANSWERS[answer.right] + place;
  }

  /** Where a right answer came from, with the passages that its fact stands in. */
  function source([name, why, lang, texts]) {
    const root = `${name.replace(":", ": ")} ${why}`.trim();
    if (!texts.length) return element("div", { class: "note" }, root);
    const passages = texts.map((text) => element("li", {}, foreign(text, { lang })));
    return element("details", {}, element("summary", {}, root), element("ul", { class: "passages" }, ...passages));
  }

  const answer = (own) => element("div", {}, said(own), own.root ? source(own.root) : null);

  function columns(rows, named) {
    const text = (key, head, type = "text") => ({
      key,
      head,
      type,
      value: (row) => row[key],
      cell: (row) => foreign(row[key]),
    });
    const side = (key) => ({
      key,
      head: key.toUpperCase(),
      type: "text",
      value: (row) => rank(row[key]) ?? ANSWERS[row[key].right],
      cell: (row) => answer(row[key]),
    });
    const template = {
      key: "template",
      head: "Template",
      value: (row) => row.template,
      cell: (row) => count(row.template),
    };
    const names = named
      ? [text("subject", "Subject", "name"), text("relation", "Relation"), text("object", "Object")]
      : [text("item", "Fact", "name"), text("relation", "Relation")];
    return [
      ...names,
      side("a"),
      side("b"),
      ...(rows.some((row) => row.template) ? [template] : []),
      ...(named ? [text("item", "Fact")] : []),
    ];
  }

  /** The facts of a language, and what both sides answered there; `roots` is of each side, or null. */
  function joined(known, sides, roots) {
    const answer = (side, i) => ({
      right: sides[side].answers?.right[i] ?? "-",
      rank: sides[side].answers?.rank[i] ?? "-",
      root: roots[side]?.[i],
    });
    return known.item.map((item, i) => {
      const [subject, object] = known.names?.[i] ?? ["", ""];
      const [a, b] = [answer(0, i), answer(1, i)];
      const about = {
        item,
        subject,
        object,
        template: known.template[i],
        relation: known.relations[known.relation[i]],
      };
      const text = `${item} ${subject} ${object}`.toLocaleLowerCase("en");
      return { ...about, a, b, kind: kind(a.right, b.right), text };
    });
  }

  /** Show the facts of a table in a language. sides: what each of two rows answered there. */
  async function show({ table, lang, sides }) {
    const turn = ++asked;
    const place = table.langs.indexOf(lang);
    const traced = ({ row }) => (row.traced.includes(lang) ? load(`roots-${row.id}-${place}`) : null);
    const [known, ...roots] = await Promise.all([load(`facts-${table.id}-${place}`), ...sides.map(traced)]);
    if (turn !== asked) return;
    const rows = joined(known, sides, roots);
    const options = known.relations.map((value) => element("option", { value }, value));
    get("relation").replaceChildren(element("option", { value: "" }, "all"), ...options);
    const more = { rows: [], empty: "No such fact" };
    shown = { rows, grid: factroots.grid({ caption: "Facts", columns: columns(rows, known.names), ...more }) };
    get("facts").replaceChildren(shown.grid.whole);
    filter();
  }

  function filter() {
    if (!shown) return;
    const [wanted, relation] = [get("kind").value, get("relation").value];
    const words = get("text").value.toLocaleLowerCase("en").split(/\s+/);
    const kinds = { all: KINDS, differ: ["a", "b"] }[wanted] ?? [wanted];
    const fits = (row) =>
      kinds.includes(row.kind) &&
      (!relation || row.relation === relation) &&
      words.every((word) => row.text.includes(word));
    shown.grid.show(shown.rows.filter(fits));
  }

  return { KINDS, kind, show, filter };
})();
