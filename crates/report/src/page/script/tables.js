// Tables that are sorted by a column.

function sortKey(cell) {
  const text = cell.textContent.trim();
  const value = Number.parseFloat(text.replaceAll(",", ""));
  return cell.tagName === "TH" ? text : Number.isNaN(value) ? -Infinity : value;
}

function compare(one, other) {
  if (typeof one === "string") return one.localeCompare(other, "en", { numeric: true });
  return one === other ? 0 : one < other ? -1 : 1;
}

function sort(table, head) {
  const isUp = head.getAttribute("aria-sort") !== "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const key = (row) => sortKey(row.cells[head.cellIndex]);
  rows.sort((one, other) => (isUp ? 1 : -1) * compare(key(one), key(other)));
  table.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  body.append(...rows);
}

function makeSortable(table) {
  for (const head of table.tHead.rows[0].cells) {
    if (!head.textContent) continue;
    const made = document.createElement("button");
    made.type = "button";
    made.append(...head.childNodes);
    made.addEventListener("click", () => sort(table, head));
    head.append(made);
  }
}
