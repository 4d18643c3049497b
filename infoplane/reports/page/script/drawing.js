// When the charts are drawn: after a choice, for another width or light, and for paper.
let waiting = 0;
function redraw() {
  if (waiting) return;
  waiting = requestAnimationFrame(() => {
    waiting = 0;
    drawAll();
  });
}

function drawAll() {
  buildKey();
  drawPlane();
  drawBounds();
  drawHistograms();
}

function listen() {
  for (const slider of [$("time"), $("time-again")])
    slider.addEventListener("input", () => {
      if (state.timer) stop();
      setTime(Number(slider.value));
      redraw();
    });
  $("play").addEventListener("click", play);
  for (const id of ["control", "beside", "logarithmic"]) $(id).addEventListener("change", redraw);
  for (const id of ["quantity", "layer"])
    $(id).addEventListener("change", (event) => {
      state[id] = event.target.value;
      redraw();
    });
  dark.addEventListener("change", () => {
    buildControls();
    redraw();
  });
  still.addEventListener("change", stop);
  let width = document.documentElement.clientWidth;
  addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width || printing.on) return;
    width = document.documentElement.clientWidth;
    redraw();
  });
  listenForPaper();
}

// On paper the charts are light and as wide as a page, and what is folded away is open.
function listenForPaper() {
  const closed = [];
  const before = () => {
    if (printing.on) return;
    printing.on = true;
    for (const details of document.querySelectorAll("details:not([open])")) {
      closed.push(details);
      details.open = true;
    }
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
