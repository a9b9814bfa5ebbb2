// Single methods: asked for in small portions when they are looked at, kept until the question changes. They never stand in
// the way of painting: nothing is asked while the picture changes, and a portion on its way is dropped when it does.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { view } = explorer;
  const PORTION = 4;
  const QUIET = 200; // ms without news of the picture before methods are asked for
  const LOST_AFTER = 20000; // ms after which a portion is given up

  let results = {}; // by method, for the state that view.answer belongs to
  let wanted = []; // names, in the order in which they are wanted
  let stop = null; // of the portion on its way
  let stamp = 0; // grows whenever what is known or on its way is out of date
  let asked = 0;
  let timer = null;
  let flying = []; // the portion on its way
  let patience;
  let notBefore = 0; // when a server that was busy or away may be asked again
  let busy = false;
  let answered = ""; // the question that the shown answer belongs to, without looks

  explorer.startMethods = function () {
    patience = new explorer.Patience("methods");
    explorer.on("asking", () => stop && drop()); // the picture first: what is on its way will be out of date
    explorer.on("answer", () => {
      if (!busy) notBefore = 0; // it was away, and is back
      const asks = JSON.stringify({ ...view.asked, tab: null, scale: null, pinned: null });
      if (asks === answered) explorer.emit("methods", null); // more of the same answer: what is known stays
      else forget(null); // every panel is drawn anew for it
      answered = asks;
    });
    explorer.on("adopted", () => view.answer && forget(Object.keys(view.config.methods)));
  };

  // What is known of a method: an answer, a refusal, or undefined while it is not there yet.
  explorer.resultOf = (name) => {
    const refusal = view.config.methods[name].refusals[view.asked.network];
    if (refusal) return { refusal: `Does not apply here: ${refusal[0].toUpperCase()}${refusal.slice(1)}.` };
    // the explanation knows the core methods as the page's settings have them, without options of their own
    return results[name] || (explorer.hasOptions(name) ? undefined : view.answer.methods[name]);
  };

  // Rank correlation of two methods' maps; null where a map is flat, undefined while one is not there.
  explorer.correlationOf = function (one, two) {
    const { compared } = view.config;
    const known = [one, two].every((name) => compared.includes(name) && !explorer.hasOptions(name));
    if (known) return view.answer.correlations[compared.indexOf(one)][compared.indexOf(two)];
    const [a, b] = [one, two].map((name) => (explorer.resultOf(name) || {}).map);
    return a && b ? rankCorrelation(a, b) : undefined;
  };

  // Spearman's, as in measures.py.
  function rankCorrelation(one, two) {
    const [a, b] = [ranksOf(one), ranksOf(two)];
    const product = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
    const lengths = Math.sqrt(product(a, a) * product(b, b));
    return lengths ? Math.max(-1, Math.min(1, product(a, b) / lengths)) : null;
  }

  // Ranks around 0; equal values share their mean rank.
  function ranksOf(values) {
    const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
    const ranks = [];
    for (let first = 0, next = 0; first < order.length; first = next) {
      while (next < order.length && values[order[next]] === values[order[first]]) next++;
      order.slice(first, next).forEach((i) => (ranks[i] = (first + next - order.length) / 2));
    }
    return ranks;
  }

  // Ask for these, instead of what was wanted before; those that are known are not asked again.
  explorer.wantMethods = function (names) {
    const applies = names.filter((name) => !view.config.methods[name].refusals[view.asked.network]);
    wanted = portions(applies.filter((name) => !results[name] && !(stop && flying.includes(name))));
    if (!stop) later(0);
  };

  explorer.knownResults = () => results;

  // Whether a method is told something else than the page's settings and its defaults.
  explorer.hasOptions = (name) => Boolean(view.state.options[name]);

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
    drop(); // what is on its way may have been asked with the old option
    explorer.emit("methods", [name]);
  };

  function portions(names) {
    const parts = [];
    for (let i = 0; i < names.length; i += PORTION) parts.push(names.slice(i, i + PORTION));
    return parts;
  }

  // `changed` is what listeners are to draw again: names, or null when they are drawing everything already.
  function forget(changed) {
    results = {};
    wanted = [];
    drop();
    explorer.emit("methods", changed);
  }

  function drop() {
    stamp++;
    patience.forgets();
    if (stop) stop.abort();
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(work, Math.max(wait, notBefore - performance.now()));
  }
  explorer.whenQuiet = (action) => {
    const mine = stamp;
    const look = () => mine === stamp && (explorer.isAsking() ? wait() : action());
    const wait = () => setTimeout(look, QUIET);
    wait();
  };

  async function work() {
    while (wanted.length && !stop) {
      if (!["methods", "compare"].includes(view.state.tab)) return nobodyLooks();
      if (explorer.isAsking()) return later(QUIET);
      const portion = wanted[0];
      const mine = stamp;
      const { answer, refusal, failure } = await ask(portion);
      if (mine !== stamp) continue; // dropped: go on with what is wanted now
      if (refusal && portion.length > 1) {
        apart(portion);
        continue;
      }
      const trouble = failure || use(portion, answer || refused(portion[0], refusal));
      if (trouble) return putOff(portion, trouble);
    }
    return undefined;
  }

  async function ask(portion) {
    flying = portion;
    stop = new AbortController();
    const lost = setTimeout((given) => given.abort(), LOST_AFTER, stop);
    patience.asks();
    try {
      const question = { ask: ++asked, state: { ...view.asked, options: view.state.options }, methods: portion };
      return { answer: await explorer.askServer("method-answers", "method-question", question, stop.signal) };
    } catch (failure) {
      return failure instanceof explorer.Refused ? { refusal: failure } : { failure };
    } finally {
      stop = null;
      clearTimeout(lost);
    }
  }

  // The others need not wait for it.
  function putOff(portion, failure) {
    wanted = [...wanted.filter((part) => part !== portion), portion];
    busy = failure instanceof explorer.Busy;
    notBefore = performance.now() + patience.fails(failure);
    later(0);
  }

  function nobodyLooks() {
    wanted = [];
    patience.forgets(); // nothing is waited for now
  }

  // Returns why not, where an answer of another version cannot be drawn.
  function use(portion, answer) {
    const before = { results: { ...results }, wanted };
    try {
      take(portion, answer);
      patience.ends();
      return null;
    } catch (failure) {
      if (!explorer.isForeign(answer)) throw failure;
      ({ results, wanted } = before);
      return explorer.outdated();
    }
  }

  function take(portion, answer) {
    Object.assign(results, answer.methods);
    wanted = wanted.filter((part) => part !== portion);
    explorer.emit("methods", portion);
  }

  // A portion that was refused: together its methods may be too much work where each alone is not.
  function apart(portion) {
    patience.ends();
    wanted = wanted.flatMap((part) => (part === portion ? part.map((name) => [name]) : [part]));
  }

  const refused = (name, refusal) => ({ methods: { [name]: { refusal: refusal.message.trim() } } });
})();
