// The settings: what Dash's inputs say goes into the state; a state from elsewhere goes into the inputs.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, view } = explorer;

  const SETTLE = 200; // ms after the last tick of a slider until its value counts
  const NUMBERS = { steps: "Steps m", samples: "Samples n", seed: "The seed", baseline_seed: "The seed" };

  const inInputs = {}; // what Dash's inputs hold, as far as is known
  let held = false; // a slider is being dragged
  let timer = null;

  explorer.startControls = function () {
    const sliders = document.querySelectorAll("#settings input[type=range]");
    sliders.forEach((slider) => {
      slider.addEventListener("pointerdown", () => (held = true));
      slider.addEventListener("change", release);
    });
    window.addEventListener("pointerup", () => held && release());
    window.addEventListener("pointercancel", () => held && release());
    byId("keep-drawing").addEventListener("click", keepDrawing);
    byId("new-seed").addEventListener("click", () => choose({ seed: (view.state.seed + 1) % (view.config.limits.seed[1] + 1) }));
    if (window.matchMedia("(max-width: 899px)").matches) byId("settings").open = false;
    Object.keys(NUMBERS).forEach((id) => byId(id).addEventListener("blur", () => restore(id)));
    document.addEventListener("wheel", leaveField, { passive: true, capture: true });
    explorer.on("state", show);
    explorer.on("adopted", writeInputs);
    explorer.on("answer", () => explorer.write(byId("baseline-hint"), explorer.ofEqualBaseline().join(" ")));
  };

  // The wheel scrolls the page: browsers let it change a number, in places a slider or a select too, that has the focus.
  function leaveField({ target }) {
    if (target === document.activeElement && target.matches("input, select")) target.blur();
  }

  // What follows where the baseline equals the picture, and what to do; nothing where it does not.
  explorer.ofEqualBaseline = () =>
    view.answer.equal_pixels < view.asked.pixels.length
      ? []
      : ["The baseline equals your picture, so Integrated Gradients is 0 at every pixel.", "Paint on, or choose another baseline."];

  // Dash may still be on its way with the last value: count it in.
  function release() {
    held = false;
    if (timer) settleIn(60);
  }

  function settleIn(wait) {
    clearTimeout(timer);
    timer = setTimeout(() => held || settle(), wait);
  }

  // Dash calls this with every input's value when one of them changes; only those that changed count.
  explorer.controlsChanged = function (...values) {
    if (!view.state) return;
    const context = window.dash_clientside.callback_context;
    const names = context.inputs_list.map((input) => input.id);
    const news = (id) => values[names.indexOf(id)] !== inInputs[id]; // else it is this script's own writing come back
    const moved = context.triggered.map(({ prop_id }) => prop_id.split(".")[0]).filter(news);
    names.forEach((name, i) => (inInputs[name] = values[i]));
    const patch = {};
    let slid = false;
    moved.forEach((id) => {
      const value = values[names.indexOf(id)];
      slid = slid || byId(id).type === "range";
      Object.assign(patch, read(id, value));
    });
    const changes = Object.entries(patch).filter(([name, value]) => value !== view.state[name]);
    if (!changes.length) return;
    const changed = withConsequences(Object.fromEntries(changes));
    explorer.update(changed);
    writeInputs();
    if (slid) {
      settleIn(SETTLE);
    } else explorer.commit();
  };

  function settle() {
    clearTimeout(timer);
    timer = null;
    explorer.commit();
  }

  // One input's value as a field of the state; nothing when it cannot be one, and the reason is shown.
  function read(id, value) {
    const name = id.replace("-slider", "");
    if (NUMBERS[name]) {
      const [low, high] = view.config.limits[name];
      const number = Number(value);
      const fits = value !== null && value !== "" && Number.isInteger(number) && number >= low && number <= high;
      refuse(name, fits ? "" : `${NUMBERS[name]} must be a whole number from ${low} to ${high}; still using ${view.state[name]}.`);
      return fits ? { [name]: number } : {};
    }
    if (name === "target") return { target: value === "predicted" ? value : Number(value) };
    if (name === "noise_level") return { noise_level: Number(value) / 100 };
    if (name === "clip") return { clip: Boolean(value) };
    return { [name]: value };
  }

  // A field that was left empty shows again what is in use.
  function restore(id) {
    if (byId(id).value !== "" || inInputs[id] === view.state[id]) return;
    inInputs[id] = view.state[id];
    window.dash_clientside.set_props(id, { value: view.state[id] });
    refuse(id, "");
  }

  function refuse(name, text) {
    const place = byId(`${name}-refusal`);
    if (place) explorer.write(place, text);
    else if (text) explorer.notice(text);
  }

  // A new network has other classes; a drawing can only be the baseline once there is one.
  function withConsequences(patch) {
    if (patch.network) {
      patch.target = "predicted"; // an index means something else there
    }
    if (patch.baseline === "drawing" && !view.state.drawing) patch.drawing = view.state.pixels.slice();
    return patch;
  }

  function choose(patch) {
    explorer.update(withConsequences(patch));
    writeInputs();
    explorer.commit();
  }

  explorer.choose = choose;

  function keepDrawing() {
    choose({ baseline: "drawing", drawing: view.state.pixels.slice() });
  }

  // Write the state into Dash's inputs; those that have the value already stay untouched.
  function writeInputs() {
    const { state } = view;
    const set = (id, value) => {
      if (inInputs[id] === value) return;
      inInputs[id] = value;
      window.dash_clientside.set_props(id, { value });
    };
    showClasses();
    ["network", "output", "baseline", "baseline_seed", "rule", "steps", "samples", "seed", "clip"].forEach((name) => set(name, state[name]));
    set("target", String(state.target));
    set("steps-slider", state.steps);
    set("samples-slider", state.samples);
    set("noise_level", Math.round(100 * state.noise_level));
    set("scale", state.scale);
    Object.keys(NUMBERS).forEach((name) => refuse(name, ""));
  }

  let classesOf = "shapes";
  function showClasses() {
    if (classesOf === view.state.network) return;
    classesOf = view.state.network;
    const classes = view.config.networks[classesOf].classes.map((name, i) => ({ label: name === String(i) ? name : `${i}: ${name}`, value: String(i) }));
    window.dash_clientside.set_props("target", { options: [{ label: "The predicted class", value: "predicted" }, ...classes] });
  }

  function show() {
    const { state, config } = view;
    const network = config.networks[state.network];
    const accuracy = network.accuracy === null ? "" : ` Right on ${(100 * network.accuracy).toFixed(1)} % of ${network.held_out} held-out pictures.`;
    explorer.write(byId("network-hint"), network.about + accuracy);
    explorer.write(byId("noise-shown"), `${Number((100 * state.noise_level).toFixed(2))} %, σ = ${Number(state.noise_level.toFixed(4))}`);
    byId("baseline-seed-field").hidden = state.baseline !== "noise";
    byId("noise_level").max = state.noise_level > 0.5 ? 100 : 50; // only a convention goes past the half
    const exact = state.rule === "exact";
    ["steps", "steps-slider"].forEach((id) => (byId(id).disabled = exact));
  }
})();
