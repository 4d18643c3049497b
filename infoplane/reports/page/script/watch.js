// Watching: the data are asked for again and again, and what is new is drawn.
function watch(url) {
  let [text, tag, failures] = ["", "", 0];
  const say = (said) => {
    if ($("connection").textContent !== said) $("connection").textContent = said;
    $("connection").hidden = !said;
  };
  let answered = new Date();
  async function ask() {
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch(url, { cache: "no-store", credentials: "same-origin", headers });
      if (!answer.ok && answer.status !== 304) throw new Error(`the server answers ${answer.status}`);
      failures = 0;
      answered = new Date();
      say("");
      if (answer.status === 304) return; // nothing has changed in the files
      const found = await answer.json();
      tag = answer.headers.get("ETag") || "";
      const { made, ...rest } = found;
      const now = JSON.stringify(rest);
      if (now !== text) {
        text = now;
        const before = data;
        data = found;
        findTimes();
        buildControls();
        renewText(before);
        redraw();
      }
    } catch (error) {
      failures += 1;
      const seconds = Math.round((new Date() - answered) / 1000);
      say(`The server does not answer (for ${seconds} s): what stands here is what it said last. Trying again.`);
    } finally {
      setTimeout(ask, document.hidden ? 5000 : Math.min(30000, 1500 * 2 ** Math.min(failures, 5)));
    }
  }
  setTimeout(ask, 1000);
}
