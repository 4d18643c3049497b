// Playing through the steps, or one step at a time where motion is not wanted.
function play() {
  if (state.timer) {
    stop();
    return;
  }
  if (still.matches) {
    setTime(state.follows ? 0 : state.at + 1);
    redraw();
    return;
  }
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

function nameButton() {
  $("play").textContent = still.matches ? "Next step" : "Play";
}
