// The controls, and the signs of layers and runs that stand beside them, or on paper in their place.

// On paper there are no boxes to tick: the same signs and names stand above the charts.
function buildKey() {
  const layers = sites()
    .filter((site) => !state.hiddenLayers.has(site))
    .map((site) => [swatch(site), site]);
  const runs = shown().length > 1 ? shown().map((run) => [sample(run), run.name]) : [];
  $("key").replaceChildren(
    ...[...layers, ...runs].map(([sign, text]) => element("span", {}, sign, " ", element("bdi", {}, text))),
  );
  for (const box of $("runs").querySelectorAll("input")) {
    const run = data.runs.find((one) => one.path === box.dataset.key);
    if (run) box.parentElement.querySelector("svg").replaceWith(sample(run));
  }
}

function boxes(place, entries, isOn, change, extra) {
  const focused =
    document.activeElement && document.activeElement.closest(`#${place.id}`)
      ? document.activeElement.dataset.key
      : null;
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
  boxes(
    $("layers"),
    sites().map((site) => [site, site]),
    (site) => !state.hiddenLayers.has(site),
    (site, on) => {
      if (on) state.hiddenLayers.delete(site);
      else state.hiddenLayers.add(site);
      redraw();
    },
    swatch,
  );
  for (const run of data.runs) if (!state.shownRuns.has(run.path)) state.shownRuns.set(run.path, run.drawn);
  boxes(
    $("runs"),
    data.runs.map((run) => [run.path, run.name]),
    (path) => state.shownRuns.get(path),
    (path, on) => {
      state.shownRuns.set(path, on);
      redraw();
    },
    (path) => sample(data.runs.find((run) => run.path === path)),
  );
  $("runs").hidden = data.runs.length < 2;
  $("beside-label").hidden = data.runs.length < 2;
  $("control-label").hidden = !hasControl(data.runs);
  const all = unique(data.runs.flatMap((run) => (run.plane ? Object.keys(run.plane.units) : [])));
  const known = all.filter((quantity) => quantity !== "i_zy" && WORDS[quantity]);
  if (!known.includes(state.quantity) && known.length) [state.quantity] = known;
  choices(
    $("quantity"),
    known.map((q) => [q, `${WORDS[q]} [bit]`]),
    state.quantity,
  );
  const layers = new Map(
    data.runs.flatMap((run) => run.histograms.map((one) => [layerKey(one), `${one.stream}: ${one.name}`])),
  );
  if (!layers.has(state.layer)) state.layer = layers.size ? [...layers.keys()][0] : "";
  choices(
    $("layer"),
    [...layers.entries()].map(([key, text]) => [key, cut(text, 90)]),
    state.layer,
  );
  setTime(state.follows ? times.length - 1 : state.at);
}

function setTime(at) {
  state.at = Math.min(Math.max(0, at), Math.max(0, times.length - 1));
  state.follows = state.at >= times.length - 1;
  const text = times.length ? `${clock} ${whole(times[state.at])} of ${whole(last(times))}` : "no row yet";
  for (const slider of [$("time"), $("time-again")]) {
    slider.max = String(Math.max(0, times.length - 1));
    slider.value = String(state.at);
    slider.disabled = times.length < 2;
    slider.setAttribute("aria-valuetext", text);
  }
  $("play").disabled = times.length < 2;
  $("now").textContent = text;
}
