// Colours, symbols and dashes: the same sign for a layer and for a run in every chart, on light and on dark ground.
const SYMBOLS = {
  o: "circle",
  s: "square",
  "^": "triangle-up",
  D: "diamond",
  v: "triangle-down",
  P: "cross",
  X: "x",
  "<": "triangle-left",
};

// As plotly draws them at widths up to 3.
const STROKES = { solid: "", dot: "3 3", dash: "9 9", dashdot: "9 3 3 3", longdash: "15 15", longdashdot: "15 6 3 6" };
const DASHES = ["solid", "dot", "dash", "dashdot", "longdash", "longdashdot"];

// The same symbols beside the names, 14 pixels wide.
const SIGNS = {
  circle: "M7 2.5a4.5 4.5 0 1 0 .01 0z",
  square: "M3 3h8v8H3z",
  "triangle-up": "M7 2l5 9.5H2z",
  diamond: "M7 1.5L12 7l-5 5.5L2 7z",
  "triangle-down": "M7 12L2 2.5h10z",
  cross: "M5 2h4v3h3v4H9v3H5V9H2V5h3z",
  x: "M4 2l3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3-3-3z",
  "triangle-left": "M2 7l9.5-5v10z",
};

const LIGHT = {
  back: "#ffffff",
  text: "#1b1b1b",
  quiet: "#555555",
  grid: "#ebebeb",
  beyond: "#efefef",
  ring: "#b2182b",
  bars: "#9dbdd3",
  law: "#d55e00",
  lift: 0, // of the colours of layers towards white
};
const DARK = {
  back: "#16181b",
  text: "#e6e6e6",
  quiet: "#a6a9ad",
  grid: "#2c3036",
  beyond: "#24282d",
  ring: "#ff8f8f",
  bars: "#5b7f99",
  law: "#ff9d5c",
  lift: 0.35,
};

const look = () => (dark.matches && !printing.on ? DARK : LIGHT);

const channels = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
const faint = (hex, alpha) => `rgba(${channels(hex).join(",")},${alpha})`;
function mix(from, to, share) {
  const [a, b] = [channels(from), channels(to)];
  const mixed = a.map((value, k) => Math.round(value + (b[k] - value) * share));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

function style(site) {
  const k = Math.max(0, sites().indexOf(site));
  const { colors, markers } = data.theme;
  const color = mix(colors[k % colors.length], "#ffffff", look().lift);
  return { color, symbol: SYMBOLS[markers[k % markers.length]] || "circle" };
}

// From a tint near the background (early) to a shade near the text (late).
function shade(color, share) {
  const seen = look();
  return share < 0.5
    ? mix(mix(color, seen.back, 0.6), color, 2 * share)
    : mix(color, mix(color, seen.text, 0.4), 2 * share - 1);
}

const dash = (run) => DASHES[Math.max(0, shown().indexOf(run)) % DASHES.length];

function swatch(site) {
  const { color, symbol } = style(site);
  const path = drawing("path", { d: SIGNS[symbol], fill: color });
  return drawing("svg", { width: 14, height: 14, "aria-hidden": true }, path);
}

// The dash of a run that is drawn, as long as its longest pattern; nothing where there is none to tell apart.
function sample(run) {
  const svg = drawing("svg", { width: 36, height: 14, "aria-hidden": true, class: "dash" });
  if (shown().length < 2 || !shown().includes(run)) svg.setAttribute("hidden", "");
  else {
    const line = { d: "M0 7h36", stroke: "currentColor", "stroke-width": 2, "data-dash": dash(run) };
    svg.append(drawing("path", { ...line, "stroke-dasharray": STROKES[dash(run)] || "none" }));
  }
  return svg;
}
