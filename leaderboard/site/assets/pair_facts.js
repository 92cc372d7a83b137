// The facts of a language with what two models answered: those that differ, or others, searched and paged.
"use strict";

factroots.pairFacts = (() => {
  const { element, foreign, count, load } = factroots;
  const get = (id) => document.getElementById(id);
  const ANSWERS = { 1: "right", 0: "wrong", "-": "not answered" };
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
      cell: (row) => said(row[key]),
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

  /** The facts of a language, and what both sides answered there. */
  function joined(known, left, right) {
    const answer = (side, i) => ({ right: side?.right[i] ?? "-", rank: side?.rank[i] ?? "-" });
    return known.item.map((item, i) => {
      const [subject, object] = known.names?.[i] ?? ["", ""];
      const [a, b] = [answer(left, i), answer(right, i)];
      const text = `${item} ${subject} ${object}`.toLocaleLowerCase("en");
      return {
        item,
        subject,
        object,
        relation: known.relations[known.relation[i]],
        template: known.template[i],
        a,
        b,
        kind: kind(a.right, b.right),
        text,
      };
    });
  }

  function filter() {
    if (!shown) return;
    const [wanted, relation] = [get("kind").value, get("relation").value];
    const words = get("text").value.toLocaleLowerCase("en").split(/\s+/);
    const fits =
      { all: () => true, differ: (row) => row.kind === "a" || row.kind === "b" }[wanted] ??
      ((row) => row.kind === wanted);
    shown.grid.show(
      shown.rows.filter(
        (row) =>
          fits(row) && (!relation || row.relation === relation) && words.every((word) => row.text.includes(word)),
      ),
    );
  }

  /** Show the facts of data/NAME.js. */
  async function show(name, left, right) {
    const turn = ++asked;
    const known = await load(name);
    if (turn !== asked) return;
    const rows = joined(known, left, right);
    const options = known.relations.map((value) => element("option", { value }, value));
    get("relation").replaceChildren(element("option", { value: "" }, "all"), ...options);
    const grid = factroots.grid({
      caption: "Facts",
      columns: columns(rows, known.names),
      rows: [],
      size: 50,
      empty: "No such fact",
    });
    shown = { rows, grid };
    get("facts").replaceChildren(grid.whole);
    filter();
  }

  return { kind, show, filter };
})();
