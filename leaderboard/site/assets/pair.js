// Two models fact by fact: their answers are read when they are chosen, a language's facts when it is looked at.
"use strict";

factroots.load("board").then((board) => {
  const { element, foreign, percent, count, load } = factroots;
  const get = (id) => document.getElementById(id);
  const places = new Map(); // a row's id -> its row and table
  board.tables.forEach((own) =>
    own.rows.filter((row) => row.answers).forEach((row) => places.set(row.id, { row, own })),
  );
  let asked = 0; // counts what was asked for, so that a slow answer to an older question is dropped
  let languages = null;
  let facts = null;

  const option = ({ row }) => element("option", { value: row.id }, row.model);
  const grouped = (all) =>
    board.tables
      .map((own) => [own, all.filter((place) => place.own === own)])
      .filter(([, inside]) => inside.length)
      .map(([own, inside]) => element("optgroup", { label: own.title }, ...inside.map(option)));
  const nothing = () => element("option", { value: "" }, "choose …");

  function chosen() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    return [places.get(wanted.get("a")), places.get(wanted.get("b"))];
  }

  function offer(a, b) {
    get("a").replaceChildren(nothing(), ...grouped([...places.values()]));
    const able = a ? [...places.values()].filter((place) => place.own === a.own && place !== a) : [];
    get("b").replaceChildren(nothing(), ...grouped(able));
    get("a").value = a?.row.id ?? "";
    get("b").value = b && able.includes(b) ? b.row.id : "";
    get("b").disabled = !a;
    get("swap").disabled = !get("b").value;
  }

  const go = (a, b) => (location.hash = new URLSearchParams({ a, b }).toString());

  /** How many facts of a language are right in both, in one only, in neither, or not answered by both. */
  function counts(a, b) {
    const found = { both: 0, a: 0, b: 0, neither: 0, missing: 0 };
    const length = Math.max(a?.right.length ?? 0, b?.right.length ?? 0);
    for (let i = 0; i < length; i++) found[kind(a?.right[i] ?? "-", b?.right[i] ?? "-")]++;
    return found;
  }

  const kind = (a, b) =>
    a === "-" || b === "-" ? "missing" : a === "1" ? (b === "1" ? "both" : "a") : b === "1" ? "b" : "neither";
  const shared = (row) => row.both + row.a + row.b + row.neither;
  const share = (row, side) => (shared(row) ? (row.both + row[side]) / shared(row) : null);

  const COLUMNS = [
    {
      key: "lang",
      head: "Language",
      type: "name",
      value: (row) => row.lang,
      cell: (row) => (row.said === row.lang ? row.lang : `${row.lang} ${row.said}`),
    },
    {
      key: "share a",
      head: "A right, %",
      down: true,
      value: (row) => share(row, "a"),
      cell: (row) => percent(share(row, "a")),
    },
    {
      key: "share b",
      head: "B right, %",
      down: true,
      value: (row) => share(row, "b"),
      cell: (row) => percent(share(row, "b")),
    },
    {
      key: "difference",
      head: "A − B",
      down: true,
      value: (row) => (shared(row) ? (row.a - row.b) / shared(row) : null),
      cell: (row) => signed(row),
    },
    ...[
      ["a", "only A"],
      ["b", "only B"],
      ["both", "both"],
      ["neither", "neither"],
      ["missing", "not both asked"],
    ].map(([key, head]) => ({ key, head, down: true, value: (row) => row[key], cell: (row) => count(row[key]) })),
  ];

  function signed(row) {
    if (!shared(row)) return null;
    const points = (100 * (row.a - row.b)) / shared(row);
    return `${points > 0 ? "+" : points < 0 ? "−" : ""}${Math.abs(points).toFixed(1)}`;
  }

  async function compare() {
    const turn = ++asked;
    const [a, b] = chosen();
    offer(a, b);
    get("list").hidden = true;
    get("languages").replaceChildren();
    get("command").replaceChildren();
    languages = facts = null;
    if (!a || !b || a === b) return say("Choose two models of one table.");
    if (a.own !== b.own)
      return say("These two stand in different tables: their numbers mean different things and cannot be compared.");
    say("Reading the answers …");
    let both;
    try {
      both = await Promise.all([load(a.row.id), load(b.row.id)]);
    } catch (error) {
      return say(error.message);
    }
    if (turn === asked) show(a, b, both);
  }

  function say(text) {
    get("said").textContent = text;
  }

  function show(a, b, [left, right]) {
    say("");
    get("said").append("A: ", foreign(a.row.model), "; B: ", foreign(b.row.model), ".");
    const rows = a.own.langs
      .filter((lang) => left[lang] || right[lang])
      .map((lang) => ({ lang, said: board.langs[lang], ...counts(left[lang], right[lang]) }));
    const all = rows.reduce(
      (sum, row) => Object.fromEntries(Object.entries(sum).map(([key, value]) => [key, value + row[key]])),
      counts(),
    );
    languages = factroots.grid({
      caption: "Right answers by language",
      columns: COLUMNS,
      rows,
      marks: rows.length > 1 ? [{ lang: "all", said: "languages", ...all }] : [],
    });
    get("languages").replaceChildren(languages.whole);
    get("command").replaceChildren(
      factroots.copied("Intervals and tests", `probe leaderboard compare ${a.row.entry} ${b.row.entry}`),
    );
    get("lang").replaceChildren(
      ...rows.map((row) => element("option", { value: row.lang }, `${row.lang} (${row.a + row.b} differ)`)),
    );
    const most = rows.reduce((best, row) => (row.a + row.b > best.a + best.b ? row : best), rows[0]);
    if (!most) return;
    get("lang").value = most.lang;
    get("list").hidden = false;
    pick(a, left, right);
  }

  async function pick(a, left, right) {
    const turn = asked;
    const lang = get("lang").value;
    let known;
    try {
      known = await load(`facts-${a.own.id}-${a.own.langs.indexOf(lang)}`);
    } catch (error) {
      return say(error.message);
    }
    if (turn !== asked || get("lang").value !== lang) return;
    const of = (side, i) => ({ right: side[lang]?.right[i] ?? "-", rank: side[lang]?.rank[i] ?? "-" });
    const rows = known.item.map((item, i) => {
      const [one, other] = [of(left, i), of(right, i)];
      const [subject, object] = known.names?.[i] ?? ["", ""];
      return {
        item,
        subject,
        object,
        relation: known.relations[known.relation[i]],
        template: known.template[i],
        a: one,
        b: other,
        kind: kind(one.right, other.right),
        text: `${item} ${subject} ${object}`.toLocaleLowerCase("en"),
      };
    });
    get("relation").replaceChildren(
      element("option", { value: "" }, "all"),
      ...known.relations.map((name) => element("option", { value: name }, name)),
    );
    facts = {
      rows,
      grid: factroots.grid({
        caption: "Facts",
        columns: factColumns(rows, known.names),
        rows: [],
        size: 50,
        empty: "No such fact",
      }),
    };
    get("facts").replaceChildren(facts.grid.whole);
    filter();
  }

  const ANSWERS = { 1: "right", 0: "wrong", "-": "not asked" };
  const rank = (answer) => (answer.rank === "-" ? null : parseInt(answer.rank, 36));
  const said = (answer) =>
    ANSWERS[answer.right] + (rank(answer) === null ? "" : `, rank ${rank(answer)}${answer.rank === "z" ? "+" : ""}`);

  function factColumns(rows, names) {
    const side = (key, head) => ({
      key,
      head,
      type: "text",
      value: (row) => rank(row[key]) ?? (row[key].right === "-" ? null : -row[key].right),
      cell: (row) => said(row[key]),
    });
    const text = (key, head, type = "text") => ({
      key,
      head,
      type,
      value: (row) => row[key],
      cell: (row) => foreign(row[key]),
    });
    const templated = rows.some((row) => row.template);
    return [
      ...(names
        ? [text("subject", "Subject", "name"), text("relation", "Relation"), text("object", "Object")]
        : [text("item", "Fact", "name"), text("relation", "Relation")]),
      side("a", "A"),
      side("b", "B"),
      ...(templated
        ? [{ key: "template", head: "Template", value: (row) => row.template, cell: (row) => count(row.template) }]
        : []),
      ...(names ? [text("item", "Fact", "text wide")] : []),
    ];
  }

  function filter() {
    if (!facts) return;
    const wanted = get("kind").value;
    const fits =
      { all: () => true, differ: (row) => row.kind === "a" || row.kind === "b" }[wanted] ??
      ((row) => row.kind === wanted);
    const words = get("text").value.toLocaleLowerCase("en").split(/\s+/);
    const relation = get("relation").value;
    facts.grid.show(
      facts.rows.filter(
        (row) =>
          fits(row) && (!relation || row.relation === relation) && words.every((word) => row.text.includes(word)),
      ),
    );
  }

  get("a").addEventListener("input", () => go(get("a").value, ""));
  get("b").addEventListener("input", () => go(get("a").value, get("b").value));
  get("swap").addEventListener("click", () => go(get("b").value, get("a").value));
  get("tools").addEventListener("input", (event) => {
    if (event.target !== get("lang")) return filter();
    const [a, b] = chosen();
    return Promise.all([load(a.row.id), load(b.row.id)]).then(([left, right]) => pick(a, left, right));
  });
  document.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", compare);
  compare();
});
