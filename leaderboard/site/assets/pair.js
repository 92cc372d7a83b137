// Two models of a table: chosen in the page's address, counted by language, and shown fact by fact.
"use strict";

factroots.load("board").then((board) => {
  const { element, foreign, percent, count, load, pairFacts } = factroots;
  const get = (id) => document.getElementById(id);
  const places = new Map(); // a row's id -> its row and table
  for (const own of board.tables) for (const row of own.rows) if (row.answers) places.set(row.id, { row, own });
  let asked = 0; // as in pair_facts.js
  let show = () => {}; // the facts of the language that is chosen

  const say = (...text) => get("said").replaceChildren(...text);
  const go = (a, b) => (location.hash = new URLSearchParams({ a, b }).toString());

  function offer(id, all, chosen) {
    const inside = (own) =>
      all.filter((place) => place.own === own).map(({ row }) => element("option", { value: row.id }, row.model));
    const groups = board.tables.map((own) => element("optgroup", { label: own.title }, ...inside(own)));
    get(id).replaceChildren(
      element("option", { value: "" }, "choose …"),
      ...groups.filter((group) => group.children.length),
    );
    get(id).value = chosen && all.includes(chosen) ? chosen.row.id : "";
  }

  /** How many facts are right in both, in one only, in neither, or not answered by both. */
  function counts(left, right) {
    const found = Object.fromEntries(pairFacts.KINDS.map((kind) => [kind, 0]));
    const length = (left ?? right)?.right.length ?? 0;
    for (let i = 0; i < length; i++) found[pairFacts.kind(left?.right[i] ?? "-", right?.right[i] ?? "-")]++;
    return found;
  }

  const shared = (row) => row.both + row.a + row.b + row.neither;
  const share = (row, part) => (shared(row) ? part / shared(row) : null);
  const signed = (value) => (value === null ? null : (value > 0 ? "+" : "") + percent(value).replace("-", "−"));
  const number = (key, head, value, shown) => ({ key, head, down: true, value, cell: (row) => shown(value(row)) });
  const COLUMNS = [
    { key: "lang", head: "Language", type: "name", value: (row) => row.lang, cell: (row) => `${row.lang} ${row.said}` },
    number("share a", "A right, %", (row) => share(row, row.both + row.a), percent),
    number("share b", "B right, %", (row) => share(row, row.both + row.b), percent),
    number("difference", "A − B", (row) => share(row, row.a - row.b), signed),
    ...[
      ["a", "only A"],
      ["b", "only B"],
      ["both", "both"],
      ["neither", "neither"],
      ["missing", "not both answered"],
    ].map(([key, head]) => number(key, head, (row) => row[key], count)),
  ];

  async function compare() {
    const turn = ++asked;
    const wanted = new URLSearchParams(location.hash.slice(1));
    const [a, b] = ["a", "b"].map((side) => places.get(wanted.get(side)));
    const able = a ? [...places.values()].filter((place) => place.own === a.own && place !== a) : [];
    offer("a", [...places.values()], a);
    offer("b", able, b);
    get("b").disabled = !a;
    get("result").hidden = get("swap").disabled = true;
    if (!a || !b || a === b) return say("Choose two models of one table.");
    if (a.own !== b.own) return say("These two stand in different tables: their numbers mean different things.");
    say("Reading the answers …");
    try {
      const both = await Promise.all([load(a.row.id), load(b.row.id)]);
      if (turn === asked) await tell(a, b, ...both);
    } catch (error) {
      say(error.message);
    }
  }

  function tell(a, b, left, right) {
    say("A: ", foreign(a.row.model), "; B: ", foreign(b.row.model), ".");
    const answered = a.own.langs.filter((lang) => left[lang] || right[lang]);
    const rows = answered.map((lang) => ({ lang, said: board.langs[lang], ...counts(left[lang], right[lang]) }));
    const all = { ...counts(), lang: "all", said: "languages" };
    for (const row of rows) for (const key of Object.keys(counts())) all[key] += row[key];
    const table = factroots.grid({
      caption: "Right answers by language",
      columns: COLUMNS,
      rows,
      marks: rows.length > 1 ? [all] : [],
    });
    get("languages").replaceChildren(table.whole);
    const command = `probe leaderboard compare ${a.row.entry} ${b.row.entry}`;
    get("command").replaceChildren(factroots.copied("Intervals and tests", command));
    const option = (row) => element("option", { value: row.lang }, `${row.lang} (${count(row.a + row.b)} differ)`);
    get("lang").replaceChildren(...rows.map(option));
    get("lang").value = rows.reduce((most, row) => (row.a + row.b > most.a + most.b ? row : most)).lang;
    get("result").hidden = get("swap").disabled = false;
    show = () => {
      const lang = get("lang").value;
      const sides = [
        { row: a.row, answers: left[lang] },
        { row: b.row, answers: right[lang] },
      ];
      return pairFacts.show({ table: a.own, lang, sides });
    };
    return show();
  }

  get("a").addEventListener("input", () => go(get("a").value, ""));
  get("b").addEventListener("input", () => go(get("a").value, get("b").value));
  get("swap").addEventListener("click", () => go(get("b").value, get("a").value));
  get("tools").addEventListener("input", (event) => (event.target === get("lang") ? show() : pairFacts.filter()));
  document.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", compare);
  compare();
});
