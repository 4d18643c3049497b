// The text of a point, the same for a mouse and for the keyboard: value, unit, error, direction, estimator, n, split.
const WORDS = {
  i_zx: "rate of the code, i_zx",
  i_zy: "information on the label, i_zy",
  i_zx_lower: "by the known code from below, i_zx_lower",
  i_zx_upper: "by the known code from above, i_zx_upper",
  i_zx_given_y: "rate given the label, i_zx_given_y",
  i_ty_chain: "best decoder here or behind, i_ty_chain",
};
const BOUNDED = {
  i_zx: "I(Z;X)",
  i_zy: "I(Z;Y)",
  i_zx_lower: "I(Z;X)",
  i_zx_upper: "I(Z;X)",
  i_zx_given_y: "I(Z;X|Y)",
  i_ty_chain: "I(T;Y)",
};

// Of class labels a bound; of real ones an estimate, of which H(Y) is no limit.
function aboutLabels(runs) {
  const kinds = unique(runs.map((run) => run.plane.kinds.i_zy || "lower_bound"));
  return `${kinds.map((kind) => (kind === "lower_bound" ? "lower bound on" : "estimate of")).join(" or ")} I(Z;Y)`;
}

function timeText({ step, epoch }) {
  const counted = `step ${whole(step)}`;
  return finite(epoch) ? `epoch ${epoch}, ${counted}` : counted;
}
const rowText = (rows, k) => timeText({ step: rows.step[k], epoch: rows.epoch[k] });

function quantityText(plane, probe, quantity, k) {
  const errors = probe[`se_${quantity}`];
  const error = errors ? errors[k] : null;
  const value = `${bits(probe[quantity][k], error)} ${plane.units[quantity] || "bit"}`;
  const kind = (plane.kinds[quantity] || "").replaceAll("_", " ");
  const about = `${kind} ${kind.endsWith("bound") ? "on" : "of"} ${BOUNDED[quantity]}`;
  return `${WORDS[quantity]}: ${value}${finite(error) ? "" : " (standard error not known)"}, ${about}`;
}

function describe(run, probe, k, quantities) {
  const plane = run.plane;
  const host = probe.host === UNTRAINED ? "control: frozen untrained network" : `${probe.host} network`;
  const known = quantities.filter((quantity) => probe[quantity]);
  const draws = plane.draws === null ? "" : `, ${plane.draws} draw${plane.draws === 1 ? "" : "s"} per input`;
  const how = `${plane.estimator || "estimator not named"}, N = ${probe.latent}, beta = ${probe.beta}${draws}`;
  const codes = Object.keys(probe.findings).filter((code) => probe.findings[code].includes(k));
  return [
    [run.name, " · ", probe.site, ` (${host})`],
    [rowText(plane, k)],
    ...known.map((quantity) => [quantityText(plane, probe, quantity, k)]),
    [`${how}; ${plane.split || "unnamed"} split, n = ${whole(plane.n[k])}`],
    ...(codes.length ? [[`findings: ${codes.join(", ").replaceAll("_", " ")}`]] : []),
  ];
}

function errorText(run, percentage) {
  const value = `${finite(percentage) ? percentage.toFixed(2) : "not finite"} ${run.error_unit}`;
  const n = run.plane && run.plane.n.length ? `, n = ${whole(last(run.plane.n))}` : "";
  return `error of the network: ${value}, ${run.metrics.split || "unnamed"} split${n}; no standard error is kept of it`;
}
