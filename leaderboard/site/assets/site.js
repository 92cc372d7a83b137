// What every page shares: elements made of text alone, data that scripts hand over, texts that can be copied.
"use strict";

const factroots = (() => {
  const held = new Map(); // name -> {promise, resolve, reject}

  function slot(name) {
    if (!held.has(name)) {
      const made = {};
      made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
      held.set(name, made);
    }
    return held.get(name);
  }

  /** A file of data/ hands its value over. */
  function give(name, value) {
    const made = slot(name);
    made.asked = true;
    made.resolve(value);
  }

  /** The value of data/NAME.js, which is read when it is first asked for; a page opened as a file may not fetch(). */
  function load(name) {
    if (!/^[a-z0-9-]+$/.test(name)) return Promise.reject(new Error(`no data is called ${name}`));
    const made = slot(name);
    if (!made.asked) {
      made.asked = true;
      script(`data/${name}.js`).catch(made.reject);
    }
    return made.promise;
  }

  const scripts = new Map();
  /** Run a script of the site, once. */
  function script(src) {
    if (!scripts.has(src))
      scripts.set(
        src,
        new Promise((resolve, reject) => {
          const tag = element("script", { src });
          tag.onload = resolve;
          tag.onerror = () => reject(new Error(`${src} cannot be read`));
          document.head.append(tag);
        }),
      );
    return scripts.get(src);
  }

  /** An element; what is put into it is text or other elements, never HTML. */
  function element(tag, attributes = {}, ...content) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    made.append(...content.filter((part) => part !== null && part !== undefined));
    return made;
  }

  /** Somebody else's text, kept from changing the direction of what stands around it. */
  const foreign = (text, attributes = {}) => element("bdi", attributes, text);

  /** A text to be copied, under its name. */
  const copied = (name, text) =>
    element(
      "div",
      { class: "said" },
      element("span", { class: "soft" }, name),
      element("code", {}, foreign(text)),
      element("button", { type: "button", "data-copy": name }, "Copy"),
    );

  /** A share in percent, rounded as the command line does: of two neighbours that are as near, to the even one. */
  function percent(value) {
    if (value === null || value === undefined) return "–";
    const [sign, points] = [value < 0 ? "-" : "", Math.abs(100 * value)];
    return sign + (points % 1 === 0.25 ? points - 0.05 : points).toFixed(1); // .75 goes up either way
  }
  const between = (low, high) => `[${percent(low)}, ${percent(high)}]`;
  const count = (number) => (number === null || number === undefined ? "–" : number.toLocaleString("en"));

  async function copy(button) {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code); // the reader's own keys do the rest
      button.textContent = "Selected: copy it";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
  });

  return { give, load, script, element, foreign, copied, percent, between, count };
})();
