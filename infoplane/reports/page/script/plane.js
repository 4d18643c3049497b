// The information plane: the path of every probe up to the step of the slider.
function drawPlane() {
  const chart = charts.plane;
  const runs = shown().filter((run) => run.plane && run.plane.drawn);
  if (!runs.length) {
    const isThere = data.runs.some((run) => run.plane && run.plane.drawn);
    chart.empty(isThere ? "No run with a plane is chosen." : "Nothing has been measured yet.");
    note("plane", []);
    return;
  }
  chart.ready();
  const view = planeView(runs, chart.width());
  const picture = {
    traces: [],
    series: [],
    layout: { height: view.height, margin: { l: 55, r: 12, t: 30, b: 48 }, annotations: [], shapes: [] },
  };
  for (let k = 0; k < view.count; k += 1) {
    const box = domain(k, view.count, view.grid, view.height - 78);
    planeAxes(picture.layout, runs, view, box, k);
    if (view.apart) picture.layout.annotations.push(panelTitle(runs[k].name, box, k, view.width));
    planeLimits(picture.layout, view.apart ? [runs[k]] : runs, view, box, suffix(k));
  }
  runs.forEach((run, k) => drawPaths(picture, run, view.apart ? suffix(k) : "", view.apart || runs.length === 1));
  chart.draw(picture);
  planeNote(runs);
}

// What all panels have in common: their grid, and the ranges of their axes, in which every run has room at every step.
function planeView(runs, width) {
  const apart = besides();
  const count = apart ? runs.length : 1;
  const grid = panels(count, width);
  const [least, most, share] = count > 1 ? [320, 520, 0.85 / grid.columns] : [360, 560, 0.6];
  const height = 70 + grid.rows * Math.min(most, Math.max(least, share * width)) + 78 * (grid.rows - 1);
  const log = $("logarithmic").checked;
  const all = runs.flatMap((run) => probes(run));
  const logN = runs.map((run) => Math.log2(last(run.plane.n)));
  const rates = [...all.flatMap((p) => p.i_zx), ...logN].filter((v) => finite(v) && (!log || v > 0));
  const xs = log ? span(rates.map(Math.log10), 0.04, 0.06) : span([0, ...rates], 0.02, 0.05);
  // Above the highest point there is room for two lines of text: H(Y) and log2 n.
  const ys = span([0, ...all.flatMap((p) => p.i_zy), ...runs.map((run) => run.plane.h_y)], 0.05, 0.15);
  return { apart, count, width, grid, height, log, xs, ys };
}

function planeAxes(layout, runs, { count, width, grid, log, xs, ys }, box, k) {
  const tag = suffix(k);
  const narrow = count > 1 && width / grid.columns < 480;
  const rate = narrow ? "rate, upper bound on I(Z;X) [bit]" : "rate of the probe's code, upper bound on I(Z;X) [bit]";
  const ticks = log ? { type: "log", dtick: xs[1] - xs[0] > 1.2 ? 1 : "D2" } : { type: "linear", nticks: 7 };
  const shared = (name) => (k ? { matches: name } : {});
  layout[`xaxis${tag}`] = axis(rate, { domain: box.x, anchor: `y${tag}`, range: xs, ...ticks, ...shared("x") });
  const about = `${aboutLabels(runs)} [bit]`;
  layout[`yaxis${tag}`] = axis(about, { domain: box.y, anchor: `x${tag}`, range: ys, ...shared("y") });
}

// Lines at H(Y) and log2 n with their text, and grey ground beyond log2 n.
function planeLimits(layout, runs, { width, log, xs }, box, tag) {
  const seen = look();
  const line = { type: "line", layer: "below", line: { color: seen.quiet, width: 1 } };
  const label = { showarrow: false, font: { size: LABEL, color: seen.quiet } };
  const counts = unique(runs.map((run) => last(run.plane.n)));
  const place = (n) => ((log ? Math.log10(Math.log2(n)) : Math.log2(n)) - xs[0]) / (xs[1] - xs[0]);
  const across = { xref: `x${tag} domain`, yref: `y${tag}` };
  const upright = { xref: `x${tag}`, yref: `y${tag} domain` };
  if (counts.length === 1 && place(counts[0]) < 1) {
    const end = log ? 10 ** (xs[1] + 2) : xs[1] + 9 * (xs[1] - xs[0]);
    const ground = { type: "rect", layer: "below", fillcolor: seen.beyond, line: { width: 0 } };
    layout.shapes.push({ ...ground, ...upright, x0: Math.log2(counts[0]), x1: end, y0: 0, y1: 1 });
  }
  for (const h of unique(runs.map((run) => run.plane.h_y)).filter(finite)) {
    layout.shapes.push({ ...line, ...across, x0: 0, x1: 1, y0: h, y1: h, line: { ...line.line, dash: "dash" } });
    const text = `H(Y) = ${bits(h)} bit`;
    const x = freeEnd(textWidth(text, LABEL) / panelWidth(box, width), counts.map(place));
    const shift = x < 1 ? -5 : 0;
    layout.annotations.push({ ...label, ...across, text, x, y: h, xanchor: "right", yanchor: "bottom", xshift: shift });
  }
  for (const n of counts) {
    const value = Math.log2(n);
    layout.shapes.push({
      ...line,
      ...upright,
      x0: value,
      x1: value,
      y0: 0,
      y1: 1,
      line: { ...line.line, dash: "dot" },
    });
    const side = place(n) < 0.55 ? { xanchor: "left", xshift: 3 } : { xanchor: "right", xshift: -3 };
    const text = `log2 n = ${value.toFixed(2)} bit`;
    const x = log ? Math.log10(value) : value; // plotly takes the place of a text as the axis counts, of a shape in bit
    layout.annotations.push({ ...label, ...upright, ...side, text, x, y: 1, yanchor: "top" });
  }
}

// Where a text that reaches so far to the left can end without a line through it: at the rim, or before such a line.
function freeEnd(length, places) {
  let end = 1;
  for (const place of [...places].sort((a, b) => b - a)) {
    if (place <= end && place > end - length - 0.01 && place - length > 0) end = place;
  }
  return end;
}

// The paths of one run: shaded by step, the last point with an edge, and rings where a value cannot be used.
function drawPaths({ traces, series }, run, tag, solid) {
  const seen = look();
  const rows = until(run.plane);
  const every = Math.max(1, Math.ceil(rows / MOST_DOTS));
  const share = (t) => (last(times) === times[0] ? 1 : (t - times[0]) / (last(times) - times[0]));
  const axes = { type: "scatter", xaxis: `x${tag}`, yaxis: `y${tag}` };
  const [ends, rings] = [[], { x: [], y: [] }];
  for (const probe of probes(run)) {
    const { color, symbol } = style(probe.site);
    const isControl = probe.host === UNTRAINED;
    const tints = Array.from({ length: rows }, (_, k) => shade(color, share(when(run.plane, k))));
    const size = Array.from({ length: rows }, (_, k) => ((rows - 1 - k) % every ? 0 : isControl ? 5 : 7));
    const edge = { width: isControl ? 1.1 : 0, color: isControl ? tints : color };
    traces.push({
      ...axes,
      mode: "lines+markers",
      x: probe.i_zx.slice(0, rows),
      y: probe.i_zy.slice(0, rows),
      hoverinfo: "none",
      line: { color: faint(color, isControl ? 0.75 : 0.45), width: 1.2, dash: solid ? "solid" : dash(run) },
      marker: { symbol, size, color: isControl ? seen.back : tints, line: edge, opacity: 1 },
    });
    series.push({
      key: `${run.path}\n${probe.probe}`,
      curve: traces.length - 1,
      count: rows,
      describe: (k) => describe(run, probe, k, ["i_zx", "i_zy", "i_zx_lower", "i_zx_upper"]),
    });
    if (rows) ends.push({ x: probe.i_zx[rows - 1], y: probe.i_zy[rows - 1], color, symbol, isControl });
    const doubtful = unique(run.plane.unusable.flatMap((code) => probe.findings[code] || []));
    for (const k of doubtful.filter((row) => row < rows)) {
      rings.x.push(probe.i_zx[k]);
      rings.y.push(probe.i_zy[k]);
    }
  }
  traces.push({
    ...axes,
    mode: "markers",
    hoverinfo: "skip",
    x: ends.map((end) => end.x),
    y: ends.map((end) => end.y),
    marker: {
      symbol: ends.map((end) => end.symbol),
      size: ends.map((end) => (end.isControl ? 9 : 11)),
      color: ends.map((end) => (end.isControl ? seen.back : shade(end.color, 0.75))),
      line: { width: 1.6, color: seen.text },
    },
  });
  const ring = { symbol: "circle-open", size: 15, color: seen.ring, line: { width: 1.6 } };
  if (rings.x.length) traces.push({ ...axes, ...rings, mode: "markers", hoverinfo: "skip", marker: ring });
}

function planeNote(runs) {
  const all = runs.flatMap((run) => probes(run));
  const others = runs.filter((run) => run.plane.others).map((run) => `${run.plane.others} probes of ${run.name}`);
  const isLost = (probe) => (_, k) => !finite(probe.i_zx[k]) || !finite(probe.i_zy[k]);
  const lost = all.reduce((sum, probe) => sum + probe.i_zx.filter(isLost(probe)).length, 0);
  note("plane", [
    "Dots go from pale (early) to full (late); the large one with an edge is the last shown.",
    hasControl(runs) && $("control").checked && "Hollow: control.",
    "Grey ground: beyond log2 n, where a rate says nothing about these n inputs.",
    runs.some((run) => run.plane.unusable.length) &&
      "Ringed: a finding says that the value cannot be used as it stands.",
    !hasControl(runs) && "No control was recorded: how much of a path is the probes' own training cannot be told.",
    runs.some((run) => !run.plane.findings_known) &&
      "The findings of a file cannot be read, so nothing of it is ringed.",
    runs.length > 1 && !besides() && dashText(),
    ...drawnText(runs),
    ...leftOut(),
    others.length && `Not drawn: ${others.join(", ")} (other betas, scale twins, refitted).`,
    lost && `${lost} point${lost > 1 ? "s are" : " is"} not finite and left out.`,
  ]);
}
