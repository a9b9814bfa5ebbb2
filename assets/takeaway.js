// What can be taken away: the link, a map as PNG, the attributions as CSV or JSON, and a map enlarged.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, view } = explorer;

  explorer.startTakeaway = function () {
    byId("copy-link").addEventListener("click", copyLink);
    byId("take-away").append(
      element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text: "Attributions as CSV", onclick: saveCsv }),
      element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text: "All numbers as JSON", onclick: saveJson }),
      element("p", { class: "quiet", text: "Both hold the whole state and its link. Each map can be saved as PNG." })
    );
  };

  const address = (state) => `${window.location.origin}${window.location.pathname}${explorer.link(state)}`;

  async function copyLink() {
    const button = byId("copy-link");
    const say = (text) => {
      button.textContent = text;
      setTimeout(() => (button.textContent = "Copy link"), 2000);
    };
    try {
      await navigator.clipboard.writeText(address(view.state));
      say("Copied");
    } catch {
      // no clipboard without https or permission: show the link, selected, to be copied by hand
      const field = element("input", { class: "form-control", readonly: true, value: address(view.state), "aria-label": "Link to this state" });
      openDialog("Copy this link", field);
      field.select();
    }
  }

  function download(name, blob) {
    const url = URL.createObjectURL(blob);
    const link = element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  // Such as gradient-ring-of-circle-by-shapes.png
  function fileName(what, ending) {
    const words = [what, explorer.className(view.answer.target), "of", explorer.pictureName(view.asked.pixels).title, "by", view.asked.network];
    return `${words.join("-").toLowerCase().replace(/[^a-z0-9]+/g, "-")}.${ending}`;
  }

  function whole() {
    const { config, answer, asked } = view;
    const { ask, notices, state, ...numbers } = answer; // the rest is how the answer travelled
    return { state: asked, link: address(asked), network: config.networks[asked.network].title, target_name: explorer.className(answer.target), ...numbers, single_methods: explorer.knownResults() };
  }

  function saveJson() {
    if (!view.answer) return;
    const { path, exact, ...rest } = whole();
    const { curve, switches, gradients } = view.path;
    const steps = Array.from(path.weights, (_, k) => Array.from(gradients.subarray(64 * k, 64 * k + 64)));
    const text = JSON.stringify({ ...rest, exact: { ...exact, switches }, path: { ...path, curve, gradients: steps } }, null, 1);
    download(fileName("all", "json"), new Blob([text], { type: "application/json" }));
  }

  function saveCsv() {
    if (!view.answer) return;
    const { answer, asked } = view;
    const names = Object.keys(answer.methods);
    const told = (name) => (explorer.resultOf(name) || {}).map && (!names.includes(name) || explorer.hasOptions(name));
    const pinned = view.state.pinned.filter(told);
    const about = { link: address(asked), target: answer.target, target_name: explorer.className(answer.target), f_input: answer.f.input, f_baseline: answer.f.baseline, delta_f: answer.f.delta, state: asked };
    const head = Object.entries(about).map(([name, value]) => `# ${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
    const columns = [
      ["row", (i) => Math.floor(i / 8)],
      ["column", (i) => i % 8],
      ["input", (i) => asked.pixels[i]],
      ["baseline", (i) => answer.baseline[i]],
      ...names.map((name) => [name, (i) => answer.methods[name].map[i]]),
      ...pinned.map((name) => [explorer.hasOptions(name) ? `${name}_with_options` : name, (i) => explorer.resultOf(name).map[i]]),
      ["integrated_gradients_exact", (i) => answer.exact.map[i]],
      ["smoothgrad_standard_error", (i) => (answer.smoothgrad.error ? answer.smoothgrad.error[i] : "")],
    ];
    const lines = Array.from({ length: 64 }, (_, i) => columns.map(([, value]) => value(i)).join(","));
    const text = [...head, columns.map(([name]) => name).join(","), ...lines, ""].join("\n");
    download(fileName("maps", "csv"), new Blob([text], { type: "text/csv" }));
  }

  // A map as a picture for slides: on white, with its title, note and scale.
  explorer.savePicture = function (map) {
    if (!map.values) return;
    const size = 640;
    const canvas = element("canvas", { width: size + 80, height: size + 170 });
    const context = canvas.getContext("2d");
    const drawing = element("canvas", { width: size, height: size });
    const { values, limit, options } = map;
    explorer.paintMap(drawing.getContext("2d"), size, values, limit, { ...options, numbers: options.kind === "signed", everyNumber: true, theme: "light", ratio: 1 });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(drawing, 40, 90);
    context.fillStyle = "#1c2430";
    context.font = "600 26px system-ui, sans-serif";
    context.fillText(map.title.textContent, 40, 42);
    context.font = "18px system-ui, sans-serif";
    context.fillText(map.note.textContent, 40, 72);
    const range = options.kind === "signed" ? `colour scale −${explorer.number(limit)} … +${explorer.number(limit)}` : "0 black … 1 white";
    context.fillText(`${range}   ${map.figures.textContent.replace("\n", "   ")}`, 40, size + 122);
    const network = view.config.networks[view.asked.network].title;
    context.fillText(`${network}, F = ${explorer.outputName()}`, 40, size + 150);
    canvas.toBlob((blob) => download(fileName(options.name, "png"), blob), "image/png");
  };

  // A chart as a picture, on the surface it is seen on.
  explorer.saveChart = async function (host) {
    const { data, layout } = host.querySelector(".drawing");
    if (!data) return;
    const told = {
      paper_bgcolor: explorer.ink("--surface"),
      title: { text: host.parentElement.querySelector("h3").textContent, font: { size: 14 }, x: 0.02, y: 0.96, yanchor: "top" },
      margin: { ...layout.margin, t: 40 },
      height: layout.height + 32,
    };
    const url = await window.Plotly.toImage({ data, layout: { ...layout, ...told } }, { format: "png", scale: 2 });
    const bytes = Uint8Array.from(atob(url.split(",")[1]), (letter) => letter.charCodeAt(0));
    download(fileName(host.id, "png"), new Blob([bytes], { type: "image/png" }));
  };

  function openDialog(title, ...content) {
    const close = element("button", { type: "button", class: "btn-close", "aria-label": "Close", onclick: () => dialog.close() });
    const dialog = element(
      "dialog",
      { "aria-label": title, onclose: () => dialog.remove(), onclick: (event) => event.target === dialog && dialog.close() },
      element("div", { class: "dialog-body" }, element("div", { class: "head" }, element("h2", { text: title }), close), ...content)
    );
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  }

  explorer.openDialog = openDialog;

  // A map large, with the value in every cell that has one.
  explorer.enlarge = function (map) {
    if (!map.values) return;
    const host = element("div", { class: "large" });
    const dialog = openDialog(map.title.textContent, host);
    const { name, kind } = map.options;
    const large = new explorer.PixelMap(host, { name, title: map.title.textContent, kind, numbers: true, everyNumber: true, bare: true });
    large.set(map.values, map.limit);
    large.describe(map.note.textContent, map.figures.textContent);
    host.append(element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text: "Save as PNG", onclick: () => explorer.savePicture(map) }));
    dialog.addEventListener("close", () => large.remove());
  };
})();
