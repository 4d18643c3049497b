// Histograms of weights and activations beside the log-normal law of the same mean and deviation of ln x.
const layerKey = (one) => `${one.stream}\n${one.name}`;

function drawHistograms() {
  const chart = charts.histograms;
  const all = shown().map((run) => ({ run, one: run.histograms.find((h) => layerKey(h) === state.layer) }));
  const found = all.filter(({ one }) => one && one.rows.length);
  const most = found.slice(0, MOST_BESIDE);
  document.querySelector("#histograms .choice").hidden = !data.runs.some((run) => run.histograms.length);
  if (!most.length) {
    chart.empty("There is no histogram of weights or activations of the runs that are chosen.");
    note("histograms", []);
    return;
  }
  chart.ready();
  const width = chart.width();
  const grid = panels(most.length, width);
  const height = 92 + grid.rows * 250 + 78 * (grid.rows - 1);
  const picture = {
    traces: [],
    series: [],
    layout: { height, margin: { l: 55, r: 12, t: 40, b: 52 }, annotations: [] },
  };
  const ranges = histogramRanges(most.flatMap(({ one }) => one.rows).filter((row) => row.edges.length));
  most.forEach(({ run, one }, k) => {
    const box = domain(k, most.length, grid, height - 92);
    histogramAxes(picture.layout, one, ranges, box, suffix(k));
    picture.layout.annotations.push(panelTitle(run.name, box, k, width));
    drawHistogram(picture, run, one, suffix(k));
  });
  chart.draw(picture);
  histogramNote(found, most);
}

// The same for every run and step: decades of x, and the density of ln x.
function histogramRanges(rows) {
  const peaks = rows.filter((row) => row.sigma > 0).map((row) => lognormal(row, 0));
  return {
    x: span(
      rows.flatMap((row) => [tail(row), head(row)]),
      0.02,
      0.02,
    ),
    y: span([0, ...rows.flatMap((row) => row.density), ...peaks], 0, 0.06),
  };
}

// Density of ln x by the law, so many deviations from its mean.
const lognormal = (row, z) => Math.exp((-z * z) / 2) / (row.sigma * Math.sqrt(2 * Math.PI));

// Where a thousandth of the mass begins: single values far below would squeeze all the rest.
function tail(row) {
  const masses = row.density.map((density, j) => density * Math.log(row.edges[j + 1] / row.edges[j]));
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  let mass = 0;
  for (let j = 0; j < masses.length; j += 1) {
    mass += masses[j];
    if (mass >= 1e-3 * total) return Math.min(Math.log10(row.edges[j]), (row.mu - 3.2 * row.sigma) / Math.LN10);
  }
  return Math.log10(row.edges[0]);
}

// The last bin, or where the fitted line has come down.
function head(row) {
  const end = Math.log10(last(row.edges));
  return row.sigma > 0 ? Math.max(end, (row.mu + 3.2 * row.sigma) / Math.LN10) : end;
}

function histogramAxes(layout, one, { x, y }, box, tag) {
  const decades = { type: "log", exponentformat: "power", dtick: x[1] - x[0] > 2.5 ? 1 : "D2" };
  layout[`xaxis${tag}`] = axis(`x: positive ${one.stream}`, { domain: box.x, anchor: `y${tag}`, range: x, ...decades });
  layout[`yaxis${tag}`] = axis("density of ln x", { domain: box.y, anchor: `x${tag}`, range: y, nticks: 6 });
}

function drawHistogram({ traces, series, layout }, run, one, tag) {
  const seen = look();
  const row = nearest(one.rows);
  const axes = { type: "scatter", xaxis: `x${tag}`, yaxis: `y${tag}` };
  const within = { xref: `x${tag} domain`, yref: `y${tag} domain`, showarrow: false };
  if (!row.edges.length) {
    layout.annotations.push({ ...within, text: "no positive value", x: 0.5, y: 0.5 });
    return;
  }
  const bars = { shape: "hv", width: 0.5, color: seen.bars };
  const heights = { x: row.edges, y: [...row.density, 0] };
  traces.push({
    ...axes,
    ...heights,
    mode: "lines",
    line: bars,
    fill: "tozeroy",
    fillcolor: seen.bars,
    hoverinfo: "skip",
  });
  const centres = row.density.map((_, j) => Math.sqrt(row.edges[j] * row.edges[j + 1]));
  const unseen = { size: 1, opacity: 0 };
  traces.push({ ...axes, mode: "markers", marker: unseen, x: centres, y: row.density, hoverinfo: "none" });
  series.push({
    key: `${run.path}\n${layerKey(one)}`,
    curve: traces.length - 1,
    count: row.density.length,
    describe: (j) => histogramText(run, one, row, j),
  });
  if (row.sigma > 0) {
    const z = Array.from({ length: 121 }, (_, j) => -3.6 + 0.06 * j);
    const curve = { x: z.map((v) => Math.exp(row.mu + row.sigma * v)), y: z.map((v) => lognormal(row, v)) };
    traces.push({ ...axes, ...curve, mode: "lines", hoverinfo: "skip", line: { color: seen.law, width: 2 } });
  }
  const text = [timeText(row), `n = ${whole(row.n)}`, `zeros ${percent(row.zero_fraction)}`].join("<br>");
  const corner = { x: 0.01, y: 0.99, xanchor: "left", yanchor: "top", align: "left" };
  layout.annotations.push({ ...within, ...corner, text, font: { size: LABEL, color: seen.quiet } });
}

// The last histogram at or before the slider.
function nearest(rows) {
  const limit = times[state.at];
  let found = rows[0];
  for (const row of rows) if (row[clock] <= limit) found = row;
  return found;
}

function histogramText(run, one, row, j) {
  const [low, high, density] = [row.edges[j], row.edges[j + 1], row.density[j]].map((v) => v.toPrecision(3));
  const about = `n = ${whole(row.n)} positive ${one.stream}, zeros ${percent(row.zero_fraction)}`;
  return [
    [run.name, " · ", one.name],
    [timeText(row)],
    [`x from ${low} to ${high}: density of ln x ${density}`],
    [`${about}; ln x has mean ${row.mu} and deviation ${row.sigma}`],
  ];
}

function histogramNote(found, most) {
  const { one } = most[0];
  const left = most.find((each) => each.one.rows.length < each.one.of);
  note("histograms", [
    `${one.stream.charAt(0).toUpperCase()}${one.stream.slice(1)} of ${one.name}.`,
    "Bars: density of ln x of the positive values, neighbouring bins joined.",
    "Line: the log-normal law of the same mean and deviation of ln x.",
    "The same axes at every step; each panel shows the last histogram at or before the slider.",
    left && `Kept here: ${left.one.rows.length} of ${whole(left.one.of)} measurements.`,
    ...leftOut(),
    found.length > most.length && `${most.length} of the ${found.length} runs chosen are drawn.`,
  ]);
}
