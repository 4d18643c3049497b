// The charts of a page of runs: they draw the data that the page holds, and on a watching page what its server sends.
// Text from a run file reaches the page as text nodes only; what plotly is given is escaped, for it reads markup.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const SYMBOLS = { o: "circle", s: "square", "^": "triangle-up", D: "diamond", v: "triangle-down", P: "cross", X: "x", "<": "triangle-left" };
  // As plotly draws them at widths up to 3.
  const STROKES = { solid: "", dot: "3 3", dash: "9 9", dashdot: "9 3 3 3", longdash: "15 15", longdashdot: "15 6 3 6" };
  const DASHES = ["solid", "dot", "dash", "dashdot", "longdash", "longdashdot"];
  const UNTRAINED = "untrained";
  const MOST_BESIDE = 6;
  const MOST_DOTS = 40;
  const WORDS = {
    i_zx: "rate of the code, i_zx", i_zy: "information on the label, i_zy", i_zx_lower: "by the known code from below, i_zx_lower",
    i_zx_upper: "by the known code from above, i_zx_upper", i_zx_given_y: "rate given the label, i_zx_given_y",
    i_ty_chain: "best decoder here or behind, i_ty_chain",
  };
  const BOUNDED = { i_zx: "I(Z;X)", i_zy: "I(Z;Y)", i_zx_lower: "I(Z;X)", i_zx_upper: "I(Z;X)", i_zx_given_y: "I(Z;X|Y)", i_ty_chain: "I(T;Y)" };
  // Of class labels a bound; of real ones an estimate, of which H(Y) is no limit.
  const aboutLabels = (runs) => unique(runs.map((run) => ((run.plane.kinds.i_zy || "lower_bound") === "lower_bound" ? "lower bound on" : "estimate of"))).join(" or ") + " I(Z;Y)";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const printing = { on: false };

  let data = null;
  let times = [];
  let clock = "step";
  const state = {
    at: 0, follows: true, timer: 0, hiddenLayers: new Set(), shownRuns: new Map(), quantity: "i_zx", layer: "",
  };
  const charts = {};

  // ---- small things ------------------------------------------------------------------------------------------------
  const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  // A title as wide as its panel at most, shortened in the middle: names of runs often differ at their end.
  const FONT = 'system-ui, "DejaVu Sans", sans-serif';
  const ruler = document.createElement("canvas").getContext("2d");
  function fitted(text, room) {
    ruler.font = `bold 13px ${FONT}`;
    const signs = [...text];
    const short = (kept) => (kept >= signs.length ? text : `${signs.slice(0, Math.ceil(kept / 2)).join("")}…${signs.slice(signs.length - Math.floor(kept / 2)).join("")}`);
    let kept = Math.min(signs.length, 200);
    while (kept > 2 && ruler.measureText(short(kept)).width > room) kept -= 1;
    return short(kept);
  }
  const whole = (value) => value.toLocaleString("en-US");
  const finite = (value) => value !== null && value !== undefined && Number.isFinite(value);
  const unique = (values) => [...new Set(values)];

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  function bits(value, error) {
    if (!finite(value)) return "not finite";
    let decimals = Math.abs(value) < 10 ? 3 : 1;
    if (finite(error) && error > 0) decimals = Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(error))));
    const shown = (x) => x.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return finite(error) ? `${shown(value)} ± ${shown(error)}` : shown(value);
  }

  // ---- colours -----------------------------------------------------------------------------------------------------
  const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  const mix = (a, b, share) => {
    const [x, y] = [rgb(a), rgb(b)];
    return `#${x.map((v, k) => Math.round(v + (y[k] - v) * share).toString(16).padStart(2, "0")).join("")}`;
  };
  const faint = (hex, alpha) => `rgba(${rgb(hex).join(",")},${alpha})`;
  function look() {
    return dark.matches && !printing.on
      ? { back: "#16181b", text: "#e6e6e6", quiet: "#a6a9ad", grid: "#2c3036", beyond: "#24282d", ring: "#ff8f8f", lift: 0.35 }
      : { back: "#ffffff", text: "#1b1b1b", quiet: "#555555", grid: "#ebebeb", beyond: "#efefef", ring: "#b2182b", lift: 0 };
  }
  function style(site) {
    const k = Math.max(0, sites().indexOf(site));
    const { colors, markers } = data.theme;
    const seen = look();
    const color = mix(colors[k % colors.length], "#ffffff", seen.lift);
    return { color, symbol: SYMBOLS[markers[k % markers.length]] || "circle" };
  }
  // From a tint near the background (early) to a shade near the text (late).
  function shade(color, share) {
    const seen = look();
    return share < 0.5 ? mix(mix(color, seen.back, 0.6), color, 2 * share) : mix(color, mix(color, seen.text, 0.4), 2 * share - 1);
  }

  // ---- what is there -----------------------------------------------------------------------------------------------
  const sites = () => unique(data.runs.flatMap((run) => (run.plane ? run.plane.probes.map((probe) => probe.site) : [])));
  const shown = () => data.runs.filter((run) => state.shownRuns.get(run.path));
  const dash = (run) => DASHES[Math.max(0, shown().indexOf(run)) % DASHES.length];
  function probes(run) {
    const withControl = $("control").checked;
    const all = run.plane ? run.plane.probes : [];
    return all.filter((p) => !state.hiddenLayers.has(p.site) && (p.host !== UNTRAINED || withControl));
  }
  const when = (rows, k) => (clock === "epoch" ? rows.epoch[k] : rows.step[k]);
  function until(rows) {
    const limit = times[state.at];
    let count = 0;
    while (count < rows.step.length && when(rows, count) <= limit) count += 1;
    return count;
  }
  function findTimes() {
    const rows = data.runs.flatMap((run) => [run.plane, ...run.histograms.flatMap((one) => one.rows.map((row) => ({ step: [row.step], epoch: [row.epoch] })))]);
    const kept = rows.filter((one) => one && one.step.length);
    clock = kept.length && kept.every((one) => one.epoch.every(finite)) ? "epoch" : "step";
    const found = unique(kept.flatMap((one) => one[clock]));
    times = found.sort((a, b) => a - b);
  }
  function findingsAt(probe, k) {
    return Object.keys(probe.findings).filter((code) => probe.findings[code].includes(k));
  }

  // ---- the text of a point: the same for a mouse and for the keyboard ----------------------------------------------
  function rowText(rows, k) {
    const step = `step ${whole(rows.step[k])}`;
    return finite(rows.epoch[k]) ? `epoch ${rows.epoch[k]}, ${step}` : step;
  }
  function quantityText(plane, probe, quantity, k) {
    const unit = plane.units[quantity] || "bit";
    const kind = (plane.kinds[quantity] || "").replaceAll("_", " ");
    const errors = probe[`se_${quantity}`];
    const error = errors && finite(errors[k]) ? "" : " (standard error not known)";
    return `${WORDS[quantity]}: ${bits(probe[quantity][k], errors ? errors[k] : null)} ${unit}${error}, ${kind}${kind.endsWith("bound") ? ` on ${BOUNDED[quantity]}` : ` of ${BOUNDED[quantity]}`}`;
  }
  function describe(run, probe, k, quantities) {
    const plane = run.plane;
    const host = probe.host === UNTRAINED ? "control: frozen untrained network" : `${probe.host} network`;
    const lines = [[run.name, " · ", probe.site, ` (${host})`], [rowText(plane, k)]];
    for (const quantity of quantities) if (probe[quantity]) lines.push([quantityText(plane, probe, quantity, k)]);
    const draws = plane.draws === null ? "" : `, ${plane.draws} draw${plane.draws === 1 ? "" : "s"} per input`;
    lines.push([`${plane.estimator || "estimator not named"}, N = ${probe.latent}, beta = ${probe.beta}${draws}; ${plane.split || "unnamed"} split, n = ${whole(plane.n[k])}`]);
    const codes = findingsAt(probe, k);
    if (codes.length) lines.push([`findings: ${codes.join(", ").replaceAll("_", " ")}`]);
    return lines;
  }

  // ---- one chart: plotly's picture, the text beside the pointer, and walking by keyboard ---------------------------
  class Chart {
    constructor(id, label) {
      this.place = $(`${id}-chart`);
      this.said = $(`${id}-said`);
      this.series = [];
      this.focus = null;
      this.drawn = false;
      this.plot = element("div");
      this.tip = element("div", { class: "tip", hidden: true });
      this.ring = element("div", { class: "cursor", hidden: true });
      this.place.append(this.plot, this.ring, this.tip);
      const about = `${label}. Left and right arrows walk along a path, up and down change the path, Home and End go to its ends, Escape leaves.`;
      for (const [key, value] of [["tabindex", "0"], ["role", "application"], ["aria-roledescription", "chart"], ["aria-label", about]]) this.place.setAttribute(key, value);
      this.place.addEventListener("keydown", (event) => this.walk(event));
      this.place.addEventListener("blur", () => this.leave());
    }

    draw(traces, layout, series) {
      const seen = look();
      const base = {
        paper_bgcolor: seen.back, plot_bgcolor: seen.back, font: { color: seen.text, size: 12, family: FONT },
        showlegend: false, hovermode: "closest", hoverdistance: 24, dragmode: false, uirevision: "kept",
        width: printing.on ? 680 : Math.max(260, this.place.clientWidth),
      };
      this.series = series;
      const options = {
        displaylogo: false, responsive: false, displayModeBar: "hover", scrollZoom: false, doubleClick: "reset",
        modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
        toImageButtonOptions: { format: "svg", filename: "infoplane" },
      };
      Plotly.react(this.plot, traces, { ...base, ...layout }, options);
      if (!this.drawn) {
        this.plot.on("plotly_hover", (event) => {
          const point = event.points[0];
          const one = this.series.find((s) => s.curve === point.curveNumber);
          if (one) this.tell(one, point.pointNumber);
        });
        this.plot.on("plotly_unhover", () => this.hide());
        this.plot.on("plotly_relayout", () => this.hide());
      }
      this.drawn = true;
      this.hide();
      if (this.focus && document.activeElement === this.place) this.tellFocus();
    }

    // Pixels of a point within the chart, from the axes that plotly has laid out.
    position(one, k) {
      const trace = this.plot._fullData[one.curve];
      const layout = this.plot._fullLayout;
      const axis = (name) => layout[name.replace(/^([xy])/, "$1axis")];
      const [x, y] = [axis(trace.xaxis), axis(trace.yaxis)];
      return [x._offset + x.d2p(trace.x[k]), y._offset + y.d2p(trace.y[k])];
    }

    tell(one, k) {
      this.tip.replaceChildren(...one.describe(k).map((pieces, row) => {
        const line = element("div");
        line.append(...pieces.map((piece) => element("bdi", {}, cut(piece, 300))));
        if (!row) line.style.fontWeight = "600";
        return line;
      }));
      this.tip.hidden = false;
      const [x, y] = this.position(one, k);
      const [width, height] = [this.tip.offsetWidth, this.tip.offsetHeight];
      const room = this.place.clientWidth;
      const left = x + 14 + width <= room ? x + 14 : Math.max(0, Math.min(x - 14 - width, room - width));
      this.tip.style.left = `${left}px`;
      this.tip.style.top = `${Math.max(0, y - height - 12) || y + 16}px`;
      this.ring.hidden = false;
      this.ring.style.left = `${x}px`;
      this.ring.style.top = `${y}px`;
    }

    tellFocus() {
      const one = this.series.find((s) => s.key === this.focus.key) || this.series[0];
      if (!one || !one.count) return;
      this.focus = { key: one.key, k: Math.min(Math.max(0, this.focus.k), one.count - 1) };
      this.tell(one, this.focus.k);
      this.said.textContent = one.describe(this.focus.k).map((pieces) => pieces.join("")).join("; ");
    }

    walk(event) {
      const walked = this.series.filter((s) => s.count);
      if (!walked.length || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Escape") { this.leave(); return; }
      const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0], Home: [0, -Infinity], End: [0, Infinity] };
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      const first = walked.findIndex((s) => this.focus && s.key === this.focus.key);
      if (first < 0) this.focus = { key: walked[0].key, k: walked[0].count - 1 };
      else {
        const one = walked[(first + move[0] + walked.length) % walked.length];
        this.focus = { key: one.key, k: this.focus.k + move[1] };
      }
      this.tellFocus();
    }

    hide() { this.tip.hidden = true; this.ring.hidden = true; }
    leave() { this.hide(); this.focus = null; this.said.textContent = ""; }
    empty(text) {
      if (this.drawn) Plotly.purge(this.plot);
      this.drawn = false;
      this.series = [];
      this.place.classList.add("empty");
      this.plot.replaceChildren(element("p", { class: "quiet" }, text));
    }
    ready() {
      if (this.place.classList.contains("empty")) { this.place.classList.remove("empty"); this.plot.replaceChildren(); }
    }
  }

  // ---- panels ------------------------------------------------------------------------------------------------------
  function panels(count, width) {
    const columns = Math.max(1, Math.min(count, Math.floor(width / 330)));
    // Between two columns stand the labels of an axis, as wide on every screen.
    return { columns, rows: Math.ceil(count / columns), gap: Math.max(0.07, 78 / (width - 67)) };
  }
  function domain(k, count, grid, height) {
    const [gapX, gapY] = [grid.columns > 1 ? grid.gap : 0, grid.rows > 1 ? 78 / height : 0];
    const [width, tall] = [(1 - gapX * (grid.columns - 1)) / grid.columns, (1 - gapY * (grid.rows - 1)) / grid.rows];
    const [column, row] = [k % grid.columns, Math.floor(k / grid.columns)];
    const top = 1 - row * (tall + gapY);
    return { x: [column * (width + gapX), column * (width + gapX) + width], y: [Math.max(0, top - tall), top] };
  }
  const suffix = (k) => (k ? String(k + 1) : "");
  function axis(extra) {
    const seen = look();
    return { gridcolor: seen.grid, zeroline: false, linecolor: seen.quiet, showline: true, ticks: "outside", tickcolor: seen.quiet, automargin: true, ...extra };
  }
  function panelTitle(text, box, k, width) {
    const room = (box.x[1] - box.x[0]) * (width - 90) - 8;
    return { text: `<b>${escaped(fitted(text, room))}</b>`, xref: "paper", yref: "paper", x: (box.x[0] + box.x[1]) / 2, y: box.y[1], xanchor: "center", yanchor: "bottom", yshift: 4, showarrow: false, font: { size: 13 }, name: `title${k}` };
  }
  function span(values, low, high) {
    const kept = values.filter(finite);
    if (!kept.length) return [0, 1];
    let [least, most] = [Infinity, -Infinity];
    for (const v of kept) { if (v < least) least = v; if (v > most) most = v; }
    const size = most - least || Math.abs(most) || 1;
    return [least - low * size, most + high * size];
  }
  function besides() { return $("beside").checked && shown().length > 1 && shown().length <= MOST_BESIDE; }

  // ---- the information plane ---------------------------------------------------------------------------------------
  function drawPlane() {
    const chart = charts.plane;
    const runs = shown().filter((run) => run.plane && run.plane.drawn);
    if (!runs.length) { chart.empty(data.runs.some((run) => run.plane && run.plane.drawn) ? "No run with a plane is chosen." : "Nothing has been measured yet."); note("plane", []); return; }
    chart.ready();
    const seen = look();
    const apart = besides();
    const count = apart ? runs.length : 1;
    const width = printing.on ? 680 : chart.place.clientWidth;
    const grid = panels(count, width);
    const height = 70 + grid.rows * (count > 1 ? Math.min(520, Math.max(320, 0.85 * width / grid.columns)) : Math.min(560, Math.max(360, 0.6 * width))) + 78 * (grid.rows - 1);
    const log = $("logarithmic").checked;
    const all = runs.flatMap((run) => probes(run));
    const logN = runs.map((run) => Math.log2(run.plane.n[run.plane.n.length - 1]));
    const rates = [...all.flatMap((p) => p.i_zx), ...logN].filter((v) => finite(v) && (!log || v > 0));
    const xs = log ? span(rates.map((v) => Math.log10(v)), 0.04, 0.06) : span([0, ...rates], 0.02, 0.05);
    const ys = span([0, ...all.flatMap((p) => p.i_zy), ...runs.map((run) => run.plane.h_y)], 0.05, 0.12);
    const [traces, series, layout] = [[], [], { height, margin: { l: 55, r: 12, t: 30, b: 48 }, annotations: [], shapes: [] }];
    const last = Math.max(...times);
    const share = (t) => (last === times[0] ? 1 : (t - times[0]) / (last - times[0]));
    for (let k = 0; k < count; k += 1) {
      const box = domain(k, count, grid, height - 78);
      const tag = suffix(k);
      layout[`xaxis${tag}`] = axis({ domain: box.x, anchor: `y${tag}`, range: xs, type: log ? "log" : "linear", title: { text: "rate of the probe's code, upper bound on I(Z;X) [bit]", font: { size: 12 }, standoff: 6 }, ...(log ? { dtick: xs[1] - xs[0] > 1.2 ? 1 : "D2" } : { nticks: 7 }) });
      layout[`yaxis${tag}`] = axis({ domain: box.y, anchor: `x${tag}`, range: ys, title: { text: `${aboutLabels(runs)} [bit]`, font: { size: 12 }, standoff: 6 } });
      if (count > 1 && width / grid.columns < 480) layout[`xaxis${tag}`].title.text = "rate, upper bound on I(Z;X) [bit]";
      if (k) { layout[`xaxis${tag}`].matches = "x"; layout[`yaxis${tag}`].matches = "y"; }
      if (apart) layout.annotations.push(panelTitle(runs[k].name, box, k, width));
      lines(layout, apart ? [runs[k]] : runs, tag, xs, log, seen);
    }
    runs.forEach((run, r) => {
      const tag = apart ? suffix(r) : "";
      const rows = until(run.plane);
      const kept = Math.max(1, Math.ceil(rows / MOST_DOTS));
      const [ends, rings] = [[], { x: [], y: [] }];
      for (const probe of probes(run)) {
        const { color, symbol } = style(probe.site);
        const isControl = probe.host === UNTRAINED;
        const tints = Array.from({ length: rows }, (_, k) => shade(color, share(when(run.plane, k))));
        const sizes = Array.from({ length: rows }, (_, k) => ((rows - 1 - k) % kept ? 0 : isControl ? 5 : 7));
        traces.push({
          type: "scatter", mode: "lines+markers", x: probe.i_zx.slice(0, rows), y: probe.i_zy.slice(0, rows), xaxis: `x${tag}`, yaxis: `y${tag}`, hoverinfo: "none",
          line: { color: faint(color, isControl ? 0.75 : 0.45), width: 1.2, dash: apart || runs.length === 1 ? "solid" : dash(run) },
          marker: { symbol, size: sizes, color: isControl ? seen.back : tints, line: { width: isControl ? 1.1 : 0, color: isControl ? tints : color }, opacity: 1 },
        });
        series.push({ key: `${run.path}\n${probe.probe}`, curve: traces.length - 1, count: rows, describe: (k) => describe(run, probe, k, ["i_zx", "i_zy", "i_zx_lower", "i_zx_upper"]) });
        if (rows) ends.push({ probe, color, symbol, isControl, k: rows - 1 });
        const doubtful = unique(run.plane.unusable.flatMap((code) => probe.findings[code] || [])).filter((k) => k < rows);
        for (const k of doubtful) { rings.x.push(probe.i_zx[k]); rings.y.push(probe.i_zy[k]); }
      }
      const at = { xaxis: `x${tag}`, yaxis: `y${tag}`, hoverinfo: "skip", type: "scatter", mode: "markers" };
      traces.push({ ...at, x: ends.map((e) => e.probe.i_zx[e.k]), y: ends.map((e) => e.probe.i_zy[e.k]), marker: { symbol: ends.map((e) => e.symbol), size: ends.map((e) => (e.isControl ? 9 : 11)), color: ends.map((e) => (e.isControl ? seen.back : shade(e.color, 0.75))), line: { width: 1.6, color: seen.text } } });
      if (rings.x.length) traces.push({ ...at, ...rings, marker: { symbol: "circle-open", size: 15, color: seen.ring, line: { width: 1.6 } } });
    });
    chart.draw(traces, layout, series);
    planeNote(runs);
  }
  function lines(layout, runs, tag, xs, log, seen) {
    const counts = unique(runs.map((run) => run.plane.n[run.plane.n.length - 1]));
    if (counts.length === 1) {
      const value = Math.log2(counts[0]);
      const end = log ? 10 ** (xs[1] + 2) : xs[1] + 9 * (xs[1] - xs[0]);
      if (value < (log ? 10 ** xs[1] : xs[1])) layout.shapes.push({ type: "rect", layer: "below", xref: `x${tag}`, yref: `y${tag} domain`, x0: value, x1: end, y0: 0, y1: 1, fillcolor: seen.beyond, line: { width: 0 } });
    }
    const shape = { layer: "below", line: { color: seen.quiet, width: 1 } };
    const label = { showarrow: false, font: { size: 11, color: seen.quiet } };
    for (const h of unique(runs.map((run) => run.plane.h_y)).filter(finite)) {
      layout.shapes.push({ ...shape, type: "line", xref: `x${tag} domain`, yref: `y${tag}`, x0: 0, x1: 1, y0: h, y1: h, line: { ...shape.line, dash: "dash" } });
      layout.annotations.push({ ...label, text: `H(Y) = ${bits(h)} bit`, xref: `x${tag} domain`, yref: `y${tag}`, x: 1, y: h, xanchor: "right", yanchor: "bottom" });
    }
    for (const n of counts) {
      const value = Math.log2(n);
      const x = log ? Math.log10(value) : value;
      layout.shapes.push({ ...shape, type: "line", xref: `x${tag}`, yref: `y${tag} domain`, x0: value, x1: value, y0: 0, y1: 1, line: { ...shape.line, dash: "dot" } });
      const near = (x - xs[0]) / (xs[1] - xs[0]) < 0.55;
      layout.annotations.push({ ...label, text: `log2 n = ${value.toFixed(2)} bit`, xref: `x${tag}`, yref: `y${tag} domain`, x, y: 1, xanchor: near ? "left" : "right", yanchor: "top", xshift: near ? 3 : -3 });
    }
  }
  function planeNote(runs) {
    const said = [`Dots go from pale (early) to full (late); the large one with an edge is the last shown. Hollow: control. Grey ground: beyond log2 n, where a rate says nothing about these n inputs.`];
    if (runs.some((run) => run.plane.unusable.length)) said.push("Ringed: a finding says that the value cannot be used as it stands.");
    if (!runs.some((run) => run.plane.probes.some((p) => p.host === UNTRAINED))) said.push("No control was recorded: how much of a path is the probes' own training cannot be told.");
    if (runs.some((run) => !run.plane.findings_known)) said.push("The findings of a file cannot be read, so nothing of it is ringed.");
    if (runs.length > 1 && !besides()) said.push(dashText());
    said.push(...drawnText(runs), ...leftOut());
    const others = runs.filter((run) => run.plane.others);
    if (others.length) said.push(`Not drawn: ${others.map((run) => `${run.plane.others} probes of ${run.name}`).join(", ")} (other betas, scale twins, refitted).`);
    const lost = runs.flatMap((run) => probes(run)).reduce((sum, p) => sum + p.i_zx.filter((v, k) => !finite(v) || !finite(p.i_zy[k])).length, 0);
    if (lost) said.push(`${lost} point${lost > 1 ? "s are" : " is"} not finite and left out.`);
    note("plane", said);
  }
  function drawnText(runs) {
    return unique(runs.filter((run) => run.plane.every > 1).map((run) => `Drawn: one row in ${run.plane.every} of ${whole(run.plane.of)}, and the last.`));
  }
  function leftOut() {
    const count = data.runs.length - shown().length;
    if (!count) return [];
    return [`${count} of the ${data.runs.length} runs ${count > 1 ? "are" : "is"} not drawn${printing.on ? ": nobody ticked them" : `; tick ${count > 1 ? "them" : "it"} under Runs`}.`];
  }
  const dashText = () => `Runs differ in their dashes, which stand beside their names above${shown().length > DASHES.length ? `; after ${DASHES.length} runs they begin again` : ""}.`;
  function note(id, sentences) { $(`${id}-note`).textContent = sentences.join(" "); }

  // ---- bounds over time --------------------------------------------------------------------------------------------
  function drawBounds() {
    const chart = charts.bounds;
    const runs = shown().filter((run) => run.plane && run.plane.drawn);
    if (!runs.length) { chart.empty("There is nothing to draw over time."); note("bounds", []); return; }
    chart.ready();
    const seen = look();
    const quantities = [state.quantity, "i_zy"];
    const withError = runs.filter((run) => run.metrics && run.metrics.error);
    const count = withError.length ? 3 : 2;
    const height = 60 + count * 190;
    const [traces, series, layout] = [[], [], { height, margin: { l: 55, r: 12, t: 10, b: 48 }, shapes: [], annotations: [] }];
    const gap = 0.045;
    const tall = (1 - gap * (count - 1)) / count;
    const titles = [`${state.quantity} [bit]`, "i_zy [bit]", `error [${unique(runs.map((run) => run.error_unit)).join(" or ")}]`];
    const range = span(times, 0.02, 0.02);
    for (let k = 0; k < count; k += 1) {
      const top = 1 - k * (tall + gap);
      layout[`yaxis${suffix(k)}`] = axis({ domain: [Math.max(0, top - tall), top], anchor: "x", title: { text: titles[k], font: { size: 12 }, standoff: 6 }, nticks: 6 });
    }
    layout.xaxis = axis({ anchor: `y${suffix(count - 1)}`, range, title: { text: clock, font: { size: 12 }, standoff: 6 } });
    const banded = runs.length <= 2;
    for (const run of runs) {
      quantities.forEach((quantity, panel) => {
        for (const probe of probes(run)) {
          if (!probe[quantity]) continue;
          const { color, symbol } = style(probe.site);
          const isControl = probe.host === UNTRAINED;
          const x = run.plane[clock];
          const at = { type: "scatter", yaxis: `y${suffix(panel)}`, xaxis: "x" };
          const errors = probe[`se_${quantity}`];
          if (banded && errors && !isControl) {
            const [upper, lower] = [1, -1].map((sign) => probe[quantity].map((v, k) => (finite(v) && finite(errors[k]) ? v + sign * errors[k] : null)));
            const edge = { ...at, mode: "lines", hoverinfo: "skip", line: { width: 0, color }, connectgaps: false };
            traces.push({ ...edge, x, y: upper }, { ...edge, x, y: lower, fill: "tonexty", fillcolor: faint(color, 0.22) });
          }
          const few = x.length <= MOST_DOTS;
          traces.push({
            ...at, x, y: probe[quantity], mode: few ? "lines+markers" : "lines", hoverinfo: "none",
            line: { color: isControl ? faint(color, 0.7) : color, width: isControl ? 1.2 : 1.7, dash: runs.length > 1 ? dash(run) : "solid" },
            marker: { symbol, size: 5, color: isControl ? seen.back : color, line: { color, width: 1 } },
          });
          series.push({ key: `${quantity}\n${run.path}\n${probe.probe}`, curve: traces.length - 1, count: x.length, describe: (k) => describe(run, probe, k, [quantity]) });
        }
      });
      if (run.metrics && run.metrics.error && count > 2) {
        const errors = run.metrics.error.map((v) => (finite(v) ? 100 * v : null));
        const few = errors.length <= MOST_DOTS;
        traces.push({ type: "scatter", xaxis: "x", yaxis: "y3", x: run.metrics[clock], y: errors, mode: few ? "lines+markers" : "lines", hoverinfo: "none", line: { color: seen.text, width: 1.5, dash: runs.length > 1 ? dash(run) : "solid" }, marker: { size: 4, color: seen.text } });
        series.push({ key: `error\n${run.path}`, curve: traces.length - 1, count: errors.length, describe: (k) => [[run.name], [rowText(run.metrics, k)], [`error of the network: ${finite(errors[k]) ? errors[k].toFixed(2) : "not finite"} ${run.error_unit}, ${run.metrics.split || "unnamed"} split${run.plane && run.plane.n.length ? `, n = ${whole(run.plane.n[run.plane.n.length - 1])}` : ""}; no standard error is kept of it`]] });
      }
    }
    const now = times[state.at];
    layout.shapes.push({ type: "line", xref: "x", yref: "paper", x0: now, x1: now, y0: 0, y1: 1, line: { color: seen.quiet, width: 1, dash: "dot" }, layer: "below" });
    chart.draw(traces, layout, series);
    const kind = unique(runs.map((run) => (run.plane.kinds[state.quantity] || "").replaceAll("_", " "))).join(" or ");
    note("bounds", [
      `First panel: ${WORDS[state.quantity]}, ${kind}${kind.includes("bound") ? " on" : " of"} ${BOUNDED[state.quantity]}; second: i_zy, ${aboutLabels(runs)}${count > 2 ? "; third: error of the network itself" : ""}.`,
      banded ? "Bands: one standard error over the inputs, without seeds and the probes' training." : "Standard errors are in the text of every point.",
      $("control").checked ? "Pale lines: control." : "", runs.length > 1 ? dashText() : "", "The dotted line is the step of the slider.", ...drawnText(runs), ...leftOut(),
    ].filter(Boolean));
  }

  // ---- histograms --------------------------------------------------------------------------------------------------
  const layerKey = (one) => `${one.stream}\n${one.name}`;
  function drawHistograms() {
    const chart = charts.histograms;
    const runs = shown().map((run) => ({ run, one: run.histograms.find((h) => layerKey(h) === state.layer) })).filter((r) => r.one && r.one.rows.length);
    const most = runs.slice(0, MOST_BESIDE);
    document.querySelector("#histograms .choice").hidden = !data.runs.some((run) => run.histograms.length);
    if (!most.length) { chart.empty("There is no histogram of weights or activations of the runs that are chosen."); note("histograms", []); return; }
    chart.ready();
    const seen = look();
    const width = printing.on ? 680 : chart.place.clientWidth;
    const grid = panels(most.length, width);
    const height = 92 + grid.rows * 250 + 78 * (grid.rows - 1);
    const [traces, series, layout] = [[], [], { height, margin: { l: 55, r: 12, t: 40, b: 52 }, annotations: [], bargap: 0 }];
    const color = seen.lift ? "#5b7f99" : "#9dbdd3";
    const line = seen.lift ? "#ff9d5c" : "#d55e00";
    const rows = most.flatMap((r) => r.one.rows).filter((row) => row.edges.length);
    const highest = span([0, ...rows.flatMap((row) => row.density), ...rows.map((row) => (row.sigma > 0 ? 1 / (row.sigma * Math.sqrt(2 * Math.PI)) : null))], 0, 0.06);
    const ends = rows.flatMap((row) => [tail(row), head(row)]);
    const wide = span(ends, 0.02, 0.02);
    const noun = most[0].one.stream;
    most.forEach(({ run, one }, k) => {
      const box = domain(k, most.length, grid, height - 92);
      const tag = suffix(k);
      layout[`xaxis${tag}`] = axis({ domain: box.x, anchor: `y${tag}`, type: "log", range: wide, title: { text: `x: positive ${noun}`, font: { size: 12 }, standoff: 6 }, exponentformat: "power", dtick: wide[1] - wide[0] > 2.5 ? 1 : "D2" });
      layout[`yaxis${tag}`] = axis({ domain: box.y, anchor: `x${tag}`, range: highest, title: { text: "density of ln x", font: { size: 12 }, standoff: 6 }, nticks: 6 });
      layout.annotations.push(panelTitle(run.name, box, k, width));
      const row = nearest(one.rows);
      const at = { type: "scatter", xaxis: `x${tag}`, yaxis: `y${tag}` };
      if (!row.edges.length) { layout.annotations.push({ text: "no positive value", xref: `x${tag} domain`, yref: `y${tag} domain`, x: 0.5, y: 0.5, showarrow: false }); return; }
      const n = row.density.length;
      traces.push({ ...at, mode: "lines", line: { shape: "hv", width: 0.5, color }, fill: "tozeroy", fillcolor: color, hoverinfo: "skip", x: row.edges, y: [...row.density, 0] });
      const centres = row.density.map((_, j) => Math.sqrt(row.edges[j] * row.edges[j + 1]));
      traces.push({ ...at, mode: "markers", marker: { size: 1, opacity: 0 }, x: centres, y: row.density, hoverinfo: "none" });
      series.push({ key: `${run.path}\n${layerKey(one)}`, curve: traces.length - 1, count: n, describe: (j) => [[run.name, " · ", one.name], [rowText({ step: [row.step], epoch: [row.epoch] }, 0)], [`x from ${row.edges[j].toPrecision(3)} to ${row.edges[j + 1].toPrecision(3)}: density of ln x ${row.density[j].toPrecision(3)}`], [`n = ${whole(row.n)} positive ${one.stream}, zeros ${percent(row.zero_fraction)}; ln x has mean ${row.mu} and deviation ${row.sigma}`]] });
      if (row.sigma > 0) {
        const z = Array.from({ length: 121 }, (_, j) => -3.6 + 0.06 * j);
        traces.push({ ...at, mode: "lines", hoverinfo: "skip", line: { color: line, width: 2 }, x: z.map((v) => Math.exp(row.mu + row.sigma * v)), y: z.map((v) => Math.exp(-v * v / 2) / (row.sigma * Math.sqrt(2 * Math.PI))) });
      }
      layout.annotations.push({ text: `${rowText({ step: [row.step], epoch: [row.epoch] }, 0)}<br>n = ${whole(row.n)}<br>zeros ${percent(row.zero_fraction)}`, align: "left", xref: `x${tag} domain`, yref: `y${tag} domain`, x: 0.01, y: 0.99, xanchor: "left", yanchor: "top", showarrow: false, font: { size: 11, color: seen.quiet } });
    });
    chart.draw(traces, layout, series);
    const left = most.filter((r) => r.one.rows.length < r.one.of);
    note("histograms", [
      `${noun.charAt(0).toUpperCase()}${noun.slice(1)} of ${most[0].one.name}.`,
      "Bars: density of ln x of the positive values, neighbouring bins joined. Line: the log-normal law of the same mean and deviation of ln x. The same axes at every step; each panel shows the last histogram at or before the slider.",
      left.length ? `Kept here: ${left[0].one.rows.length} of ${whole(left[0].one.of)} measurements.` : "",
      ...leftOut(), runs.length > most.length ? `${most.length} of the ${runs.length} runs chosen are drawn.` : "",
    ].filter(Boolean));
  }
  const percent = (share) => (finite(share) ? `${(100 * share).toFixed(1)} %` : "not known");
  // Where a thousandth of the mass begins: single values far below would squeeze all the rest.
  function tail(row) {
    let mass = 0;
    const total = row.density.reduce((sum, d, j) => sum + d * Math.log(row.edges[j + 1] / row.edges[j]), 0);
    for (let j = 0; j < row.density.length; j += 1) {
      mass += row.density[j] * Math.log(row.edges[j + 1] / row.edges[j]);
      if (mass >= 1e-3 * total) return Math.min(Math.log10(row.edges[j]), (row.mu - 3.2 * row.sigma) / Math.LN10);
    }
    return Math.log10(row.edges[0]);
  }
  // The last bin, or where the fitted line has come down.
  const head = (row) => Math.max(Math.log10(row.edges[row.edges.length - 1]), row.sigma > 0 ? (row.mu + 3.2 * row.sigma) / Math.LN10 : -Infinity);
  function nearest(rows) {
    const limit = times[state.at];
    let found = rows[0];
    for (const row of rows) if (row[clock] <= limit) found = row;
    return found;
  }

  // ---- controls ----------------------------------------------------------------------------------------------------
  function swatch(site) {
    const { color, symbol } = style(site);
    const paths = { circle: "M7 2.5a4.5 4.5 0 1 0 .01 0z", square: "M3 3h8v8H3z", "triangle-up": "M7 2l5 9.5H2z", diamond: "M7 1.5L12 7l-5 5.5L2 7z", "triangle-down": "M7 12L2 2.5h10z", cross: "M5 2h4v3h3v4H9v3H5V9H2V5h3z", x: "M4 2l3 3 3-3 2 2-3 3 3 3-2 2-3-3-3 3-2-2 3-3-3-3z", "triangle-left": "M2 7l9.5-5v10z" };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of [["width", "14"], ["height", "14"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", paths[symbol]);
    path.setAttribute("fill", color);
    svg.append(path);
    return svg;
  }
  // The dash of a run that is drawn, as long as its longest pattern; nothing where there is none to tell apart.
  function sample(run) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of [["width", "36"], ["height", "14"], ["aria-hidden", "true"], ["class", "dash"]]) svg.setAttribute(key, value);
    if (shown().length < 2 || !shown().includes(run)) {
      svg.setAttribute("hidden", "");
      return svg;
    }
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [key, value] of [["d", "M0 7h36"], ["stroke", "currentColor"], ["stroke-width", "2"], ["stroke-dasharray", STROKES[dash(run)] || "none"], ["data-dash", dash(run)]]) line.setAttribute(key, value);
    svg.append(line);
    return svg;
  }
  // On paper there are no boxes to tick: the same signs and names stand above the charts.
  function buildKey() {
    const layers = sites().filter((site) => !state.hiddenLayers.has(site)).map((site) => [swatch(site), site]);
    const runs = shown().length > 1 ? shown().map((run) => [sample(run), run.name]) : [];
    $("key").replaceChildren(...[...layers, ...runs].map(([sign, text]) => element("span", {}, sign, " ", element("bdi", {}, text))));
    for (const box of $("runs").querySelectorAll("input")) {
      const run = data.runs.find((one) => one.path === box.dataset.key);
      if (run) box.parentElement.querySelector("svg").replaceWith(sample(run));
    }
  }
  function boxes(place, entries, isOn, change, extra) {
    const focused = document.activeElement && document.activeElement.closest(`#${place.id}`) ? document.activeElement.dataset.key : null;
    place.querySelectorAll("label").forEach((label) => label.remove());
    for (const [key, text] of entries) {
      const box = element("input", { type: "checkbox", "data-key": key });
      box.checked = isOn(key);
      box.addEventListener("change", () => change(key, box.checked));
      place.append(element("label", { title: text }, box, ...(extra ? [extra(key)] : []), element("bdi", {}, text)));
      if (key === focused) box.focus();
    }
  }
  function choices(select, entries, value) {
    const signature = JSON.stringify(entries);
    if (select.dataset.signature === signature) return;
    select.dataset.signature = signature;
    select.replaceChildren(...entries.map(([key, text]) => element("option", { value: key }, text)));
    select.value = value;
  }
  function buildControls() {
    boxes($("layers"), sites().map((site) => [site, site]), (site) => !state.hiddenLayers.has(site), (site, on) => {
      if (on) state.hiddenLayers.delete(site); else state.hiddenLayers.add(site);
      redraw();
    }, swatch);
    for (const run of data.runs) if (!state.shownRuns.has(run.path)) state.shownRuns.set(run.path, run.drawn);
    boxes($("runs"), data.runs.map((run) => [run.path, run.name]), (path) => state.shownRuns.get(path), (path, on) => { state.shownRuns.set(path, on); redraw(); }, (path) => sample(data.runs.find((run) => run.path === path)));
    $("runs").hidden = data.runs.length < 2;
    $("beside-label").hidden = data.runs.length < 2;
    $("control-label").hidden = !data.runs.some((run) => run.plane && run.plane.probes.some((p) => p.host === UNTRAINED));
    const known = unique(data.runs.flatMap((run) => (run.plane ? Object.keys(run.plane.units) : []))).filter((q) => q !== "i_zy" && WORDS[q]);
    if (!known.includes(state.quantity) && known.length) [state.quantity] = known;
    choices($("quantity"), known.map((q) => [q, `${WORDS[q]} [bit]`]), state.quantity);
    const layers = new Map(data.runs.flatMap((run) => run.histograms.map((one) => [layerKey(one), `${one.stream}: ${one.name}`])));
    if (!layers.has(state.layer)) state.layer = layers.size ? [...layers.keys()][0] : "";
    choices($("layer"), [...layers.entries()].map(([key, text]) => [key, cut(text, 90)]), state.layer);
    setTime(state.follows ? times.length - 1 : state.at);
  }
  function setTime(at) {
    state.at = Math.min(Math.max(0, at), Math.max(0, times.length - 1));
    state.follows = state.at >= times.length - 1;
    const text = times.length ? `${clock} ${whole(times[state.at])} of ${whole(times[times.length - 1])}` : "no row yet";
    for (const slider of [$("time"), $("time-again")]) {
      slider.max = String(Math.max(0, times.length - 1));
      slider.value = String(state.at);
      slider.disabled = times.length < 2;
      slider.setAttribute("aria-valuetext", text);
    }
    $("play").disabled = times.length < 2;
    $("now").textContent = text;
  }

  let waiting = 0;
  function redraw() {
    if (waiting) return;
    waiting = requestAnimationFrame(() => {
      waiting = 0;
      drawAll();
    });
  }
  function drawAll() { buildKey(); drawPlane(); drawBounds(); drawHistograms(); }

  function play() {
    if (state.timer) { stop(); return; }
    if (still.matches) { setTime(state.follows ? 0 : state.at + 1); redraw(); return; }
    if (state.follows) setTime(0);
    $("play").textContent = "Pause";
    const pause = Math.max(60, 9000 / times.length);
    const advance = () => {
      setTime(state.at + 1);
      redraw();
      if (state.follows) stop();
    };
    state.timer = setInterval(advance, pause);
    redraw();
  }
  function stop() {
    clearInterval(state.timer);
    state.timer = 0;
    nameButton();
  }
  function nameButton() { $("play").textContent = still.matches ? "Next step" : "Play"; }

  function listen() {
    for (const slider of [$("time"), $("time-again")]) slider.addEventListener("input", () => { if (state.timer) stop(); setTime(Number(slider.value)); redraw(); });
    $("play").addEventListener("click", play);
    for (const id of ["control", "beside", "logarithmic"]) $(id).addEventListener("change", redraw);
    $("quantity").addEventListener("change", (event) => { state.quantity = event.target.value; redraw(); });
    $("layer").addEventListener("change", (event) => { state.layer = event.target.value; redraw(); });
    dark.addEventListener("change", () => { buildControls(); redraw(); });
    still.addEventListener("change", () => { stop(); });
    let width = document.documentElement.clientWidth;
    addEventListener("resize", () => {
      if (document.documentElement.clientWidth !== width && !printing.on) { width = document.documentElement.clientWidth; redraw(); }
    });
    const closed = [];
    const before = () => {
      if (printing.on) return;
      printing.on = true;
      for (const details of document.querySelectorAll("details:not([open])")) { closed.push(details); details.open = true; }
      drawAll();
    };
    const after = () => {
      printing.on = false;
      while (closed.length) closed.pop().open = false;
      redraw();
    };
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    matchMedia("print").addEventListener("change", (event) => (event.matches ? before() : after()));
    if (matchMedia("print").matches) before();
  }

  // ---- text that a watching page renews: the same elements as the template makes -----------------------------------
  // A table that is wider than its place says so: a column out of sight looks like one that is not there.
  const widths = new ResizeObserver((entries) => {
    for (const { target } of entries) target.parentElement.classList.toggle("wide", target.scrollWidth > target.clientWidth + 1);
  });
  const pieces = (text) => text.map((piece) => (typeof piece === "string" ? piece : element("bdi", {}, piece.name)));
  function block(one, title) {
    if (one.kind === "paragraph") return element("p", {}, ...pieces(one.text));
    if (one.kind === "heading") return element("h3", {}, ...pieces(one.text));
    if (one.kind === "list") return element("ul", {}, ...one.items.map((item) => element("li", {}, ...pieces(item))));
    const kind = (k) => (k >= one.text_columns ? { class: "n" } : {});
    const head = element("tr", {}, ...one.head.map((cell, k) => element("th", { scope: "col", ...kind(k) }, cell)));
    const rows = one.rows.map((row) => element("tr", {}, ...row.map((cell, k) => element("td", kind(k), ...pieces([cell])))));
    const table = element("table", { "aria-label": one.caption }, element("thead", {}, head), element("tbody", {}, ...rows));
    const scroller = element("div", { class: "table", tabindex: "0", role: "region", "aria-label": title }, table);
    widths.observe(scroller);
    return element("figure", {}, element("figcaption", {}, one.caption), scroller);
  }
  function renewText(before) {
    document.title = `infoplane: ${data.runs.length === 1 ? data.runs[0].name : `${data.runs.length} runs`}`;
    document.querySelector("h1 bdi").textContent = document.title;
    for (const section of data.sections) {
      const old = before.sections.find((one) => one.id === section.id);
      const place = document.querySelector(`[data-text="${section.id}"] .blocks`);
      if (!place || JSON.stringify(old) === JSON.stringify(section)) continue;
      const scrolled = [...place.querySelectorAll(".table")].map((table) => [table.scrollLeft, table.scrollTop]);
      const focused = [...place.querySelectorAll(".table")].indexOf(document.activeElement);
      const whole = place.closest("section");
      if (whole.hidden) {  // a page that was opened before there was anything to say here
        whole.hidden = false;
        whole.querySelector("h2").textContent = section.title;
      }
      place.replaceChildren(...section.blocks.map((one) => block(one, section.title)));
      place.querySelectorAll(".table").forEach((table, k) => {
        if (scrolled[k]) [table.scrollLeft, table.scrollTop] = scrolled[k];
        if (k === focused) table.focus({ preventScroll: true });
      });
    }
  }

  // ---- watching ----------------------------------------------------------------------------------------------------
  function watch(url) {
    let [text, tag, failures] = ["", "", 0];
    const say = (said) => { if ($("connection").textContent !== said) $("connection").textContent = said; $("connection").hidden = !said; };
    let answered = new Date();
    async function look() {
      try {
        const headers = tag ? { "If-None-Match": tag } : {};
        const answer = await fetch(url, { cache: "no-store", credentials: "same-origin", headers });
        if (!answer.ok && answer.status !== 304) throw new Error(`the server answers ${answer.status}`);
        failures = 0;
        answered = new Date();
        say("");
        if (answer.status === 304) return;  // nothing has changed in the files
        const found = await answer.json();
        tag = answer.headers.get("ETag") || "";
        const { made, ...rest } = found;
        const now = JSON.stringify(rest);
        if (now !== text) {
          text = now;
          const before = data;
          data = found;
          findTimes();
          buildControls();
          renewText(before);
          redraw();
        }
      } catch (error) {
        failures += 1;
        const seconds = Math.round((new Date() - answered) / 1000);
        say(`The server does not answer (for ${seconds} s): what stands here is what it said last. Trying again.`);
      } finally {
        setTimeout(look, document.hidden ? 5000 : Math.min(30000, 1500 * 2 ** Math.min(failures, 5)));
      }
    }
    setTimeout(look, 1000);
  }

  // ---- start -------------------------------------------------------------------------------------------------------
  async function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }
  const pause = () => new Promise((resolve) => { setTimeout(resolve, 0); });
  async function start() {
    const held = $("data");
    const packed = $("plotly");
    const text = held.dataset.form === "gzip" ? await unpacked(held.textContent) : held.textContent;
    data = JSON.parse(text);
    const library = element("script");
    library.textContent = await unpacked(packed.textContent);
    document.head.append(library);
    packed.remove();
    if (typeof Plotly === "undefined") throw new Error("plotly did not start");
    charts.plane = new Chart("plane", "Information plane");
    charts.bounds = new Chart("bounds", "Bounds over time");
    charts.histograms = new Chart("histograms", "Histograms by step");
    nameButton();
    findTimes();
    buildControls();
    for (const table of document.querySelectorAll(".table")) widths.observe(table);
    listen();
    buildKey();
    for (const one of [drawPlane, drawBounds, drawHistograms]) { await pause(); one(); }
    document.body.dataset.ready = "yes";
    if (document.body.dataset.live) watch(document.body.dataset.live);
  }
  start().catch((error) => {
    $("no-charts").hidden = false;
    $("no-charts").textContent = `The charts cannot be drawn (${error.message}); all the text and the tables are here. They need a browser of 2023 or later.`;
    document.body.dataset.ready = "no";
  });
})();
