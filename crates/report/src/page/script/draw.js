// Charts drawn anew, as in the images that come with the page.

const MARK = 2.6;
const RING = 5.5;

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (text !== undefined) made.textContent = text;
  return made;
}

const fixed = (value) => value.toFixed(1);

// Longer labels are made narrower, so that they leave room for what is written along the axis.
const LONG = 6;

function room(label) {
  if (label.length <= LONG) return {};
  return { textLength: left - 8 - beside - 4, lengthAdjust: "spacingAndGlyphs" };
}

function drawAxes(chart, drawing) {
  for (const [value, label] of chart.yAxis.labels) {
    const y = up(chart, value);
    if (y === null) continue;
    drawing.append(
      element("line", { class: "grid", x1: left, x2: right, y1: fixed(y), y2: fixed(y) }),
      element("text", { x: left - 8, y: fixed(y + 4), "text-anchor": "end", ...room(label) }, label),
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
    if (isBeyond(chart, line.values[point])) return null;
    return x === null || low === null || high === null ? null : [x, low, high];
  });
  for (const piece of pieces(places).filter((piece) => piece.length > 1)) {
    const back = piece.map(([x, , high]) => [x, high]).reverse();
    const points = joined([...piece.map(([x, low]) => [x, low]), ...back]);
    drawing.append(element("polygon", { class: `band m${line.color}`, points }));
  }
}

function drawLine(line, drawing) {
  const dashes = data.dashes[line.dash];
  for (const piece of pieces(line.drawn)) {
    if (piece.length > 1) {
      const drawn = element("polyline", { class: `l${line.color}`, points: joined(piece) });
      if (dashes) drawn.setAttribute("stroke-dasharray", dashes);
      drawing.append(drawn);
    }
    if (line.marked || piece.length === 1) piece.forEach((place) => drawing.append(mark(line, place)));
  }
  const best = line.best === null ? null : line.places[line.best];
  if (best) drawing.append(element("circle", { class: `ring l${line.color}`, cx: fixed(best[0]), cy: fixed(best[1]), r: RING }));
}

// Where a line leaves the axis for good.
function drawDivergence(chart, line, number, drawing) {
  const x = line.diverges === null ? null : over(chart, line.x[line.diverges]);
  if (x === null) return;
  const isRight = x > (left + right) / 2;
  const anchor = { x: fixed(x + (isRight ? -5 : 5)), y: fixed(above + 14 * (number + 1)) };
  drawing.append(
    element("line", { class: `l${line.color}`, "stroke-dasharray": "2 4", x1: fixed(x), x2: fixed(x), y1: above, y2: below }),
    element("text", { class: `m${line.color}`, ...anchor, "text-anchor": isRight ? "end" : "start" }, "diverges"),
  );
}

function mark(line, [x, y]) {
  const look = { class: `m${line.color}` };
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
  chart.shown.forEach((line, number) => drawDivergence(chart, line, number, drawing));
  hide(chart);
}
