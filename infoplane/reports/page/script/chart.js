// One chart: plotly's picture, the text beside the pointer, and walking by keyboard.
const MOST_DOTS = 40;
const KEYS =
  ". Left and right arrows walk along a path, up and down change the path, Home and End go to its ends, Escape leaves.";
const MOVES = {
  ArrowRight: [0, 1],
  ArrowLeft: [0, -1],
  ArrowDown: [1, 0],
  ArrowUp: [-1, 0],
  Home: [0, -Infinity],
  End: [0, Infinity],
};

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
    const attributes = {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "chart",
      "aria-label": label + KEYS,
    };
    for (const [key, value] of Object.entries(attributes)) this.place.setAttribute(key, value);
    this.place.addEventListener("keydown", (event) => this.walk(event));
    this.place.addEventListener("blur", () => this.leave());
  }

  width() {
    return printing.on ? 680 : Math.max(260, this.place.clientWidth);
  }

  draw({ traces, layout, series }) {
    const seen = look();
    const base = {
      paper_bgcolor: seen.back,
      plot_bgcolor: seen.back,
      font: { color: seen.text, size: 12, family: FONT },
      showlegend: false,
      hovermode: "closest",
      hoverdistance: 24,
      dragmode: false,
      uirevision: "kept",
      width: this.width(),
    };
    this.series = series;
    const options = {
      displaylogo: false,
      responsive: false,
      displayModeBar: "hover",
      scrollZoom: false,
      doubleClick: "reset",
      modeBarButtons: [["toImage"], ["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
      showSendToCloud: false, // plotly's own buttons send a chart to its makers' server
      plotlyServerURL: "",
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
    this.tip.replaceChildren(
      ...one.describe(k).map((pieces, row) => {
        const line = element("div");
        line.append(...pieces.map((piece) => element("bdi", {}, cut(piece, 300))));
        if (!row) line.style.fontWeight = "600";
        return line;
      }),
    );
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
    this.said.textContent = one
      .describe(this.focus.k)
      .map((pieces) => pieces.join(""))
      .join("; ");
  }

  walk(event) {
    const walked = this.series.filter((s) => s.count);
    if (!walked.length || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      this.leave();
      return;
    }
    const move = MOVES[event.key];
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

  hide() {
    this.tip.hidden = true;
    this.ring.hidden = true;
  }

  leave() {
    this.hide();
    this.focus = null;
    this.said.textContent = "";
  }

  empty(text) {
    if (this.drawn) Plotly.purge(this.plot);
    this.drawn = false;
    this.series = [];
    this.place.classList.add("empty");
    this.plot.replaceChildren(element("p", { class: "quiet" }, text));
  }

  ready() {
    if (this.place.classList.contains("empty")) {
      this.place.classList.remove("empty");
      this.plot.replaceChildren();
    }
  }
}
