// Panels of one chart: where they stand, their axes, their titles.
const MOST_BESIDE = 6;

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

// The title is escaped here, for every axis.
function axis(title, extra) {
  const seen = look();
  return {
    gridcolor: seen.grid,
    zeroline: false,
    linecolor: seen.quiet,
    showline: true,
    ticks: "outside",
    tickcolor: seen.quiet,
    automargin: true,
    title: { text: escaped(title), font: { size: 12 }, standoff: 6 },
    ...extra,
  };
}

// Pixels of a panel, without the labels of its axis, at the least.
const panelWidth = (box, width) => (box.x[1] - box.x[0]) * (width - 90);

function panelTitle(text, box, k, width) {
  return {
    text: `<b>${escaped(fitted(text, panelWidth(box, width) - 8, 13))}</b>`,
    xref: "paper",
    yref: "paper",
    x: (box.x[0] + box.x[1]) / 2,
    y: box.y[1],
    xanchor: "center",
    yanchor: "bottom",
    yshift: 4,
    showarrow: false,
    font: { size: 13 },
    name: `title${k}`,
  };
}

function span(values, low, high) {
  const kept = values.filter(finite);
  if (!kept.length) return [0, 1];
  let [least, most] = [Infinity, -Infinity];
  for (const v of kept) {
    if (v < least) least = v;
    if (v > most) most = v;
  }
  const size = most - least || Math.abs(most) || 1;
  return [least - low * size, most + high * size];
}

// Whether each run has a panel of its own.
function besides() {
  return $("beside").checked && shown().length > 1 && shown().length <= MOST_BESIDE;
}
