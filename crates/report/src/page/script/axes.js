"use strict";
// Where an axis begins and ends, and the round values on it, as in the images that come with the page.

const TICKS = 5;
const LOG_TICKS = 10;
const MOST_PERCENT = 100;

const isShown = (scale, value) =>
  Number.isFinite(value) && (scale !== "log" || value > 0);

function roundStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 5].find((factor) => factor * power >= step * (1 - 1e-9));
  return (factor ?? 10) * power;
}

const exponential = (value, digits) => value.toExponential(digits).replace("+", "");

function tickLabel(value, step) {
  if (value === 0 && step < 1e-5) return "0";
  if (Math.abs(value) >= 1e7 || step < 1e-5) return exponential(value, 1);
  const decimals = Math.min(Math.max(-Math.floor(Math.log10(step)), 0), 12);
  return value.toFixed(decimals);
}

function linear(low, high, isPercent = false) {
  const span = high - low > 0 && Number.isFinite(high - low) ? high - low : Math.max(Math.abs(low), 1);
  const step = roundStep(span / TICKS);
  let first = Math.floor(low / step);
  let last = Math.max(Math.ceil(high / step), first + 1);
  // A step that is round in percent divides 100.
  const most = Math.round(MOST_PERCENT / step);
  if (isPercent && high <= MOST_PERCENT && last > most) {
    [first, last] = [Math.min(first, most - 1), most];
  }
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
  const decades = last - first;
  const every = Math.max(Math.ceil(decades / LOG_TICKS), 1);
  const multiples = 3 * decades <= LOG_TICKS ? [1, 2, 5] : [1];
  const labels = [];
  for (let power = first; power <= last; power += every) {
    const isPlain = power >= -3 && power <= 3;
    for (const multiple of power < last ? multiples : [1]) {
      const value = multiple * 10 ** power;
      labels.push([value, isPlain ? value.toFixed(Math.max(-power, 0)) : `${multiple}e${power}`]);
    }
  }
  return { low: 10 ** first, high: 10 ** last, labels };
}

function limits(scale, low, high) {
  const isEmpty = low > high;
  if (scale === "log") return isEmpty ? logarithmic(1, 10) : logarithmic(low, high);
  if (isEmpty) return linear(0, 1);
  if (scale === "linear" || scale === "percent") return linear(low, high, scale === "percent");
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
