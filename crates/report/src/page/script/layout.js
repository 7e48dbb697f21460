// Where lines are on a chart.

const data = JSON.parse(document.getElementById("figures").textContent);
const [left, right, above, below, beside] = data.frame;
const [width] = data.size;
let across = data.across;

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
  const held = shown.flatMap((line) => line.values.filter((value) => !isBeyond(chart, value)));
  chart.yAxis = axis(chart.isLog ? "log" : chart.scale, held);
  for (const line of shown) {
    line.places = line.values.map((value, point) => place(chart, line.x[point], value));
    // A line leaves the axis and comes back, but does not run along its edge.
    const beyond = (point) => !(point in line.values) || isBeyond(chart, line.values[point]);
    line.drawn = line.places.map((place, point) => ([point - 1, point, point + 1].every(beyond) ? null : place));
  }
  chart.shown = shown;
}

// Whether a value is above what the axis holds: that of a run that diverged. A logarithmic one holds all. Values are
// rounded, the greatest is not.
const isBeyond = (chart, value) =>
  chart.greatest !== null && !chart.isLog && value !== null && value > chart.greatest * (1 + 1e-5);

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
