// Numbers as text: rounded to what their standard error says, and named where they are not finite.
const whole = (value) => value.toLocaleString("en-US");
const finite = (value) => value !== null && value !== undefined && Number.isFinite(value);
const unique = (values) => [...new Set(values)];
const last = (values) => values[values.length - 1];
const percent = (share) => (finite(share) ? `${(100 * share).toFixed(1)} %` : "not known");

function bits(value, error) {
  if (!finite(value)) return "not finite";
  let decimals = Math.abs(value) < 10 ? 3 : 1;
  if (finite(error) && error > 0) decimals = Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(error))));
  const shown = (x) => x.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return finite(error) ? `${shown(value)} ± ${shown(error)}` : shown(value);
}
