const SHOWN = { "1/m^3": "m⁻³", ohm: "Ω", "uC/cm^2": "µC/cm²" };  // units as people write them
const STEPS = 200; // of a logarithmic slider
const DIGITS = 5; // of a number beside a slider: more do not fit
const LARGE = 1e9; // numbers from here on are written with a power of ten, since all of their zeros do not fit
const RATE = 12; // frames of a film a second
const AHEAD = [2, 14]; // frames of a film that are asked for at first, and then at a time
const PREFIXES = [[1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];
const by = (id) => document.getElementById(id);
const tab = await ownTab();
const sliders = new Map(); // name -> what stands in its row
let start, last = {}, asked = 0, answered = 0, waiting = 0, film = null, playing = 0, queue = Promise.resolve(), stopped = false;

// A name for this tab, kept over reloads. A duplicated tab gets the storage of the other, so each holds a lock of its name:
// a reload waits until the page before has let go of it, a duplicate finds it held and takes another name.
async function ownTab() {
  const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
  let name = sessionStorage.getItem("tab");
  if (!name || !(await held(name, reloaded))) {
    name = crypto.randomUUID();
    await held(name, false);
  }
  sessionStorage.setItem("tab", name);
  return name;
}

function held(name, wait) {
  return new Promise((done) => {
    navigator.locks.request(`otjdd-explore ${name}`, wait ? {} : { ifAvailable: true }, (lock) => {
      done(lock !== null);
      return lock && new Promise(() => {});  // for as long as the page is there
    });
  });
}

async function call(path, body) {
  const how = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  began();
  try {
    const answer = await fetch(`${path}?tab=${tab}`, how);
    return answer.ok ? await answer.json() : { problem: `${answer.status}: ${await answer.text()}` };
  } catch {
    return { problem: "The server does not answer: it has ended, or is not to be reached." };
  } finally {
    ended();
  }
}

function began() {
  waiting += 1;
  by("result").ariaBusy = "true";
  watch();
}

function ended() {
  waiting -= 1;
  setTimeout(() => { // when the answer is shown
    by("result").ariaBusy = String(waiting > 0);
    if (!waiting) document.body.classList.remove("late");
  });
}

// While an answer is out: what it waits for, and how far that is.
let watching = false;
async function watch() {
  if (watching) return;
  watching = true;
  await new Promise((done) => setTimeout(done, 300));
  while (waiting) {
    const now = await fetch(`progress?tab=${tab}`).then((a) => a.json()).catch(() => ({ ready: true }));
    if (!waiting) break;
    by("status").textContent = now.compiling ? `compiling kernels for ${now.compiling}, once on this machine: up to twenty seconds`
      : now.ready ? (now.fraction === null ? "computing" : `${now.doing}, ${Math.round(100 * now.fraction)} %`) : now.compiled === null ? "loading the kernels"
      : "compiling the kernels, once on this machine: about a minute";
    by("progress").hidden = false;
    by("stop").hidden = !now.ready;
    const done = now.compiling ? null : now.ready ? now.fraction : now.compiled;
    if (done === null) by("progress").removeAttribute("value"); // how far is not known
    else by("progress").value = done;
    document.body.classList.toggle("late", now.ready);
    await new Promise((done) => setTimeout(done, 250));
  }
  by("progress").hidden = by("stop").hidden = true;
  by("status").textContent = stopped ? "stopped; the figure shows the previous run" : last.summary ?? "";
  watching = false;
}

function place(row, value) { // of a value on a slider
  const { low, high, step } = row.about;
  return step ? (value - low) / step : STEPS * Math.log(value / low) / Math.log(high / low);
}

function valueAt(row, at) {
  const { low, high, step } = row.about;
  return Number((step ? low + at * step : low * (high / low) ** (at / STEPS)).toPrecision(4));
}

function build(about, into) {
  const box = document.createElement("div");
  box.className = "slider";
  const label = Object.assign(document.createElement("label"), { textContent: about.label, htmlFor: `n-${about.name}` });
  const number = Object.assign(document.createElement("input"), { type: "number", id: `n-${about.name}`, step: "any" });
  const unit = Object.assign(document.createElement("span"), { className: "unit", textContent: SHOWN[about.unit] ?? about.unit });
  const range = Object.assign(document.createElement("input"), { type: "range", id: `s-${about.name}`, step: 1, min: 0 });
  const band = Object.assign(document.createElement("div"), { className: "band" });
  const [from, to] = about.literature ?? [about.low, about.high];
  const source = Object.assign(document.createElement("p"), { className: "source", id: `h-${about.name}`,
    textContent: about.literature ? `Literature ${from} to ${to} ${unit.textContent}: ${about.source}` : about.source });
  const row = { about, box, number, range, value: about.value, literature: [from, to] };
  range.max = Math.round(place(row, about.high));
  range.setAttribute("aria-label", about.label);
  if (about.source) for (const input of [range, number]) input.setAttribute("aria-describedby", source.id);
  const share = (value) => `${Math.min(100, Math.max(0, 100 * place(row, value) / range.max))}%`;
  band.style.setProperty("--from", share(from));
  band.style.setProperty("--to", share(to));
  band.title = `Literature ${from} to ${to} ${unit.textContent}`;
  box.append(label, number, unit, range, ...(about.literature ? [band] : []), ...(about.source ? [source] : []));
  into.append(box);
  sliders.set(about.name, row);
  range.addEventListener("input", () => { put(row, valueAt(row, Number(range.value)), range); soon(); });
  range.addEventListener("change", () => move(true));
  number.addEventListener("change", () => {
    if (Number.isNaN(number.valueAsNumber)) return show({ problem: `${about.label}: expected a number`, slider: about.name });
    put(row, number.valueAsNumber, number);
    move(true);
  });
}

function drive(experiment) { // the sliders of its drive in place of those before
  for (const [name, row] of sliders) if (by("of-drive").contains(row.box)) { row.box.remove(); sliders.delete(name); }
  const rows = start.experiments.find(([name]) => name === experiment)[2];
  by("drive").hidden = !rows.length;
  rows.forEach((about) => { build(about, by("of-drive")); put(sliders.get(about.name), about.value); });
}

function digits(value) { // of a number beside a slider
  const rounded = Number(value.toPrecision(DIGITS));
  return Math.abs(rounded) < LARGE ? rounded : rounded.toExponential();
}

function put(row, value, from) {
  row.value = row.about.value = value;
  if (from !== row.number) row.number.value = digits(value);
  if (from !== row.range) row.range.value = Math.round(place(row, value));
  const text = `${value} ${row.about.unit}`;
  row.range.setAttribute("aria-valuetext", text);
  row.box.classList.toggle("outside", value < row.literature[0] || value > row.literature[1]);
}

let moving = 0;
function soon() { // one question a frame at most, however often the slider tells
  cancelAnimationFrame(moving);
  moving = requestAnimationFrame(() => move(false));
}

async function move(final) {
  cancelAnimationFrame(moving);
  const mine = asked += 1;
  const values = Object.fromEntries([...sliders].map(([name, row]) => [name, row.value]));
  const answer = await call("move", { experiment: by("experiment").value, values, final });
  if (answer.superseded || mine < answered) return;
  answered = mine;
  show(answer);
}

function show(answer) {
  for (const [name, row] of sliders) row.box.classList.toggle("wrong", answer.slider === name);
  by("problem").hidden = !answer.problem;
  by("problem").textContent = answer.problem ?? "";
  if (answer.problem) return document.body.classList.remove("late"); // the last picture is still that of the last values
  leaveFilm();
  last = answer;
  stopped = false;
  by("undo").disabled = !answer.undo;
  if (answer.buttons) buildButtons(answer.buttons);
  for (const [name, svg] of Object.entries(answer.pictures)) {
    by(name).src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  }
  by("junction").hidden = !answer.pictures.junction;
  by("junction").alt = "Band edge and Fermi levels of the junction, the current spectrum, and the vacancies in the film.";
  by("curve").alt = `${by("experiment").selectedOptions[0]?.textContent}: ${answer.summary}`;
  by("key").textContent = [
    answer.final ? "" : `preview with ${answer.columns === 1 ? "one column" : `${answer.columns} columns`} of ${start.columns}`, answer.pulses ? `pulse ${answer.pulses}` : "",
    answer.before ? "grey: before" : "",
    answer.points ?? "",
  ].filter(Boolean).join(" · ");
  by("limits").hidden = !answer.limits.length;
  by("limits").textContent = answer.limits[0] ?? "";
  by("limits").title = answer.limits.join("\n");
  by("command").textContent = answer.command ?? "";
  by("status").textContent = answer.summary;
  document.body.dataset.shown = answered;
}

function pulse(voltage, width) { // pulses wait for each other
  queue = queue.then(async () => show(await call("pulse", { voltage, width })));
}

async function play() {
  if (playing) return pause();
  if (!film) {
    film = { frames: [], times: [] };
    if (!(await more(film))) return film = null;
    by("scrubber").max = film.times.length - 1;
    by("scrubber").value = 0;
    by("scrubber").disabled = false;
    fetchAll(film);
  }
  if (Number(by("scrubber").value) === film.times.length - 1) by("scrubber").value = 0;
  by("play").textContent = "❚❚ Pause";
  playing = setInterval(() => {
    const next = Number(by("scrubber").value) + 1;
    if (next >= film.times.length) return pause();
    if (next < film.frames.length) { by("scrubber").value = next; frame(); } // else it is on its way
  }, 1000 / RATE);
  frame();
}

async function more(of) { // the next frames of a film; false where there are none
  const first = of.frames.length;
  const answer = await call("frames", { first, count: first ? AHEAD[1] : AHEAD[0] });
  if (answer.problem) show(answer);
  if (answer.problem || answer.superseded || film !== of) return false;
  of.frames.push(...answer.frames);
  of.times = answer.times;
  return true;
}

async function fetchAll(of) {
  while (of.frames.length < of.times.length) if (!(await more(of))) return;
}

function pause() {
  clearInterval(playing);
  playing = 0;
  by("play").textContent = "▶ Play";
}

function frame() {
  const i = Math.min(Number(by("scrubber").value), film.frames.length - 1);
  by("frame").src = `data:image/png;base64,${film.frames[i]}`;
  by("frame").alt = `Vacancies, band edge and current at ${told(film.times[i])}`;
  by("instant").textContent = told(film.times[i]);
  by("scrubber").setAttribute("aria-valuetext", told(film.times[i]));
  by("frame").hidden = by("back").hidden = false;
  by("junction").hidden = by("curve").hidden = true;
}

function leaveFilm() {
  pause();
  film = null;
  by("frame").hidden = by("back").hidden = true;
  by("junction").hidden = !last.pictures?.junction;
  by("curve").hidden = false;
  by("scrubber").disabled = true;
  by("instant").textContent = "";
}

function told(seconds) {
  if (!seconds) return "0 s";
  const [size, prefix] = PREFIXES.find(([size]) => seconds >= size * 0.9995) ?? PREFIXES.at(-1);
  return `${Number((seconds / size).toPrecision(4))} ${prefix}s`;
}

function buildDevice() { // the sliders of the device, its layers and its traps, in place of those before
  for (const [name, row] of sliders) if (!by("of-drive").contains(row.box)) { row.box.remove(); sliders.delete(name); }
  const room = (about) => by(about.keys[0].startsWith("device.traps") ? "of-traps" : "of-device");
  start.sliders.forEach((about) => { build(about, room(about)); put(sliders.get(about.name), about.value); });
  by("layers").replaceChildren(...start.layers.map((name, place) => {
    const item = Object.assign(document.createElement("li"), { textContent: name });
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Remove" });
    button.setAttribute("aria-label", `Remove ${name}`);
    button.addEventListener("click", () => changeDevice("layers", { place, material: "" }));
    if (start.layers.length > 1) item.append(button);
    return item;
  }));
  by("place").replaceChildren(new Option("at the left", 0), ...start.layers.map((name, i) => new Option(`after ${name}`, i + 1)));
  by("place").value = start.layers.length;
  by("new-traps").hidden = start.traps === null; // traps of the case itself stay
  by("traps").checked = start.traps;
}

async function changeDevice(path, what) {
  const values = Object.fromEntries([...sliders].filter(([, row]) => !by("of-drive").contains(row.box)).map(([name, row]) => [name, row.value]));
  const answer = await call(path, { ...what, values });
  if (answer.problem) {
    by("traps").checked = start.traps;
    return show(answer);
  }
  start = answer;
  buildDevice();
  await move(true);
}

function buildButtons(pulses) { // a button for each pulse, and one to remove it
  by("buttons").replaceChildren(...pulses.map(([voltage, width]) => {
    const name = `${voltage > 0 ? "+" : voltage < 0 ? "−" : ""}${Math.abs(voltage)} V, ${told(width)}`;
    const apply = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "×", className: "remove" });
    remove.setAttribute("aria-label", `Remove ${name}`);
    Object.assign(apply.dataset, { voltage, width });
    apply.addEventListener("click", () => { write(voltage, width); pulse(voltage, width); });
    remove.addEventListener("click", async () => buildButtons((await call("forget", { voltage, width })).buttons));
    const pair = document.createElement("span");
    pair.append(apply, remove);
    return pair;
  }));
}

function write(voltage, width) { // a pulse into the fields where it can be changed
  const [size] = PREFIXES.find(([size]) => width >= size * 0.9995) ?? PREFIXES.at(-1);
  by("voltage").value = voltage;
  by("width").value = Number((width / size).toPrecision(6));
  by("unit").value = size;
}

async function restore(to) { // the page as it was: loaded again, or before the last change
  if (to.problem) return show(to);
  start = to;
  buildDevice();
  const { experiment, values } = start.shown.settings ?? start.settings;
  by("experiment").replaceChildren(...start.experiments.map(([name, title]) => new Option(title, name)));
  by("experiment").value = experiment;
  drive(experiment);
  for (const [name, value] of Object.entries(values)) if (sliders.has(name)) put(sliders.get(name), value);
  buildButtons(start.buttons);
  if (start.shown.pictures) show(start.shown);
  else await move(true);
}

async function begin() {
  const first = await call("start");
  if (first.problem) return show(first);
  by("title").textContent = first.title;
  document.title = `otjdd explore: ${first.title}`;
  for (const name of first.materials) by("material").add(new Option(name, name));
  for (const [size, prefix] of PREFIXES) by("unit").add(new Option(`${prefix}s`, size));
  if (first.buttons.length) write(...first.buttons[0]);
  for (const section of document.querySelectorAll("#device details")) { // folded as they were
    section.open = sessionStorage.getItem(section.id) !== "folded";
    section.addEventListener("toggle", () => sessionStorage.setItem(section.id, section.open ? "" : "folded"));
  }
  await restore(first);
}

by("device").addEventListener("submit", (event) => event.preventDefault());
by("experiment").addEventListener("change", () => { drive(by("experiment").value); move(true); });
by("undo").addEventListener("click", async () => {
  asked += 1; // what was asked before is not to be shown any more
  answered = asked;
  await restore(await call("undo", {}));
});
by("stop").addEventListener("click", () => { stopped = true; fetch(`stop?tab=${tab}`, { method: "POST" }); });
by("add").addEventListener("click", () => changeDevice("layers", { place: Number(by("place").value), material: by("material").value }));
by("traps").addEventListener("change", () => changeDevice("traps", { present: by("traps").checked }));
by("apply").addEventListener("click", () => {
  if (by("voltage").reportValidity() && by("width").reportValidity()) {
    pulse(by("voltage").valueAsNumber, by("width").valueAsNumber * Number(by("unit").value));
  }
});
by("play").addEventListener("click", play);
by("scrubber").addEventListener("input", () => { pause(); frame(); });
by("back").addEventListener("click", leaveFilm);
for (const link of document.querySelectorAll(".menu a")) {
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    began();
    const answer = await fetch(`${link.getAttribute("href")}?tab=${tab}`).finally(ended);
    if (!answer.ok) return show({ problem: await answer.text() });
    const name = /filename="(.+)"/.exec(answer.headers.get("content-disposition"))[1];
    const url = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
}
by("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(by("command").textContent);
  by("copy").textContent = "Copied";
  setTimeout(() => { by("copy").textContent = "Copy the command"; }, 1500);
});
window.addEventListener("pagehide", () => navigator.sendBeacon(`stop?tab=${tab}`));
await begin();
