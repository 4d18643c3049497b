// Text that plotly is given is escaped, for it reads markup; text that is too long for its place is shortened.
const FONT = 'system-ui, "DejaVu Sans", sans-serif';
const LABEL = 11; // px, of text within a panel
const ruler = document.createElement("canvas").getContext("2d");

// plotly also takes what stands between two $ for a formula.
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", $: "&#36;" };
const escaped = (text) => String(text).replace(/[&<>$]/g, (sign) => ENTITIES[sign]);
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function textWidth(text, size, weight = "normal") {
  ruler.font = `${weight} ${size}px ${FONT}`;
  return ruler.measureText(text).width;
}

// A bold title as wide as its panel at most, shortened in the middle: names of runs often differ at their end.
function fitted(text, room, size) {
  const signs = [...text];
  const ends = (kept) => [signs.slice(0, Math.ceil(kept / 2)), signs.slice(signs.length - Math.floor(kept / 2))];
  const short = (kept) =>
    kept >= signs.length
      ? text
      : ends(kept)
          .map((part) => part.join(""))
          .join("…");
  let kept = Math.min(signs.length, 200);
  while (kept > 2 && textWidth(short(kept), size, "bold") > room) kept -= 1;
  return short(kept);
}
