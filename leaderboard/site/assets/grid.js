// A table that can be sorted by each column and paged. Rows are made only when they are shown.
"use strict";

factroots.grid = (() => {
  const { element } = factroots;
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  let made = 0;

  /** -1, 0 or 1; what has no value comes last whichever way a column is sorted. */
  function order(a, b, turn) {
    if (a === null || b === null) return (a === null) - (b === null);
    return turn * (typeof a === "number" ? a - b : compare(a, b));
  }

  /**
   * columns: {key, head, said, value(row), cell(row), type}; `said` is the head in full, `cell` what is shown instead
   * of the value, `type` the class of its cells ("text", "name": the row's head), `down` whether the greatest comes
   * first, `still` that it cannot be sorted by. marks: rows that stay at the end. empty: what is said without rows.
   */
  function grid({ caption, columns, rows, marks = [], sort = null, size = 100, empty = "No row" }) {
    const state = { columns, rows, sort, page: 0, shown: [] };
    const title = element("caption", { id: `grid-${++made}` }, caption);
    const head = element("tr");
    const body = element("tbody");
    const end = element("tbody");
    const table = element("table", {}, title, element("thead", {}, head), body, end);
    const status = element("span", { role: "status" });
    const back = element("button", { type: "button" }, "Previous");
    const on = element("button", { type: "button" }, "Next");
    const box = element("div", { class: "box", role: "region", tabindex: 0, "aria-labelledby": title.id }, table);
    const whole = element("div", {}, box, element("div", { class: "pages" }, status, back, on));

    const content = (column, row) => {
      const shown = column.cell ? column.cell(row) : column.value(row);
      return shown ?? "–";
    };
    const line = (row, type) => {
      const tr = element("tr", { class: type });
      for (const column of state.columns) {
        const name = column.type === "name";
        tr.append(
          element(name ? "th" : "td", { scope: name ? "row" : null, class: column.type }, content(column, row)),
        );
      }
      return tr;
    };

    function heads() {
      head.replaceChildren(
        ...state.columns.map((column) => {
          if (column.still) return element("td", { class: column.type }, column.head);
          const button = element("button", { type: "button", title: column.said }, column.head);
          if (column.said) button.append(element("span", { class: "hidden" }, ` (${column.said})`));
          const own = state.sort?.key === column.key;
          const turn = own ? (state.sort.down ? "descending" : "ascending") : null;
          const cell = element("th", { scope: "col", class: column.type, "aria-sort": turn }, button);
          button.addEventListener("click", () => {
            state.sort = { key: column.key, down: own ? !state.sort.down : (column.down ?? false) };
            arrange();
            head.children[state.columns.indexOf(column)].firstChild.focus();
          });
          return cell;
        }),
      );
    }

    function arrange() {
      const column = state.columns.find((one) => one.key === state.sort?.key);
      state.shown = [...state.rows];
      if (column) {
        const turn = state.sort.down ? -1 : 1;
        const keyed = state.shown.map((row) => [column.value(row) ?? null, row]);
        state.shown = keyed.sort((a, b) => order(a[0], b[0], turn)).map((pair) => pair[1]);
      }
      heads();
      turnTo(0);
    }

    function turnTo(page) {
      state.page = page;
      const [start, total] = [page * size, state.shown.length];
      const rows = state.shown.slice(start, start + size);
      body.replaceChildren(...rows.map((row) => line(row, null)));
      end.replaceChildren(...marks.map((row) => line(row, "mark")));
      status.textContent = total ? `Rows ${start + 1}–${start + rows.length} of ${factroots.count(total)}` : empty;
      back.disabled = page === 0;
      on.disabled = start + size >= total;
      back.hidden = on.hidden = total <= size;
    }

    const leaf = (step) => {
      turnTo(state.page + step);
      box.scrollTop = 0;
    };
    back.addEventListener("click", () => leaf(-1));
    on.addEventListener("click", () => leaf(1));
    arrange();
    return {
      whole,
      /** Show other rows, or other columns. */
      show(rows, columns = state.columns) {
        Object.assign(state, { rows, columns });
        arrange();
      },
    };
  }
  return grid;
})();
