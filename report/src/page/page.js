"use strict";
// Answers the pointer and the keyboard over charts, draws them against another axis, hides lines, and
// sorts tables. The page is complete without it.
(() => {
  const data = JSON.parse(document.getElementById("figures").textContent);
  const [left, right, above, below, beside] = data.frame;
  const [width, height] = data.size;
  const TICKS = 5;
  const MARK = 2.6;
  const RING = 5.5;
  let across = data.across;

  // Axes, as they are in the pictures that came with the page.

  const isShown = (scale, value) =>
    Number.isFinite(value) && (scale !== "log" || value > 0);

  function roundStep(step) {
    const power = 10 ** Math.floor(Math.log10(step));
    const factor = [1, 2, 5].find((factor) => factor * power >= step * (1 - 1e-9));
    return (factor ?? 10) * power;
  }

  const exponential = (value, digits) => value.toExponential(digits).replace("+", "");

  function tickLabel(value, step) {
    if (Math.abs(value) >= 1e7 || (value !== 0 && step < 1e-5)) return exponential(value, 1);
    const decimals = Math.min(Math.max(-Math.floor(Math.log10(step)), 0), 12);
    return value.toFixed(decimals);
  }

  function linear(low, high) {
    const span = high - low > 0 && Number.isFinite(high - low) ? high - low : Math.max(Math.abs(low), 1);
    const step = roundStep(span / TICKS);
    const first = Math.floor(low / step);
    const last = Math.max(Math.ceil(high / step), first + 1);
    const labels = [];
    for (let tick = 0; tick <= Math.min(last - first, 100); tick++) {
      const value = (first + tick) * step;
      labels.push([value, tickLabel(value, step)]);
    }
    return { low: first * step, high: last * step, labels };
  }

  function logarithmic(low, high) {
    const clamp = (power, least) => Math.min(Math.max(power, least), 300);
    const first = Math.min(clamp(Math.floor(Math.log10(low)), -300), 299);
    const last = clamp(Math.ceil(Math.log10(high)), first + 1);
    const every = Math.max(Math.ceil((last - first) / (2 * TICKS)), 1);
    const labels = [];
    for (let power = first; power <= last; power += every) {
      const isPlain = power >= -3 && power <= 3;
      labels.push([10 ** power, isPlain ? (10 ** power).toFixed(Math.max(-power, 0)) : `1e${power}`]);
    }
    return { low: 10 ** first, high: 10 ** last, labels };
  }

  function limits(scale, low, high) {
    const isEmpty = low > high;
    if (scale === "log") return isEmpty ? logarithmic(1, 10) : logarithmic(low, high);
    if (isEmpty) return linear(0, 1);
    if (scale === "linear") return linear(low, high);
    [low, high] = [Math.min(low, 0), Math.max(high, 0)];
    const axis = linear(low, high);
    const span = high - low;
    if (scale === "last" && span > 0 && Number.isFinite(span)) {
      const labels = axis.labels.filter(([value]) => value >= low && value <= high);
      return { low, high, labels };
    }
    return axis;
  }

  function axis(scale, values) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) {
      if (!isShown(scale, value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const axis = limits(scale, low, high);
    const along = scale === "log" ? Math.log10 : (value) => value;
    axis.place = (value) => {
      if (value === null || !isShown(scale, value)) return null;
      const share = (along(value) - along(axis.low)) / (along(axis.high) - along(axis.low));
      return Number.isFinite(share) ? Math.min(Math.max(share, 0), 1) : null;
    };
    return axis;
  }

  // Where everything is.

  const longest = Math.max(0, ...data.grids.map((grid) => grid.seconds.at(-1) ?? 0));
  const [timeUnit, secondsInUnit] =
    longest < 180 ? ["seconds", 1] : longest < 10800 ? ["minutes", 60] : ["hours", 3600];
  const AXES = {
    epoch: { button: "epochs", label: "epoch", places: (grid) => grid.steps.map((step) => step / grid.per_epoch) },
    step: { button: "steps", label: "step", places: (grid) => grid.steps },
    time: {
      button: "time",
      label: timeUnit,
      places: (grid) => grid.seconds.map((seconds) => (seconds === null ? NaN : seconds / secondsInUnit)),
    },
  };

  function layOut(chart) {
    const shown = chart.lines.filter((line) => !line.isHidden);
    for (const line of shown) line.x = AXES[across].places(data.grids[line.grid]);
    const xScale = shown.some((line) => line.values.length) ? "last" : "zero";
    chart.x = axis(xScale, shown.flatMap((line) => line.x));
    chart.yAxis = axis(chart.isLog ? "log" : chart.scale, shown.flatMap((line) => line.values));
    for (const line of shown) {
      line.places = line.values.map((value, point) => place(chart, line.x[point], value));
    }
    chart.shown = shown;
  }

  const up = (chart, value) => {
    const share = chart.yAxis.place(value);
    return share === null ? null : below - share * (below - above);
  };

  const over = (chart, value) => {
    const share = chart.x.place(value);
    return share === null ? null : left + share * (right - left);
  };

  function place(chart, x, value) {
    const [placeX, placeY] = [over(chart, x), up(chart, value)];
    return placeX === null || placeY === null ? null : [placeX, placeY];
  }

  // Drawing.

  function element(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const fixed = (value) => value.toFixed(1);

  function drawAxes(chart, drawing) {
    for (const [value, label] of chart.yAxis.labels) {
      const y = up(chart, value);
      if (y === null) continue;
      drawing.append(
        element("line", { class: "grid", x1: left, x2: right, y1: fixed(y), y2: fixed(y) }),
        element("text", { x: left - 8, y: fixed(y + 4), "text-anchor": "end" }, label),
      );
    }
    for (const [value, label] of chart.x.labels) {
      const x = over(chart, value);
      if (x === null) continue;
      drawing.append(
        element("line", { class: "grid", x1: fixed(x), x2: fixed(x), y1: below, y2: below + 4 }),
        element("text", { x: fixed(x), y: below + 18, "text-anchor": "middle" }, label),
      );
    }
    const middle = [(left + right) / 2, (above + below) / 2];
    const turned = `translate(${beside} ${fixed(middle[1])}) rotate(-90)`;
    drawing.append(
      element("text", { x: fixed(middle[0]), y: below + 38, "text-anchor": "middle" }, AXES[across].label),
      element("text", { transform: turned, "text-anchor": "middle" }, chart.y),
    );
  }

  // Pieces of a list between those that are null.
  function pieces(list) {
    const pieces = [[]];
    for (const item of list) item === null ? pieces.push([]) : pieces.at(-1).push(item);
    return pieces.filter((piece) => piece.length);
  }

  const joined = (places) => places.map(([x, y]) => `${fixed(x)},${fixed(y)}`).join(" ");

  function drawBand(chart, line, drawing) {
    const places = line.least.map((least, point) => {
      const [x, low, high] = [over(chart, line.x[point]), up(chart, least), up(chart, line.greatest[point])];
      return x === null || low === null || high === null ? null : [x, low, high];
    });
    for (const piece of pieces(places).filter((piece) => piece.length > 1)) {
      const back = piece.map(([x, , high]) => [x, high]).reverse();
      const points = joined([...piece.map(([x, low]) => [x, low]), ...back]);
      drawing.append(element("polygon", { class: `band m${line.colour}`, points }));
    }
  }

  function drawLine(line, drawing) {
    const dashes = data.dashes[line.dash];
    for (const piece of pieces(line.places)) {
      if (piece.length > 1) {
        const drawn = element("polyline", { class: `l${line.colour}`, points: joined(piece) });
        if (dashes) drawn.setAttribute("stroke-dasharray", dashes);
        drawing.append(drawn);
      }
      if (line.marked || piece.length === 1) piece.forEach((place) => drawing.append(mark(line, place)));
    }
    const best = line.best === null ? null : line.places[line.best];
    if (best) drawing.append(element("circle", { class: `ring l${line.colour}`, cx: fixed(best[0]), cy: fixed(best[1]), r: RING }));
  }

  function mark(line, [x, y]) {
    const look = { class: `m${line.colour}` };
    return line.dash === 0
      ? element("circle", { ...look, cx: fixed(x), cy: fixed(y), r: MARK })
      : element("rect", { ...look, x: fixed(x - MARK), y: fixed(y - MARK), width: 2 * MARK, height: 2 * MARK });
  }

  function draw(chart) {
    layOut(chart);
    const drawing = chart.svg.querySelector(".drawing");
    drawing.replaceChildren();
    drawAxes(chart, drawing);
    for (const line of chart.shown) {
      drawBand(chart, line, drawing);
      drawLine(line, drawing);
    }
    hide(chart);
  }

  // Reading values.

  function number(value) {
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? exponential(value, 3) : value.toFixed(4);
  }

  const valueText = (chart, value) => (chart.unit ? value.toFixed(2) + chart.unit : number(value));

  function placeText(x) {
    if (across === "time") return `${Number(x.toPrecision(4))} ${timeUnit}`;
    return `${AXES[across].label} ${Number(x.toFixed(2))}`;
  }

  // The point of a line that is nearest to a place.
  function nearest(line, x) {
    let best = -1;
    line.places.forEach((place, point) => {
      if (place && (best < 0 || Math.abs(place[0] - x) < Math.abs(line.places[best][0] - x))) best = point;
    });
    return best;
  }

  function show(chart, x) {
    const points = chart.shown.map((line) => [line, nearest(line, x)]).filter(([, point]) => point >= 0);
    if (!points.length) return hide(chart);
    const distance = ([line, point]) => Math.abs(line.places[point][0] - x);
    const [line, point] = points.reduce((one, other) => (distance(other) < distance(one) ? other : one));
    const at = line.places[point][0];
    const head = document.createElement("b");
    head.textContent = placeText(line.x[point]);
    chart.readout.replaceChildren(head, ...points.map(([line, point]) => reading(chart, line, point, at)));
    chart.pointer.replaceChildren(element("line", { x1: at, x2: at, y1: above, y2: below }));
    for (const [line, point] of points) {
      const [cx, cy] = line.places[point];
      chart.pointer.append(element("circle", { class: `m${line.colour}`, cx, cy, r: 4 }));
    }
    chart.at = at;
    chart.readout.hidden = false;
    keepInside(chart, at);
  }

  function reading(chart, line, point, at) {
    const row = document.createElement("div");
    const isElsewhere = Math.abs(line.places[point][0] - at) > 3;
    const where = isElsewhere ? ` (${placeText(line.x[point])})` : "";
    row.textContent = `${line.label} ${valueText(chart, line.values[point])}${where}`;
    row.prepend(line.swatch.cloneNode(true));
    return row;
  }

  // Left or right of the line, where there is more room.
  function keepInside(chart, at) {
    const scale = chart.svg.clientWidth / width;
    const room = chart.svg.clientWidth;
    const isLeft = at > (left + right) / 2;
    const edge = isLeft ? at * scale - chart.readout.offsetWidth - 10 : at * scale + 10;
    chart.readout.style.left = `${Math.max(0, Math.min(edge, room - chart.readout.offsetWidth))}px`;
  }

  function hide(chart) {
    chart.at = null;
    chart.readout.hidden = true;
    chart.pointer.replaceChildren();
  }

  function pointed(chart, event) {
    const box = chart.svg.getBoundingClientRect();
    show(chart, ((event.clientX - box.left) / box.width) * width);
  }

  function keyed(chart, event) {
    const places = chart.shown.flatMap((line) => line.places.filter(Boolean).map(([x]) => x));
    const stops = [...new Set(places)].sort((one, other) => one - other);
    const now = stops.indexOf(chart.at);
    const targets = {
      ArrowLeft: now < 0 ? stops.length - 1 : Math.max(now - 1, 0),
      ArrowRight: Math.min(now + 1, stops.length - 1),
      Home: 0,
      End: stops.length - 1,
    };
    if (event.key === "Escape") hide(chart);
    if (!(event.key in targets) || !stops.length) return;
    event.preventDefault();
    show(chart, stops[targets[event.key]]);
  }

  // Controls.

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
    svg.removeAttribute("aria-labelledby");
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

  // Tables.

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

  // On paper nothing can be opened.
  function openForPrint() {
    const closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((details) => (details.open = true));
    window.addEventListener("afterprint", () => closed.forEach((details) => (details.open = false)), { once: true });
  }

  document.querySelectorAll("svg.chart").forEach(prepare);
  document.querySelectorAll(".figures").forEach((figures) => figures.childElementCount && addAxes(figures));
  document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
  window.addEventListener("beforeprint", openForPrint);
})();
