// What can be taken away: the link, a map as PNG, the attributions as CSV or JSON, and a map enlarged.
// A download that is refused, as in some iframes, tells the page nothing: there what was saved can be shown as well.
(function () {
  "use strict";
  const explorer = (window.explorer = window.explorer || {});
  const { byId, element, view } = explorer;

  // How numbers are written in a CSV file, and what stands between them.
  const POINTS = { separator: ",", point: "." };
  const COMMAS = { separator: ";", point: "," };

  explorer.startTakeaway = function () {
    byId("copy-link").addEventListener("click", copyLink);
    byId("take-away").append(
      smallButton("Attributions as CSV", () => saveCsv("maps", POINTS)),
      smallButton("CSV with decimal commas", () => saveCsv("maps-commas", COMMAS)),
      smallButton("All numbers as JSON", saveJson),
      element("p", { class: "quiet", text: "Decimal commas are for Excel in German, French and other such languages. The JSON also holds the state and its link. Each map can be saved as PNG." })
    );
  };

  const smallButton = (text, onclick) => element("button", { type: "button", class: "btn btn-sm btn-outline-secondary", text, onclick });

  // ---- the link

  // As in addresses.py: the hosts that every machine takes for itself.
  const ITSELF = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0|\[::\])$/;
  const PATIENCE = 2000; // ms for the server to say where others reach it
  let removeWarning = () => {};

  const address = (state) => `${window.location.origin}${window.location.pathname}${explorer.link(state)}`;

  async function copyLink() {
    const query = explorer.currentLink(); // what was opened, while it is still being read
    const link = `${window.location.origin}${window.location.pathname}${query}`;
    const copied = await isCopied(link);
    if (copied) sayCopied();
    const warning = ITSELF.test(window.location.hostname) ? await warningAbout(query) : null;
    removeWarning();
    if (!copied) showLink(link, warning);
    else if (warning) removeWarning = explorer.notice(warning.text, { button: warning.link && smallButton("Copy the link for others", () => copyForOthers(warning.link)) });
  }

  function sayCopied() {
    const button = byId("copy-link");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  }

  // What to say of a link that leads everyone to their own machine, and the link for others where their address is known.
  async function warningAbout(query) {
    const only = `Only this machine can open a link to ${window.location.host}.`;
    const [other] = await addressesForOthers();
    if (other) return { text: `${only} Others open ${other}, unless a firewall stops them.`, link: other + query };
    return { text: `${only} To share it, serve with HOST=0.0.0.0 and open the page at this machine’s address in the network.`, link: null };
  }

  async function addressesForOthers() {
    if (window.origin === "null") return []; // in a sandbox the answer could not be read
    try {
      const response = await fetch(explorer.below("addresses"), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      return await response.json();
    } catch {
      return [];
    }
  }

  async function copyForOthers(link) {
    if (await isCopied(link)) sayCopied();
    else showLink(link, null);
  }

  // No clipboard without https or permission.
  async function isCopied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  // A link, selected, to be copied by hand.
  function showLink(link, warning) {
    const field = linkField("Link to this state", link);
    const others = warning && warning.link && linkField("Link for others", warning.link);
    openDialog("Copy this link", field, warning && element("p", { text: warning.text }), others);
    field.select();
  }

  const linkField = (label, link) => element("input", { class: "form-control", readonly: true, value: link, "aria-label": label });

  // ---- files

  function download(name, blob) {
    const url = URL.createObjectURL(blob);
    const link = element("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
    removeOffer();
    if (window.top === window && window.origin !== "null") return;
    if (document.querySelector("dialog[open]")) show(name, blob); // a notice would lie below it
    else offerToShow(name, blob);
  }

  let removeOffer = () => {};

  function offerToShow(name, blob) {
    removeOffer = explorer.notice("No file? Where this page is shown, saving may be forbidden.", { button: smallButton("Show it here", () => show(name, blob)) });
  }

  // What is in a file, to be copied from the page, and where it can be saved. (No link: a window that is opened from a
  // sandbox is in the same one.)
  async function show(name, blob) {
    const url = URL.createObjectURL(blob);
    const shown = blob.type.startsWith("image/") ? shownPicture(name, url) : shownText(name, await blob.text());
    const told = element("p", { text: "In a browser tab of its own this page can save files. Its address, to be copied into one:" });
    const dialog = openDialog(name, ...shown, told, linkField("Link to this state", address(view.state)));
    dialog.addEventListener("close", () => URL.revokeObjectURL(url));
  }

  const shownPicture = (name, url) => [
    element("img", { class: "img-fluid", src: url, alt: name }),
    element("p", { text: "Its context menu copies or saves it; on a touch screen, press long." }),
  ];

  function shownText(name, text) {
    const content = element("textarea", { class: "form-control", rows: 10, readonly: true, "aria-label": name });
    content.value = text;
    const button = smallButton("Copy all", async () => {
      content.select();
      button.textContent = (await isCopied(text)) || document.execCommand("copy") ? "Copied" : "Selected: now press Ctrl C";
    });
    return [content, element("p", {}, button)];
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

  async function saveJson() {
    if (!view.answer) return;
    await explorer.completeAnswer();
    const { path, exact, ...rest } = whole();
    const { curve, switches, gradients } = view.path;
    const steps = Array.from(path.weights, (_, k) => Array.from(gradients.subarray(64 * k, 64 * k + 64)));
    const text = JSON.stringify({ ...rest, exact: exact && { ...exact, switches }, path: { ...path, curve, gradients: steps } }, null, 1);
    download(fileName("all", "json"), new Blob([text], { type: "application/json" }));
  }

  // One line of names, then numbers and nothing else: what every reader of CSV reads without being told anything.
  async function saveCsv(what, { separator, point }) {
    if (!view.answer) return;
    await explorer.completeAnswer();
    const { answer, asked } = view;
    const names = Object.keys(answer.methods);
    const told = (name) => (explorer.resultOf(name) || {}).map && (!names.includes(name) || explorer.hasOptions(name));
    const pinned = view.state.pinned.filter(told);
    const columns = [
      ["row", (i) => Math.floor(i / 8)],
      ["column", (i) => i % 8],
      ["input", (i) => asked.pixels[i]],
      ["baseline", (i) => answer.baseline[i]],
      ...names.map((name) => [name, (i) => answer.methods[name].map[i]]),
      ...pinned.map((name) => [explorer.hasOptions(name) ? `${name}_with_options` : name, (i) => explorer.resultOf(name).map[i]]),
      ...(answer.exact ? [["integrated_gradients_exact", (i) => answer.exact.map[i]]] : []),
    ];
    const { error } = answer.smoothgrad; // one sample has none
    if (error) columns.push(["smoothgrad_standard_error", (i) => error[i]]);
    const lines = Array.from({ length: 64 }, (_, i) => columns.map(([, value]) => String(value(i)).replace(".", point)).join(separator));
    const text = [columns.map(([name]) => name).join(separator), ...lines, ""].join("\n");
    download(fileName(what, "csv"), new Blob([text], { type: "text/csv" }));
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
    host.append(smallButton("Save as PNG", () => explorer.savePicture(map)));
    dialog.addEventListener("close", () => large.remove());
  };
})();
