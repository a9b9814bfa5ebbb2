// Playback of Integrated Gradients: everything it shows is in the last answer, so it never asks the server.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, view } = explorer;

  let playing = false;
  let looping = false;
  let position = 0; // the step as a real number, so that slow speeds and fast screens both work
  let lastFrame = null;

  explorer.startPlayback = function () {
    byId("play").addEventListener("click", () => setPlaying(!playing));
    byId("to-start").addEventListener("click", () => goTo(0));
    byId("to-end").addEventListener("click", () => goTo(view.path.count));
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

  // For each step 0…K: where on the path, F there, the accumulated attribution and its sum.
  function unpack(answer) {
    const { alphas, weights, values, ends, gradients: packed } = answer.path;
    const gradients = explorer.floats(packed);
    const count = alphas.length;
    const input = view.asked.pixels;
    const difference = input.map((value, i) => value - answer.baseline[i]);
    const running = new Float64Array(64 * (count + 1));
    const sums = new Float64Array(count + 1);
    let limit = 0;
    let steepest = 0;
    for (let k = 1; k <= count; k++) {
      for (let i = 0; i < 64; i++) {
        const slope = gradients[64 * (k - 1) + i];
        const sum = running[64 * (k - 1) + i] + weights[k - 1] * slope * difference[i];
        running[64 * k + i] = sum;
        sums[k] += sum;
        limit = Math.max(limit, Math.abs(sum));
        steepest = Math.max(steepest, Math.abs(slope));
      }
    }
    const finished = answer.methods.integrated_gradients;
    running.set(finished.map, 64 * count); // in full precision, as every figure on the page
    sums[count] = finished.total;
    return {
      count,
      alphas: [0, ...alphas],
      weights,
      values: [ends[0], ...values],
      ends,
      gradients,
      input,
      difference,
      running,
      sums,
      limit,
      steepest,
    };
  }

  function goTo(step) {
    setPlaying(false);
    move(step);
  }
  explorer.goToStep = goTo;

  function move(step) {
    const next = Math.max(0, Math.min(view.path.count, step));
    position = next;
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
      if (view.state.tab === "saliency") explorer.showTab("integrated"); // there is nothing to play on the first tab
      if (view.step >= view.path.count) move(0);
      position = view.step;
      lastFrame = null;
      window.requestAnimationFrame(frame);
    }
    showPlaying();
  }

  function frame(now) {
    if (!playing) return;
    if (lastFrame !== null) position += ((now - lastFrame) / 1000) * Number(byId("speed").value);
    lastFrame = now;
    const count = view.path.count;
    if (position >= count) {
      if (!looping) {
        move(count);
        setPlaying(false);
        return;
      }
      if (view.step < count) move(count); // the finished map is seen before it starts again
      else move(0);
    } else {
      const exact = position;
      move(Math.floor(position));
      position = exact;
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
    if (explorer.isTyping(target) || target.closest("select, input, [role=tab], [role=grid], [role=application], dialog")) return;
    const onButton = target.closest("button, summary, a");
    const actions = {
      ArrowLeft: () => goTo(view.step - 1),
      ArrowRight: () => goTo(view.step + 1),
      Home: () => goTo(0),
      End: () => goTo(view.path.count),
    };
    if (!onButton) actions[" "] = () => setPlaying(!playing);
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  explorer.isTyping = (target) => target.matches("input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, [contenteditable]");
})();
