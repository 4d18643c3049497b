// What the page holds and what the reader has chosen of it; every chart draws from these alone.
const UNTRAINED = "untrained";
const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const printing = { on: false };

let data = null;
let times = [];
let clock = "step";
const state = {
  at: 0,
  follows: true,
  timer: 0,
  hiddenLayers: new Set(),
  shownRuns: new Map(),
  quantity: "i_zx",
  layer: "",
};
const charts = {};

const sites = () => unique(data.runs.flatMap((run) => (run.plane ? run.plane.probes.map((probe) => probe.site) : [])));
const shown = () => data.runs.filter((run) => state.shownRuns.get(run.path));

function probes(run) {
  const withControl = $("control").checked;
  const all = run.plane ? run.plane.probes : [];
  return all.filter((p) => !state.hiddenLayers.has(p.site) && (p.host !== UNTRAINED || withControl));
}

const hasControl = (runs) => runs.some((run) => run.plane && run.plane.probes.some((p) => p.host === UNTRAINED));
const when = (rows, k) => (clock === "epoch" ? rows.epoch[k] : rows.step[k]);

// How many rows there are up to the step of the slider.
function until(rows) {
  const limit = times[state.at];
  let count = 0;
  while (count < rows.step.length && when(rows, count) <= limit) count += 1;
  return count;
}

function findTimes() {
  const rows = data.runs.flatMap((run) => [
    run.plane,
    ...run.histograms.flatMap((one) => one.rows.map((row) => ({ step: [row.step], epoch: [row.epoch] }))),
  ]);
  const kept = rows.filter((one) => one && one.step.length);
  clock = kept.length && kept.every((one) => one.epoch.every(finite)) ? "epoch" : "step";
  times = unique(kept.flatMap((one) => one[clock])).sort((a, b) => a - b);
}
