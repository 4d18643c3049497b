// The start: data and plotly are unpacked, the charts are drawn; the rest of the page stands without them.
async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// Lets the browser show what is there.
const pause = () =>
  new Promise((resolve) => {
    setTimeout(resolve, 0);
  });

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
  for (const one of [drawPlane, drawBounds, drawHistograms]) {
    await pause();
    one();
  }
  document.body.dataset.ready = "yes";
  if (document.body.dataset.live) watch(document.body.dataset.live);
}

start().catch((error) => {
  $("no-charts").hidden = false;
  const rest = "all the text and the tables are here. They need a browser of 2023 or later.";
  $("no-charts").textContent = `The charts cannot be drawn (${error.message}); ${rest}`;
  document.body.dataset.ready = "no";
});
