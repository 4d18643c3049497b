// The text of the page, renewed while watching: the same elements as the template makes.

// A table that is wider than its place says so: a column out of sight looks like one that is not there.
const widths = new ResizeObserver((entries) => {
  for (const { target } of entries)
    target.parentElement.classList.toggle("wide", target.scrollWidth > target.clientWidth + 1);
});

const pieces = (text) => text.map((piece) => (typeof piece === "string" ? piece : element("bdi", {}, piece.name)));

function block(one, title) {
  if (one.kind === "paragraph") return element("p", {}, ...pieces(one.text));
  if (one.kind === "heading") return element("h3", {}, ...pieces(one.text));
  if (one.kind === "list") return element("ul", {}, ...one.items.map((item) => element("li", {}, ...pieces(item))));
  const kind = (k) => (k >= one.text_columns ? { class: "n" } : {});
  const head = element("tr", {}, ...one.head.map((cell, k) => element("th", { scope: "col", ...kind(k) }, cell)));
  const rows = one.rows.map((row) =>
    element("tr", {}, ...row.map((cell, k) => element("td", kind(k), ...pieces([cell])))),
  );
  const table = element(
    "table",
    { "aria-label": one.caption },
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
  const scroller = element("div", { class: "table", tabindex: "0", role: "region", "aria-label": title }, table);
  widths.observe(scroller);
  return element("figure", {}, element("figcaption", {}, one.caption), scroller);
}

// Only what has changed, so that nobody who reads loses their place.
function renewText(before) {
  document.title = `infoplane: ${data.runs.length === 1 ? data.runs[0].name : `${data.runs.length} runs`}`;
  document.querySelector("h1 bdi").textContent = document.title;
  for (const place of document.querySelectorAll("[data-text]")) {
    const [old, now] = [before, data].map((held) => held.sections.find((one) => one.id === place.id));
    if (JSON.stringify(old) !== JSON.stringify(now)) renewSection(place, now);
  }
}

// A section of which there is nothing to say, not yet or no more, is hidden, and so is the way to it.
function renewSection(place, section) {
  place.hidden = !section;
  document.querySelector(`nav a[href="#${place.id}"]`).hidden = !section;
  const blocks = place.querySelector(".blocks");
  const tables = [...blocks.querySelectorAll(".table")];
  const scrolled = tables.map((table) => [table.scrollLeft, table.scrollTop]);
  const focused = tables.indexOf(document.activeElement);
  if (section) place.querySelector("h2").textContent = section.title;
  blocks.replaceChildren(...(section ? section.blocks.map((one) => block(one, section.title)) : []));
  blocks.querySelectorAll(".table").forEach((table, k) => {
    if (scrolled[k]) [table.scrollLeft, table.scrollTop] = scrolled[k];
    if (k === focused) table.focus({ preventScroll: true });
  });
}
