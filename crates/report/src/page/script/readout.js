// What a chart says to the pointer and the keyboard.

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
    chart.pointer.append(element("circle", { class: `m${line.color}`, cx, cy, r: 4 }));
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
