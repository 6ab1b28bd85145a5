"use strict";

const table = document.getElementById("table");
const body = table.tBodies[0];
const form = document.getElementById("filter");
const search = document.getElementById("words");

function key(row, column, kind) {
  const cell = row.cells[column];
  return kind === "number" ? Number(cell.dataset.value) : cell.textContent.trim();
}

function sort(header) {
  const down = header.getAttribute("aria-sort") === "ascending";
  const { cellIndex: column, dataset: { sort: kind } } = header;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [key(a, column, kind), key(b, column, kind)];
    return (kind === "number" ? x - y : x.localeCompare(y, "en", { numeric: true })) * (down ? -1 : 1);
  });
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  body.append(...rows);
}

function filter() {
  const status = form.elements.status.value;
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of body.rows) {
    const article = document.getElementById(row.dataset.id);
    const text = (row.textContent + article.textContent).toLowerCase();
    const fits = (status === "all" || status === row.dataset.status) && wanted.every((word) => text.includes(word));
    row.hidden = article.hidden = !fits;
    shown += fits;
  }
  document.getElementById("count").textContent = `${shown} of ${body.rows.length} shown`;
}

// A link to a claim leads there even when the filter hides it.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.hidden) return;
  form.reset();
  filter();
  target.scrollIntoView();
}

for (const header of table.querySelectorAll("th[data-sort]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = header.textContent;
  button.addEventListener("click", () => sort(header));
  header.replaceChildren(button);
}
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("hashchange", reveal);
form.hidden = false;
filter();
