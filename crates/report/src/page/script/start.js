// Everything is made ready, and opened where nothing can be opened: on paper.

function openForPrint() {
  const closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((details) => (details.open = true));
  window.addEventListener("afterprint", () => closed.forEach((details) => (details.open = false)), { once: true });
}

document.querySelectorAll("svg.chart").forEach(prepare);
document.querySelectorAll(".figures").forEach((figures) => figures.childElementCount && addAxes(figures));
document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
window.addEventListener("beforeprint", openForPrint);
