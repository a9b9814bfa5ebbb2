// Playback of Integrated Gradients: everything it shows is in the last answer, so it never asks the server.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, view } = explorer;

  const LONGEST_FRAME = 500; // ms: after more than this nobody was looking, and the time does not count
  const LOOP_REST = 1; // seconds that the finished map is seen before it starts again

  let playing = false;
  let looping = false;
  let position = 0; // the step as a real number, so that slow speeds and fast screens both work
  let lastFrame = null;

  explorer.startPlayback = function () {
    byId("play").addEventListener("click", () => setPlaying(!playing));
    byId("to-start").addEventListener("click", () => goTo(0));
    byId("to-end").addEventListener("click", () => goTo(Infinity));
    byId("step-back").addEventListener("click", () => goTo(view.step - 1));
    byId("step-forward").addEventListener("click", () => goTo(view.step + 1));
    byId("loop").addEventListener("click", () => setLooping(!looping));
    byId("scrub").addEventListener("input", (event) => goTo(Number(event.target.value)));
    document.addEventListener("keydown", keys);
    setLooping(false);
    showPlaying();
  };

  // A new answer: unpack the path once, so that a frame only reads. A finished playback stays finished, another keeps
  // its place on the path.
  explorer.receive = function (answer) {
    const share = view.path ? view.step / view.path.count : 1;
    view.answer = answer;
    view.path = unpack(answer);
    view.step = Math.round(share * view.path.count);
    position = view.step;
    const scrub = byId("scrub");
    scrub.max = view.path.count;
    scrub.value = view.step;
    explorer.emit("answer", answer);
    explorer.emit("step", view.step);
    showStep();
  };

  // Gradients travel pixel by pixel and are played step by step.
  function stepByStep(columns, count) {
    const rows = new Float32Array(columns.length);
    for (let k = 0; k < count; k++) for (let i = 0; i < 64; i++) rows[64 * k + i] = columns[count * i + k];
    return rows;
  }

  // For each step 0…K: where on the path, F there, the accumulated attribution and its sum.
  function unpack(answer) {
    const { values, ends } = answer.path;
    const gradients = stepByStep(explorer.floats(answer.path.gradients), values.length);
    const trapezoid = view.asked.rule === "trapezoid";
    // m trapezoids lie between m + 1 points: a step adds one of them, half of the slope at either end
    const count = values.length - (trapezoid ? 1 : 0);
    const weights = trapezoid ? Array(count).fill(1 / count) : answer.path.weights;
    const slopeOf = trapezoid
      ? (k, i) => (gradients[64 * (k - 1) + i] + gradients[64 * k + i]) / 2
      : (k, i) => gradients[64 * (k - 1) + i];
    const input = view.asked.pixels;
    const difference = input.map((value, i) => value - answer.baseline[i]);
    const running = new Float64Array(64 * (count + 1));
    const sums = new Float64Array(count + 1);
    const whole = weights.reduce((sum, weight) => sum + weight, 0); // 1, but for rounding and for rules that are faulty
    const reached = [0]; // the share of the path that the steps so far stand for
    let limit = 0;
    for (let k = 1; k <= count; k++) {
      reached.push(k === count && Math.abs(whole - 1) < 1e-9 ? 1 : reached[k - 1] + weights[k - 1]);
      for (let i = 0; i < 64; i++) {
        const sum = running[64 * (k - 1) + i] + weights[k - 1] * slopeOf(k, i) * difference[i];
        running[64 * k + i] = sum;
        sums[k] += sum;
        limit = Math.max(limit, Math.abs(sum));
      }
    }
    const finished = answer.methods.integrated_gradients;
    running.set(finished.map, 64 * count); // in full precision, as every figure on the page
    sums[count] = finished.total;
    return {
      count,
      alphas: trapezoid ? answer.path.alphas : [0, ...answer.path.alphas],
      values: trapezoid ? values : [ends[0], ...values],
      curve: Array.from(explorer.floats(answer.path.curve)),
      switches: answer.exact ? Array.from(explorer.floats(answer.exact.switches)) : [],
      reached,
      weights,
      ends,
      gradients,
      gradientAt: (step) => gradients.subarray(64 * (trapezoid ? step : step - 1)).subarray(0, 64),
      slopeOf,
      input,
      difference,
      running,
      sums,
      limit,
      steepest: explorer.largest(gradients),
    };
  }

  function goTo(step) {
    if (!view.path) return;
    setPlaying(false);
    explorer.showTab("integrated"); // the one that shows steps
    move(step);
  }
  explorer.goToStep = goTo;

  function move(step) {
    const next = Math.max(0, Math.min(view.path.count, step));
    if (next === view.step) return;
    view.step = next;
    byId("scrub").value = next;
    explorer.emit("step", next);
    showStep();
  }

  function setPlaying(on) {
    if (!view.path || on === playing) return;
    playing = on;
    if (on) {
      explorer.showTab("integrated");
      if (view.step >= view.path.count) move(0);
      position = view.step;
      lastFrame = null;
      window.requestAnimationFrame(frame);
    }
    showPlaying();
  }

  function frame(now) {
    if (!playing) return;
    const passed = lastFrame === null ? 0 : now - lastFrame;
    if (passed <= LONGEST_FRAME) position += (passed / 1000) * Number(byId("speed").value);
    lastFrame = now;
    const count = view.path.count;
    if (position >= count) {
      if (!looping) {
        move(count);
        setPlaying(false);
        return;
      }
      const rested = position >= count + LOOP_REST * Number(byId("speed").value); // the finished map is looked at first
      if (rested) position = 0;
      move(rested ? 0 : count);
    } else {
      move(Math.floor(position));
    }
    window.requestAnimationFrame(frame);
  }

  function setLooping(on) {
    looping = on;
    byId("loop").setAttribute("aria-pressed", String(on));
  }

  function showPlaying() {
    const button = byId("play");
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    button.firstChild.className = `icon icon-${playing ? "pause" : "play"}`;
  }

  function showStep() {
    explorer.write(byId("step-shown"), `${view.step} / ${view.path.count}`);
    byId("scrub").setAttribute("aria-valuetext", `step ${view.step} of ${view.path.count}`);
  }

  // Space, arrows, Home and End play, unless the focus is on something that uses those keys itself.
  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !view.path) return;
    const target = event.target;
    const key = explorer.keyOf(event);
    const spare = key === " " && target.id === "tab-integrated"; // it is pressed already
    if (explorer.isTyping(target) || (!spare && target.closest("select, [type=radio], [type=checkbox], [role=tab], [role=grid], dialog"))) return;
    if (target.matches("input") && key !== " ") return; // a slider's own keys
    const onButton = !spare && target.closest("button, summary, a");
    const actions = {
      ArrowLeft: () => goTo(view.step - 1),
      ArrowRight: () => goTo(view.step + 1),
      Home: () => goTo(0),
      End: () => goTo(Infinity),
      Escape: () => explorer.choosePixel(null),
    };
    if (!onButton) actions[" "] = () => setPlaying(!playing);
    if (!actions[key]) return;
    event.preventDefault();
    actions[key]();
  }

  explorer.isTyping = (target) => target.matches("input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, [contenteditable]");
})();
