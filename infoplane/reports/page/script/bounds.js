// Bounds over time: a bound on I(Z;X), the one on I(Z;Y), and the error of the network itself.
function drawBounds() {
  const chart = charts.bounds;
  const runs = shown().filter((run) => run.plane && run.plane.drawn);
  if (!runs.length) {
    chart.empty("There is nothing to draw over time.");
    note("bounds", []);
    return;
  }
  chart.ready();
  const hasError = runs.some((run) => run.metrics && run.metrics.error);
  const units = unique(runs.map((run) => run.error_unit)).join(" or ");
  const titles = [`${state.quantity} [bit]`, "i_zy [bit]", ...(hasError ? [`error [${units}]`] : [])];
  const picture = { traces: [], series: [], layout: boundsLayout(titles) };
  const banded = runs.length <= 2;
  for (const run of runs) {
    [state.quantity, "i_zy"].forEach((quantity, panel) => {
      for (const probe of probes(run)) if (probe[quantity]) drawBound(picture, run, probe, quantity, panel, banded);
    });
    if (run.metrics && run.metrics.error) drawError(picture, run);
  }
  chart.draw(picture);
  boundsNote(runs, { banded, hasError });
}

function boundsLayout(titles) {
  const count = titles.length;
  const margin = { l: 55, r: 12, t: 10, b: 48 };
  const layout = { height: 60 + count * 190, margin, shapes: [], annotations: [] };
  const gap = 0.045;
  const tall = (1 - gap * (count - 1)) / count;
  titles.forEach((title, k) => {
    const top = 1 - k * (tall + gap);
    layout[`yaxis${suffix(k)}`] = axis(title, { domain: [Math.max(0, top - tall), top], anchor: "x", nticks: 6 });
  });
  layout.xaxis = axis(clock, { anchor: `y${suffix(count - 1)}`, range: span(times, 0.02, 0.02) });
  const [now, line] = [times[state.at], { color: look().quiet, width: 1, dash: "dot" }];
  layout.shapes.push({ type: "line", layer: "below", xref: "x", yref: "paper", x0: now, x1: now, y0: 0, y1: 1, line });
  return layout;
}

function drawBound({ traces, series }, run, probe, quantity, panel, banded) {
  const { color, symbol } = style(probe.site);
  const isControl = probe.host === UNTRAINED;
  const x = run.plane[clock];
  const axes = { type: "scatter", yaxis: `y${suffix(panel)}`, xaxis: "x" };
  const errors = probe[`se_${quantity}`];
  if (banded && errors && !isControl) {
    const [upper, lower] = [1, -1].map((sign) =>
      probe[quantity].map((v, k) => (finite(v) && finite(errors[k]) ? v + sign * errors[k] : null)),
    );
    const edge = { ...axes, mode: "lines", hoverinfo: "skip", line: { width: 0, color }, connectgaps: false };
    traces.push({ ...edge, x, y: upper }, { ...edge, x, y: lower, fill: "tonexty", fillcolor: faint(color, 0.22) });
  }
  traces.push({
    ...axes,
    x,
    y: probe[quantity],
    mode: x.length <= MOST_DOTS ? "lines+markers" : "lines",
    hoverinfo: "none",
    line: { color: isControl ? faint(color, 0.7) : color, width: isControl ? 1.2 : 1.7, dash: dash(run) },
    marker: { symbol, size: 5, color: isControl ? look().back : color, line: { color, width: 1 } },
  });
  series.push({
    key: `${quantity}\n${run.path}\n${probe.probe}`,
    curve: traces.length - 1,
    count: x.length,
    describe: (k) => describe(run, probe, k, [quantity]),
  });
}

function drawError({ traces, series }, run) {
  const errors = run.metrics.error.map((v) => (finite(v) ? 100 * v : null));
  const ink = look().text;
  traces.push({
    type: "scatter",
    xaxis: "x",
    yaxis: "y3",
    x: run.metrics[clock],
    y: errors,
    mode: errors.length <= MOST_DOTS ? "lines+markers" : "lines",
    hoverinfo: "none",
    line: { color: ink, width: 1.5, dash: dash(run) },
    marker: { size: 4, color: ink },
  });
  series.push({
    key: `error\n${run.path}`,
    curve: traces.length - 1,
    count: errors.length,
    describe: (k) => [[run.name], [rowText(run.metrics, k)], [errorText(run, errors[k])]],
  });
}

function boundsNote(runs, { banded, hasError }) {
  const kind = unique(runs.map((run) => (run.plane.kinds[state.quantity] || "").replaceAll("_", " "))).join(" or ");
  const first = `${WORDS[state.quantity]}, ${kind}${kind.includes("bound") ? " on" : " of"} ${BOUNDED[state.quantity]}`;
  const third = hasError ? "; third: error of the network itself" : "";
  note("bounds", [
    `First panel: ${first}; second: i_zy, ${aboutLabels(runs)}${third}.`,
    banded
      ? "Bands: one standard error over the inputs, without seeds and the probes' training."
      : "Standard errors are in the text of every point.",
    hasControl(runs) && $("control").checked && "Pale lines: control.",
    runs.length > 1 && dashText(),
    "The dotted line is the step of the slider.",
    ...drawnText(runs),
    ...leftOut(),
  ]);
}
