// The sentences under a chart: how to read it, and what is left out of it.
function note(id, sentences) {
  $(`${id}-note`).textContent = sentences.filter(Boolean).join(" ");
}

function drawnText(runs) {
  const thinned = runs.filter((run) => run.plane.every > 1);
  return unique(thinned.map((run) => `Drawn: one row in ${run.plane.every} of ${whole(run.plane.of)}, and the last.`));
}

function leftOut() {
  const count = data.runs.length - shown().length;
  if (!count) return [];
  const todo = printing.on ? ": nobody ticked them" : `; tick ${count > 1 ? "them" : "it"} under Runs`;
  return [`${count} of the ${data.runs.length} runs ${count > 1 ? "are" : "is"} not drawn${todo}.`];
}

function dashText() {
  const again = shown().length > DASHES.length ? `; after ${DASHES.length} runs they begin again` : "";
  return `Runs differ in their dashes, which stand beside their names above${again}.`;
}
