// A table that can be sorted by each column and paged. Rows are made only when they are shown.
"use strict";

factroots.grid = (() => {
  const { element, count } = factroots;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const CELLS = 1500; // on a page: as many as are sorted and laid out in a tenth of a second
  const [LEAST, MOST] = [25, 100]; // rows on a page, however many columns there are
  let made = 0;

  /** -1, 0 or 1; what has no value comes last whichever way a column is sorted. */
  function order(a, b, turn) {
    if (a === null || b === null) return (a === null) - (b === null);
    return turn * (typeof a === "number" ? a - b : compare(a, b));
  }

  function sorted(rows, column, down) {
    const keyed = rows.map((row) => [column.value(row) ?? null, row]);
    return keyed.sort((a, b) => order(a[0], b[0], down ? -1 : 1)).map((pair) => pair[1]);
  }

  function cell(column, row) {
    const shown = (column.cell ?? column.value)(row) ?? "–";
    const name = column.type === "name";
    return element(name ? "th" : "td", { scope: name ? "row" : null, class: column.type }, shown);
  }

  /**
   * columns: {key, head, said, value(row), cell(row), type}; `said` is the head in full, `cell` what is shown instead
   * of the value, `type` the class of its cells ("text", "name": the row's head), `down` whether the greatest comes
   * first, `still` that it cannot be sorted by. marks: rows that stay at the end. empty: what is said without rows.
   */
  function grid({ caption, columns, rows, marks = [], sort = null, empty = "No row" }) {
    const state = { columns, rows, sort, page: 0, size: MOST };
    const title = element("caption", { id: `grid-${++made}` }, caption);
    const [head, body, end] = ["tr", "tbody", "tbody"].map((tag) => element(tag));
    const table = element("table", {}, title, element("thead", {}, head), body, end);
    const status = element("span", { role: "status" });
    const [back, on] = ["Previous", "Next"].map((text) => element("button", { type: "button" }, text));
    const box = element("div", { class: "box", role: "region", tabindex: 0, "aria-labelledby": title.id }, table);
    const whole = element("div", {}, box, element("div", { class: "pages" }, status, back, on));
    const line = (row, type) => element("tr", { class: type }, ...state.columns.map((column) => cell(column, row)));

    function heading(column) {
      if (column.still) return element("td", { class: column.type }, column.head);
      const button = element("button", { type: "button", title: column.said }, column.head);
      if (column.said) button.append(element("span", { class: "hidden" }, ` (${column.said})`));
      button.addEventListener("click", () => {
        const down = state.sort?.key === column.key ? !state.sort.down : (column.down ?? false);
        state.sort = { key: column.key, down };
        arrange();
      });
      return element("th", { scope: "col", class: column.type, "data-key": column.key }, button);
    }

    /** Heads, marks and rows anew, for the columns are others. */
    function lay() {
      state.size = Math.min(MOST, Math.max(LEAST, Math.floor(CELLS / state.columns.length)));
      head.replaceChildren(...state.columns.map(heading));
      end.replaceChildren(...marks.map((row) => line(row, "mark")));
      arrange();
    }

    /** The rows in their order, the first page of them. */
    function arrange() {
      for (const one of head.children) one.removeAttribute("aria-sort");
      const place = state.columns.findIndex((one) => one.key === state.sort?.key);
      if (place >= 0) {
        head.children[place].setAttribute("aria-sort", state.sort.down ? "descending" : "ascending");
        state.rows = sorted(state.rows, state.columns[place], state.sort.down);
      }
      turnTo(0);
    }

    function turnTo(page) {
      state.page = page;
      const [start, total] = [page * state.size, state.rows.length];
      const shown = state.rows.slice(start, start + state.size);
      body.replaceChildren(...shown.map((row) => line(row, null)));
      status.textContent = total ? `Rows ${start + 1}–${start + shown.length} of ${count(total)}` : empty;
      back.disabled = page === 0;
      on.disabled = start + state.size >= total;
      back.hidden = on.hidden = total <= state.size;
      box.scrollTop = 0;
    }

    back.addEventListener("click", () => turnTo(state.page - 1));
    on.addEventListener("click", () => turnTo(state.page + 1));
    lay();
    return {
      whole,
      /** Show other rows, or other columns. */
      show(rows, columns = state.columns) {
        const others = columns !== state.columns;
        Object.assign(state, { rows, columns });
        (others ? lay : arrange)();
      },
    };
  }
  return grid;
})();
