// Buttons for axes, scales and lines, and what charts listen to.

function button(text, pressed, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-pressed", pressed);
  made.addEventListener("click", () => act(made));
  return made;
}

function chooseAxis(chosen) {
  across = chosen;
  for (const other of document.querySelectorAll("[data-axis]")) {
    other.setAttribute("aria-pressed", other.dataset.axis === chosen);
  }
  data.charts.forEach(draw);
}

function addAxes(figures) {
  const controls = document.createElement("div");
  controls.className = "controls";
  controls.setAttribute("role", "group");
  controls.setAttribute("aria-label", "axis of all charts");
  for (const name in AXES) {
    if (name === "epoch" && data.grids.some((grid) => !grid.per_epoch)) continue;
    const made = button(AXES[name].button, name === across, () => chooseAxis(name));
    made.dataset.axis = name;
    controls.append(made);
  }
  figures.before(controls);
}

function addScale(chart, figure) {
  const canBeLog = chart.lines.some((line) => line.values.some((value) => value > 0));
  if (!canBeLog) return;
  const made = button("log", false, () => {
    chart.isLog = !chart.isLog;
    made.setAttribute("aria-pressed", chart.isLog);
    draw(chart);
  });
  made.setAttribute("aria-label", "logarithmic scale");
  figure.querySelector("figcaption").append(made);
}

function addToggles(chart, figure) {
  figure.querySelectorAll(".legend li").forEach((item, number) => {
    const line = chart.lines[number];
    line.swatch = item.querySelector("svg");
    if (chart.lines.length < 2) return;
    const made = button("", true, () => {
      line.isHidden = !line.isHidden;
      made.setAttribute("aria-pressed", !line.isHidden);
      draw(chart);
    });
    made.append(...item.childNodes);
    item.append(made);
  });
}

function prepare(svg) {
  const chart = data.charts[Number(svg.dataset.chart)];
  const figure = svg.closest("figure");
  chart.svg = svg;
  chart.pointer = element("g", { class: "pointer" });
  chart.readout = document.createElement("div");
  chart.readout.className = "readout";
  chart.readout.setAttribute("role", "status");
  chart.readout.hidden = true;
  // A title within would pop up over the chart.
  const [title, text] = [svg.querySelector("title"), svg.querySelector("desc")];
  svg.setAttribute("aria-label", `${title.textContent}. ${text.textContent}`);
  svg.removeAttribute("aria-labeledby");
  title.remove();
  svg.tabIndex = 0;
  svg.append(chart.pointer);
  svg.after(chart.readout);
  addScale(chart, figure);
  addToggles(chart, figure);
  layOut(chart);
  svg.addEventListener("pointermove", (event) => pointed(chart, event));
  svg.addEventListener("pointerdown", (event) => pointed(chart, event));
  svg.addEventListener("pointerleave", () => hide(chart));
  svg.addEventListener("keydown", (event) => keyed(chart, event));
  svg.addEventListener("blur", () => hide(chart));
}
