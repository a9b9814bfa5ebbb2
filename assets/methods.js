// Single methods: asked for in small portions when they are looked at, kept until the question changes. They never stand in
// the way of painting: nothing is asked while the picture changes, and a portion on its way is dropped when it does.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { view } = explorer;
  const PORTION = 4;
  const QUIET = 200; // ms without news of the picture before methods are asked for
  const PAUSE = 1500; // ms before a portion that failed is asked again

  let results = {}; // by method, for the state that view.answer belongs to
  let related = {}; // rank correlations, by "one two"
  let wanted = []; // names, in the order in which they are wanted
  let stop = null; // of the portion on its way
  let stamp = 0; // grows whenever what is known or on its way is out of date
  let asked = 0;
  let timer = null;

  explorer.startMethods = function () {
    explorer.on("answer", forget);
    explorer.on("adopted", () => view.answer && forget());
  };

  // What is known of a method: an answer, a refusal, or undefined while it is not there yet.
  explorer.resultOf = (name) => {
    const refusal = view.config.methods[name].refusals[view.asked.network];
    if (refusal) return { refusal: `${refusal[0].toUpperCase()}${refusal.slice(1)}.` };
    return results[name] || (hasOptions(name) ? undefined : view.answer.methods[name]);
  };

  // The explanation knows the core methods as the page's settings have them, without options of their own.
  const hasOptions = (name) => Boolean(view.state.options[name]);

  explorer.correlationOf = function (one, two) {
    const { compared } = view.config;
    const known = [one, two].every((name) => compared.includes(name) && !hasOptions(name));
    return known ? view.answer.correlations[compared.indexOf(one)][compared.indexOf(two)] : related[`${one} ${two}`];
  };

  // Ask for these, instead of what was wanted before; those that are known are not asked again. `together` asks for all in
  // one question, which then also tells their correlations.
  explorer.wantMethods = function (names, { together = false } = {}) {
    const applies = names.filter((name) => !view.config.methods[name].refusals[view.asked.network]);
    wanted = together ? [applies] : portions(applies.filter((name) => !results[name]));
    if (!stop) later(0);
  };

  explorer.isWhole = (name) => Boolean(results[name]);

  // A method's own setting was changed: its answer is out of date, the others are not.
  explorer.setOption = function (name, setting, value) {
    const all = structuredClone(view.state.options);
    const own = { ...all[name], [setting.name]: value };
    if (value === setting.default) delete own[setting.name];
    all[name] = own;
    const order = Object.keys(view.config.methods).filter((key) => all[key] && Object.keys(all[key]).length);
    explorer.update({ options: Object.fromEntries(order.map((key) => [key, all[key]])) });
    explorer.commitUnasked();
    delete results[name];
    related = {};
    explorer.emit("methods", [name]);
  };

  function portions(names) {
    const parts = [];
    for (let i = 0; i < names.length; i += PORTION) parts.push(names.slice(i, i + PORTION));
    return parts;
  }

  function forget() {
    results = {};
    related = {};
    wanted = [];
    stamp++;
    if (stop) stop.abort();
    explorer.emit("methods", null);
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(work, wait);
  }
  explorer.whenQuiet = (action) => {
    const mine = stamp;
    setTimeout(() => mine === stamp && !explorer.isAsking() && action(), QUIET);
  };

  async function work() {
    while (wanted.length && !stop) {
      const portion = wanted[0];
      const mine = stamp;
      stop = new AbortController();
      try {
        const question = { ask: ++asked, state: { ...view.asked, options: view.state.options }, methods: portion };
        const answer = await explorer.askServer("method-answers", "method-question", question, stop.signal);
        stop = null;
        if (mine === stamp) take(portion, answer);
      } catch (failure) {
        stop = null;
        if (mine !== stamp) continue; // dropped: go on with what is wanted now
        if (!(failure instanceof explorer.Refused)) return later(PAUSE);
        take(portion, refusedBy(portion, failure));
      }
    }
    return undefined;
  }

  function take(portion, answer) {
    Object.assign(results, answer.methods);
    const { names, table } = answer.correlations;
    names.forEach((one, i) => names.forEach((two, j) => (related[`${one} ${two}`] = table[i][j])));
    wanted = wanted.filter((part) => part !== portion);
    explorer.emit("methods", portion);
  }

  const refusedBy = (portion, failure) => ({
    methods: Object.fromEntries(portion.map((name) => [name, { refusal: failure.message }])),
    correlations: { names: [], table: [] },
  });
})();
